"""``--gc-at`` and what belongs to it: collections that memdash forces by itself."""

from __future__ import annotations

from memdash.commands.options import typed
from memdash.errors import UsageError
from memdash.model.relief import GcAt

__all__ = ["RELIEF", "gc_at_plan"]

RELIEF = ("gc-at", "gc-cooldown", "limit")
"""The settings of it, for commands that watch; they take ``read-only`` too."""


def gc_at_plan(gc_at: float | None, cooldown_s: float, limit_bytes: int | None, *, read_only: bool) -> GcAt | None:
    """What is to be done, None when nothing is.

    Raises UsageError for what contradicts itself, and for what belongs to it when it was given beside nothing.
    """
    if gc_at is None:
        _refuse_alone()
        return None
    if read_only:
        raise UsageError("--gc-at and --read-only exclude each other", "leave one of them away")
    if limit_bytes is None:
        return GcAt(ratio=gc_at, cooldown_s=cooldown_s)
    return GcAt(ratio=gc_at, cooldown_s=cooldown_s, limit_bytes=limit_bytes)


def _refuse_alone() -> None:
    """Those of the environment or the file wait for a --gc-at; typed without one they are a mistake."""
    for name in RELIEF[1:]:
        if typed(name):
            raise UsageError(f"--{name} does nothing without --gc-at", "add --gc-at 80%")
