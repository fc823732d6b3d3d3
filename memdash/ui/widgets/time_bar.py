"""All the time of a watch in one line: where in it the view stands, what the charts show, and what happened when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.geometry import Offset
from textual.strip import Strip

from memdash.ui.widgets.pointing import Pointable

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


class TimeBar(Pointable):
    """A line to look at, and to point into."""

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

    def share_at(self, at: Offset, *, anywhere: bool) -> float | None:
        """The whole line is to be pointed at, its ends stand for those of the bar."""
        del anywhere
        begin, cells = self._cells
        return (at.x - begin) / (cells - 1) if cells >= _LEAST else None

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
