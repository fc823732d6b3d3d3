"""What lies below the views of a profile where there is no dashboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

__all__ = ["Ground"]


class Ground(Screen[None]):
    """Never seen: Textual lets no screen take the place of its lowest, and views take each other's."""

    def __init__(self, view: Callable[[], Screen[Any]]) -> None:
        super().__init__()
        self._view = view

    def on_mount(self) -> None:
        """Open the first view."""
        self.app.push_screen(self._view())
