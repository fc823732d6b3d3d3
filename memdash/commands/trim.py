"""``memdash trim``: have a process give free memory back to the system."""

from __future__ import annotations

from memdash.commands.acting import verb
from memdash.model.action import Action

__all__ = ["command"]

command = verb(
    Action.TRIM,
    "Have a process give free memory back to the system.",
    """Have the allocator of a process give free memory back to the system, and say what that brought.

    A running Python program needs memdash's agent for it, which is loaded and leaves again. Each step is asked for.
    """,
)
