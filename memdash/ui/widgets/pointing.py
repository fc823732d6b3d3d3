"""Views to point into with the mouse."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.geometry import Offset
from textual.message import Message

from memdash.ui.widgets.paint import Painted

__all__ = ["Pointable"]


class Pointable(Painted):
    """Says ``Pointed`` where the mouse is pressed, and on the way along which it is dragged.

    A subclass says in ``share_at`` what place that is.
    """

    @dataclass
    class Pointed(Message):
        """A place in ``view`` was clicked, or dragged to: its share of the way from the left end to the right."""

        view: Pointable
        share: float

        def can_replace(self, message: Message) -> bool:
            """Only where the mouse is now counts."""
            return isinstance(message, Pointable.Pointed) and message.view is self.view

    def share_at(self, at: Offset, *, anywhere: bool) -> float | None:
        """The share at a place within the border; None where nothing is to be pointed at.

        While the mouse is dragged it may be ``anywhere``, and the nearest place is meant.
        """
        raise NotImplementedError

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag."""
        if event.button == 1 and self._point(event, anywhere=False):
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag on."""
        if event.button == 1 and self.app.mouse_captured is self:
            self._point(event, anywhere=True)

    def on_mouse_up(self) -> None:
        """Let go."""
        if self.app.mouse_captured is self:
            self.release_mouse()

    def _point(self, event: events.MouseEvent, *, anywhere: bool) -> bool:
        """Say where the mouse is, if it is in there, or has to be."""
        share = self.share_at(event.screen_offset - self.content_region.offset, anywhere=anywhere)
        if share is None:
            return False
        self.post_message(self.Pointed(self, min(max(share, 0.0), 1.0)))
        return True
