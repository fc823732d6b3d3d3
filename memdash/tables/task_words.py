"""What tasks do, in words: apart from their table, which a report without tables does not load."""

from __future__ import annotations

from memdash.model.snapshot import TaskGroup
from memdash.model.tasks import Task

__all__ = ["state_words"]


def state_words(tasks: Task | TaskGroup) -> str:
    """What they do; ``chan receive (leaked)``, as Go's tracebacks have it, where nothing can ever wake them."""
    return f"{tasks.state} (leaked)" if tasks.is_leaked else tasks.state
