"""All the time of a watch in one line: where in it the view stands, what the charts show, and what happened when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip

from memdash.ui.widgets.paint import Painted

__all__ = ["TimeBar", "TimeLine"]

_LEAST = 8
_KEYS = "← → , ."


@dataclass(frozen=True, slots=True)
class TimeLine:
    """``begin`` and ``end`` are what stands at its ends; the rest are shares of the way between them.

    ``shown`` is the part that the charts show; each of the ``flags`` has a sign and a look.
    """

    begin: str
    end: str
    at: float
    shown: tuple[float, float]
    flags: Sequence[tuple[float, str, str]] = ()


class TimeBar(Painted):
    """A line to look at, and to point into."""

    @dataclass
    class Pointed(Message):
        """A place was clicked, or dragged to."""

        share: float

        def can_replace(self, message: Message) -> bool:
            """Only where the mouse is now counts."""
            return isinstance(message, TimeBar.Pointed)

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own parameter name
        super().__init__(id=id)
        self._shown: TimeLine | None = None

    def show(self, line: TimeLine) -> None:
        """Draw ``line``; paints only if it differs from what stands there."""
        if line != self._shown:
            self._shown = line
            self.refresh()

    @property
    def _cells(self) -> tuple[int, int]:
        """Where the bar begins, and how many cells it takes."""
        if self._shown is None:
            return 0, 0
        begin = len(self._shown.begin) + 2
        return begin, self.inner.width - begin - len(self._shown.end) - 2 - len(_KEYS) - 1

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag."""
        if event.button == 1:
            self.capture_mouse()
            self._point(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag on."""
        if self.app.mouse_captured is self:
            self._point(event)

    def on_mouse_up(self) -> None:
        """Let go."""
        if self.app.mouse_captured is self:
            self.release_mouse()

    def _point(self, event: events.MouseEvent) -> None:
        begin, cells = self._cells
        if cells >= _LEAST:
            at = event.screen_offset.x - self.content_region.x - begin
            self.post_message(self.Pointed(min(max(at / (cells - 1), 0.0), 1.0)))

    def render_line(self, y: int) -> Strip:
        """The only line."""
        del y
        line, shown, (_, cells) = self.line(), self._shown, self._cells
        if shown is None or cells < _LEAST:
            return line.strip(self.inner.width)

        def place(share: float) -> int:
            return min(max(round(share * (cells - 1)), 0), cells - 1)

        first, last = map(place, shown.shown)
        drawn = [("━", "axis") if first <= cell <= last else ("─", "gc-mark") for cell in range(cells)]
        for share, sign, look in shown.flags:
            drawn[place(share)] = sign, look
        drawn[place(shown.at)] = "█", "paused"
        line.write(f" {shown.begin} ", "faint")
        for sign, look in drawn:
            line.write(sign, look)
        line.write(f" {shown.end} ", "faint")
        line.write(f"{_KEYS} ", "key")
        return line.strip(self.inner.width)
