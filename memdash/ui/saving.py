"""From a key to a profile in a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

if TYPE_CHECKING:
    from memdash.pprof.taken import TakenProfile

__all__ = ["ask_to_save"]

_TOLD_FOR_S = 15.0


def ask_to_save(screen: Screen[Any], take: Callable[[], TakenProfile], file_name: str) -> None:
    """Ask where to, and tell how the file is opened once it is written. ``take`` is called on a thread."""
    from memdash.ui.screens.save import SaveScreen  # loads what writes profiles

    def saved(words: str | None) -> None:
        if words:
            screen.notify(words, timeout=_TOLD_FOR_S, markup=False)

    screen.app.push_screen(SaveScreen(take, file_name), saved)
