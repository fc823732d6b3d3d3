"""Python's own collections of garbage: among the million values of a profile they find none, and take long."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["without_collections"]


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """For what makes a profile, or something of one, in a second or so: nothing is collected meanwhile, in any thread.

    Several threads may do so at a time. Whoever comes first lets collections begin again when it goes.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
