"""From a key to a file: a profile, or a report."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from memdash.model.snapshot import Snapshot
from memdash.units import file_time

if TYPE_CHECKING:
    from memdash.pprof.taken import TakenProfile
    from memdash.ui.screens.save import Made

__all__ = ["Reporter", "ask_to_report", "ask_to_save"]

Reporter = Callable[[Snapshot, Path], bytes]
"""Makes a report in the format that the file's name asks for. Called on a thread; raises UsageError for other names."""

_TOLD_FOR_S = 15.0


def ask_to_save(screen: Screen[Any], take: Callable[[], TakenProfile], file_name: str) -> None:
    """Ask where to, and tell how the file is opened once it is written. ``take`` is called on a thread."""

    def make(path: Path) -> Made:
        from memdash.pprof.encode import encode  # protobuf takes 30 ms

        taken = take()
        return encode(taken.document), (f"go tool pprof {shlex.quote(str(path))}", *taken.notes)

    _ask(screen, "Save the profile", "A file for go tool pprof", make, file_name)


def ask_to_report(screen: Screen[Any], report: Reporter, moment: Snapshot) -> None:
    """Ask where to, and write the report of that moment."""
    file_name = f"{moment.target.file_name}-{file_time(moment.at.wall_s)}.report.html"

    def make(path: Path) -> Made:
        return report(moment, path), (str(path),)

    _ask(screen, "Save a report", "A report as .html, .md, .txt or .json", make, file_name)


def _ask(screen: Screen[Any], title: str, what: str, make: Callable[[Path], Made], file_name: str) -> None:
    from memdash.ui.screens.save import SaveScreen  # loads what writes files

    def saved(words: str | None) -> None:
        if words:
            screen.notify(words, timeout=_TOLD_FOR_S, markup=False)

    screen.app.push_screen(SaveScreen(title, what, make, file_name), saved)
