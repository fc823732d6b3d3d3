"""Files of the target, short enough for a cell."""

from __future__ import annotations

from memdash.model.profile import Frame

__all__ = ["place"]


def place(frame: Frame) -> str:
    """``folder/file:line``: what a programmer needs to find it."""
    file = "/".join(frame.file.split("/")[-2:])
    return f"{file}:{frame.line}" if frame.line else file
