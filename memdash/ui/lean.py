"""Imports without what a dashboard never uses: a module that is not loaded costs neither memory nor time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["left_out"]


@contextmanager
def left_out(*modules: str) -> Iterator[None]:
    """Within it, importing one of ``modules`` fails as if it were not installed, unless it is loaded already.

    Only for importers that are known to do without: they are named where this is used. Afterwards the modules can be
    imported as ever.
    """
    absent = [name for name in modules if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # documented: makes an import raise ModuleNotFoundError
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
