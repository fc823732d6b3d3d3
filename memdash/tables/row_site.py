"""An allocation site in full."""

from __future__ import annotations

from collections import Counter

from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot

__all__ = ["held_by_line"]


def held_by_line(snapshot: Snapshot, file: str) -> dict[int, int]:
    """Bytes held by each line of a file that holds any; several functions may have sites on one line."""
    held: Counter[int] = Counter()
    for group in () if isinstance(snapshot.groups, Missing) else snapshot.groups:
        if group.frame.file == file:
            held[group.frame.line] += group.usage.inuse_bytes
    return dict(held)
