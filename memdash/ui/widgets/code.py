"""Source code with a margin of figures: it scrolls both ways, and jumps from one line that holds anything to the next.

Only the lines in view are cut and painted: a file may have a million.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from memdash.plain import plain
from memdash.tables.code import NO_CODE, Code
from memdash.ui.command import CODE, ROWS
from memdash.ui.commands import EDGES, bindings
from memdash.ui.widgets.meter import meter
from memdash.ui.widgets.paint import Line, Painted

__all__ = ["CodeView"]

_MOST_CHARACTERS = 4000
"""Of one line; what is longer was not written by a person."""
_FIGURE_CELLS = 10
_BAR_CELLS, _NARROW_BAR_CELLS = 10, 4
_WIDE = 96
_SIDEWAYS = 8
_ROWS_A_REASON = 6
"""So many rows of the view give one to a reason why there is no text, or to doubts about it."""
_AHEAD = 3
"""Lines kept in view above and below the cursor."""


class CodeView(Painted, can_focus=True):
    """Shows a Code; says ``Moved`` when the cursor comes to another line."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(CODE), *bindings(ROWS), *EDGES]

    class Moved(Message):
        """The cursor stands on another line now."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own parameter name
        super().__init__(id=id)
        self._code = NO_CODE
        self._why = ""
        self._numbers: Sequence[int] = ()
        self._costly: list[int] = []
        self._cursor = self._top = self._left = 0
        self._is_placed = self._is_centred = False

    @property
    def number(self) -> int:
        """The number of the line under the cursor, 0 when there is none."""
        return self._numbers[self._cursor] if self._numbers else 0

    def show_code(self, code: Code, why: str = "", *, at: int | None = None) -> None:
        """Show ``code``, and ``why`` there is no more of it; the cursor goes to the line ``at``, or stays."""
        line = self.number if at is None else at
        self._code, self._why = code, why
        self._numbers = code.numbers
        self._costly = sorted(bisect_left(self._numbers, number) for number in code.figures if number)
        if at is not None:
            self._left = 0
        self.move_to(bisect_left(self._numbers, line), centred=at is not None or self._is_centred)

    # Moving

    @property
    def _height(self) -> int:
        """Lines of code that there is room for."""
        return max(self.inner.height - len(self._above), 0)

    @property
    def _above(self) -> list[str]:
        """What stands over the code: why it is not there, and its titles, which are empty here."""
        reasons: list[str] = []
        if self._why:
            height = self.inner.height
            spare = height - len(self._numbers) - bool(self._code.titles)  # rows that the lines of code leave empty
            most = max(height // _ROWS_A_REASON, spare, 1) if self._numbers else height
            lines = wrap(plain(self._why), max(self.inner.width, 16))
            # What is too long is cut at the end of its last line.
            reasons = lines if len(lines) <= most else [*lines[: most - 1], " ".join(lines[most - 1 :])]
        return [*reasons, *([""] if self._code.titles and self._numbers else [])]

    def move_to(self, index: int, *, centred: bool = False) -> None:
        """Put the cursor on the line shown as number ``index`` of all, or the nearest there is.

        ``centred`` puts it in the middle of the view, and keeps it there until it moves.
        """
        self._cursor = min(max(index, 0), max(len(self._numbers) - 1, 0))
        self._is_placed, self._is_centred = False, centred
        self.refresh()
        self.post_message(self.Moved())

    def _scroll_into_view(self) -> None:
        height = self._height
        ahead = (height - 1) // 2 if self._is_centred else min(_AHEAD, max(height - 1, 0) // 2)
        self._top = min(self._top, self._cursor - ahead)
        self._top = max(self._top, self._cursor - height + 1 + ahead)
        self._top = max(min(self._top, len(self._numbers) - height), 0)

    def action_step(self, by: int) -> None:
        """Move by lines."""
        self.move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Move by screenfuls."""
        self.move_to(self._cursor + by * max(self._height - 1, 1))

    def action_edge(self, end: int) -> None:
        """Move to the first (0) or last (1) line."""
        self.move_to(end * len(self._numbers))

    def action_costly(self, by: int) -> None:
        """Move to the next (1) or previous (-1) line that holds anything, around the ends."""
        if not self._costly:
            return
        at = bisect_right(self._costly, self._cursor) if by > 0 else bisect_left(self._costly, self._cursor) - 1
        self.move_to(self._costly[at % len(self._costly)])

    def action_sideways(self, by: int) -> None:
        """Show what stands further right (1) or left (-1)."""
        self._left = max(min(self._left + by * _SIDEWAYS, _MOST_CHARACTERS), 0)
        self.refresh()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_step(3)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_step(-3)

    async def _on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and 0 <= (line := offset.y - len(self._above)) < len(self._numbers) - self._top:
            self.move_to(self._top + line)

    def forget(self) -> None:
        """The size is another: where the cursor stands has to be looked at again."""
        self._is_placed = False

    # Painting

    def render_line(self, y: int) -> Strip:
        """Why there is no text, the titles, or a line of code."""
        width, line, above = self.inner.width, self.line(), self._above
        if not self._is_placed:
            self._is_placed = True
            self._scroll_into_view()
        if y < len(above):
            if above[y]:
                line.field(above[y], width, "warning" if self._numbers else "faint")
            else:
                self._paint_margin(line, self._code.titles, "faint")
                line.space(self._bar_cells + 1)
                line.field("line", self._number_cells, "faint", right=True)
            return line.strip(width)
        index = self._top + y - len(above)
        if index >= len(self._numbers):
            return line.strip(width)
        number = self._numbers[index]
        held = self._code.figures.get(number)
        look = "plain" if held is None else "strong"
        self._paint_margin(line, held.texts if held else (), "strong" if held and held.is_own else "plain")
        line.drawn(meter(held.share, self._bar_cells, self.glyphs) if held else "", self._bar_cells, "bar")
        line.space(1)
        line.field(str(number), self._number_cells, "plain" if held else "faint", right=True)
        line.write(" → " if number == self._code.marked else "   ", "warning")
        text = self._code.text(number)
        if not text and held is not None and held.function:  # nobody knows the line, and yet whose it is
            text, look = held.function, "faint"
        line.field(shifted(plain(text[:_MOST_CHARACTERS]), self._left), max(width - line.width, 0), look)
        return line.strip(width, "cursor" if index == self._cursor and self.has_focus else "")

    def _paint_margin(self, line: Line, texts: Sequence[str], look: str) -> None:
        for column in range(len(self._code.titles)):
            line.field(texts[column] if texts else "", _FIGURE_CELLS, look, right=True)
            line.space(2)

    @property
    def _bar_cells(self) -> int:
        return _BAR_CELLS if self.inner.width >= _WIDE else _NARROW_BAR_CELLS

    @property
    def _number_cells(self) -> int:
        return max(len(str(self._numbers[-1])) if self._numbers else 0, 4)


def shifted(text: str, cells: int) -> str:
    """``text`` without its first ``cells``; half of a wide character becomes a space."""
    if text.isascii():
        return text[cells:]
    at = gone = 0
    while gone < cells and at < len(text):
        gone += cell_len(text[at])
        at += 1
    return " " * (gone - cells if gone > cells else 0) + text[at:]
