"""What the screens over the dashboard are about: the moment that it shows, and where to look for source files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memdash.config import USUAL_SOURCES, SourcePath
from memdash.model.snapshot import Snapshot

__all__ = ["Watched"]


@dataclass(frozen=True, slots=True)
class Watched:
    """``newest`` returns the newest moment, or the one that the view is frozen at."""

    newest: Callable[[], Snapshot]
    sources: SourcePath = USUAL_SOURCES
