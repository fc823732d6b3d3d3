"""What nobody but its owner may see of a process ends a verb with the exit code that says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from memdash.errors import ProbeError
from memdash.model.target import Target
from memdash.process.memory import require_permission

__all__ = ["denials_told"]


@contextmanager
def denials_told(target: Target) -> Iterator[None]:
    """Around what reads a process: a way of reading that found nothing there may only have been refused.

    Raises AccessDenied instead of such a ProbeError. What a server answers, or fails to, is another matter.
    """
    try:
        yield
    except ProbeError as error:
        if target.is_local and error.exit_code == ProbeError.exit_code:
            require_permission(target.pid)
        raise
