"""``memdash gc``: have a process collect its garbage now."""

from __future__ import annotations

from memdash.commands.acting import verb
from memdash.model.action import Action

__all__ = ["command"]

command = verb(
    Action.FORCE_GC,
    "Have a process collect its garbage now.",
    """Have a process collect its garbage now, and say what that freed.

    A running Python program needs memdash's agent for it, which is loaded and leaves again. Each step is asked for.
    """,
)
