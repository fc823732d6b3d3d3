"""Rows with a cursor: fixed columns, sparklines and bars in cells, and only what changed is painted.

Textual's DataTable measures cells, keeps a widget's worth of state a cell and repaints all it shows; at one new table a
second that alone would cost more than the whole dashboard may.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from memdash.tables.table import Cell, Column, Row, Span, Table, Tone
from memdash.ui.command import ROWS, TABLE
from memdash.ui.commands import EDGES, bindings
from memdash.ui.widgets.cut import cut, width_of
from memdash.ui.widgets.fit import fitted
from memdash.ui.widgets.meter import meter, piece
from memdash.ui.widgets.paint import Line, Painted
from memdash.ui.widgets.spark import sparkline

__all__ = ["TableView"]

_NO_TABLE = Table("", (), ())

_LEAST_FOR_FOOTNOTE = 8
"""Lines from which on one may go to the footnote."""


class TableView(Painted, can_focus=True):
    """Shows a Table. The cursor stays on its row by key when rows come, go and move."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(TABLE), *bindings(ROWS), *EDGES]

    keeps_cursor = False
    """Whether the cursor shows and moves while something else has the focus."""

    @dataclass
    class Chosen(Message):
        """Enter or a second click on a row."""

        view: TableView
        row: Row

        @property
        def control(self) -> TableView:
            """The table it happened in."""
            return self.view

    @dataclass
    class HeaderClicked(Message):
        """A click on a column's title."""

        view: TableView
        column: str

        @property
        def control(self) -> TableView:
            """The table it happened in."""
            return self.view

    @dataclass
    class LeadClicked(Message):
        """A click on what stands before the text of a cell, like the mark of a branch."""

        view: TableView
        row: Row

        @property
        def control(self) -> TableView:
            """The table it happened in."""
            return self.view

    @dataclass
    class Moved(Message):
        """A person has put the cursor on another row."""

        view: TableView

        @property
        def control(self) -> TableView:
            """The table it happened in."""
            return self.view

    def __init__(self, *, id: str, header: bool = True, classes: str = "") -> None:  # noqa: A002 - as Textual has it
        super().__init__(id=id, classes=classes)
        self._header = header
        self._shown = _NO_TABLE
        self._sorted_by = ""
        self._descending = True
        self._cursor_key = ""
        self._cursor = 0
        self._top = 0
        self._strips: dict[int, Strip] = {}
        self._reason: list[str] = []
        self._fit: tuple[tuple[tuple[int, int], ...], int] | None = None

    # What is shown

    @property
    def table(self) -> Table:
        """The table on show."""
        return self._shown

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._shown.rows[self._cursor] if self._shown.rows else None

    @property
    def cursor(self) -> int:
        """The place of that row."""
        return self._cursor

    @property
    def rows_in_view(self) -> range:
        """Indices of the rows that fit on the screen now."""
        return range(self._top, min(self._top + self._height, len(self._shown.rows)))

    def show_table(self, table: Table, sorted_by: str = "", *, descending: bool = True) -> None:
        """Show ``table`` in place of the one before; lines that are the same stay as they are painted."""
        if table is self._shown and (sorted_by, descending) == (self._sorted_by, self._descending):
            return
        old, self._shown = self._shown, table
        new_head = (sorted_by, descending) != (self._sorted_by, self._descending)
        self._sorted_by, self._descending = sorted_by, descending
        moved = self._follow_cursor()
        new_head = new_head or table.footnote != old.footnote
        if moved or new_head or table.columns != old.columns or not (table.rows and old.rows):
            self.forget()
            self.refresh()
            return
        offset = 1 if self._header else 0
        changed = [
            line + offset
            for line in range(self._height)
            if self._row_at(table, self._top + line) != self._row_at(old, self._top + line)
        ]
        if changed:
            for line in changed:
                self._strips.pop(line, None)
            self.repaint_lines(changed)

    @staticmethod
    def _row_at(table: Table, index: int) -> Row | None:
        return table.rows[index] if index < len(table.rows) else None

    def _follow_cursor(self) -> bool:
        """Put the cursor back on its row; true if other lines than before are in view.

        Where there are none for a moment, as a reading has failed or a filter goes too far, it waits for its row.
        """
        rows, before = self._shown.rows, (self._cursor, self._top)
        here = self._row_at(self._shown, self._cursor)
        if rows and (here is None or here.key != self._cursor_key):
            found = next((i for i, row in enumerate(rows) if row.key == self._cursor_key), None)
            if found is not None and self._cursor_key:
                self._cursor = found
            else:
                self._cursor = min(self._cursor, len(rows) - 1)
                self._cursor_key = ""
        self._scroll_into_view()
        return (self._cursor, self._top) != before

    def set_header(self, header: bool) -> None:
        """Show the columns' titles or not."""
        if header is not self._header:
            self._header = header
            self.forget()

    @property
    def _cursor_shows(self) -> bool:
        return self.keeps_cursor or self.has_focus

    # Moving

    @property
    def _height(self) -> int:
        return max(self.inner.height - (1 if self._header else 0) - (1 if self._has_footnote else 0), 0)

    @property
    def _has_footnote(self) -> bool:
        return bool(self._shown.footnote) and self.inner.height >= _LEAST_FOR_FOOTNOTE

    def _scroll_into_view(self) -> None:
        height, count = self._height, len(self._shown.rows)
        if not height:
            return
        if self._cursor_shows:
            self._top = min(self._top, self._cursor)
            self._top = max(self._top, self._cursor - height + 1)
        self._top = max(min(self._top, count - height), 0)

    def move_to(self, index: int) -> None:
        """Put the cursor on the row ``index``, or the nearest there is."""
        rows = self._shown.rows
        if not rows:
            return
        self._cursor = min(max(index, 0), len(rows) - 1)
        self._cursor_key = rows[self._cursor].key
        self.post_message(self.Moved(self))
        self._scroll_into_view()
        self.forget()
        self.refresh()

    def step(self, by: int, *, around: bool = False) -> None:
        """Move the cursor by ``by`` rows, past the ends to the other end if ``around``."""
        count = len(self._shown.rows)
        self.move_to((self._cursor + by) % count if around and count else self._cursor + by)

    def action_step(self, by: int) -> None:
        """Move by rows."""
        self.step(by)

    def action_page(self, by: int) -> None:
        """Move by screenfuls."""
        self.step(by * max(self._height - 1, 1))

    def action_edge(self, end: int) -> None:
        """Move to the first (0) or last (1) row."""
        self.move_to(end * len(self._shown.rows))

    def action_choose(self) -> None:
        """Ask for more about the row under the cursor."""
        if (row := self.row) is not None:
            self.post_message(self.Chosen(self, row))

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(3)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(-3)

    def _scroll(self, by: int) -> None:
        if self._cursor_shows:
            self.step(by)
            return
        self._top += by
        self._scroll_into_view()
        self.forget()
        self.refresh()

    async def _on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        line = offset.y - (1 if self._header else 0)
        if line < 0:
            if column := self._column_at(offset.x):
                self.post_message(self.HeaderClicked(self, column.key))
            return
        index = self._top + line
        if index >= len(self._shown.rows):
            return
        again = index == self._cursor and event.chain == 2
        self.move_to(index)
        if self._is_lead(self._shown.rows[index], offset.x):
            self.post_message(self.LeadClicked(self, self._shown.rows[index]))
        elif again:
            self.action_choose()

    def _column_at(self, x: int) -> Column | None:
        found = self._cell_at(x)
        return None if found is None else self._shown.columns[found[0]]

    def _cell_at(self, x: int) -> tuple[int, int, int] | None:
        """The column at a place, how far it lies from its left edge, and how wide it is."""
        layout, gap = self.fit
        left = 0
        for index, cells in layout:
            if x < left + cells + gap:
                return index, x - left, cells
            left += cells + gap
        return None

    def _is_lead(self, row: Row, x: int) -> bool:
        found = self._cell_at(x)
        return found is not None and found[1] < min(len(row.cells[found[0]].lead), found[2] // 2)

    # Painting

    @property
    def fit(self) -> tuple[tuple[tuple[int, int], ...], int]:
        """(index, cells) of the columns that are shown, and the cells between them."""
        if self._fit is None:
            self._fit = fitted(self._shown.columns, self.inner.width)
        return self._fit

    def forget(self) -> None:
        """Drop the painted lines."""
        self._strips.clear()
        self._reason = []
        self._fit = None

    def _on_resize(self, event: events.Resize) -> None:
        del event
        self._scroll_into_view()

    def _on_focus(self, event: events.Focus) -> None:
        self._scroll_into_view()
        self.forget()
        super()._on_focus(event)

    def _on_blur(self, event: events.Blur) -> None:
        self.forget()
        super()._on_blur(event)

    def render_line(self, y: int) -> Strip:
        """The header, a row, or nothing."""
        width = self.inner.width  # forgets what was painted for another
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._painted(y, width)
        return strip

    def _painted(self, y: int, width: int) -> Strip:
        table = self._shown
        if self._has_footnote and y == self.inner.height - 1:
            line = self.line()
            line.field(table.footnote, width, "faint")
            return line.strip(width)
        if not table.rows:
            return self._painted_reason(y, width)
        if self._header and y == 0:
            return self._painted_header(width)
        index = self._top + y - (1 if self._header else 0)
        if index >= len(table.rows):
            return Strip.blank(width, self.palette["plain"])
        line = self.line()
        layout, gap = self.fit
        cells = table.rows[index].cells
        for number, (column, room) in enumerate(layout):
            if number:
                line.space(gap)
            self._paint_cell(line, cells[column], table.columns[column], room)
        return line.strip(width, "cursor" if index == self._cursor and self._cursor_shows else "")

    def _paint_cell(self, line: Line, cell: Cell, column: Column, room: int) -> None:
        if cell.spark:
            line.drawn(sparkline(cell.spark, room, self.glyphs), room, "spark")
        elif cell.bar is not None:
            line.drawn(meter(cell.bar, room, self.glyphs), room, "bar")
        elif cell.span is not None:
            self._paint_span(line, cell.span, room, "bar" if cell.tone is Tone.PLAIN else cell.tone.value)
        else:
            if cell.lead:
                lead = cut(self.glyphs.text(cell.lead), room // 2, "start", self.glyphs.ellipsis)
                line.drawn(lead, len(lead), "faint")
                room -= len(lead)
            line.field(cell.text, room, cell.tone.value, right=column.right, where=column.cut)

    def _paint_span(self, line: Line, span: Span, room: int, look: str) -> None:
        """A piece of a bar; the mark shows wherever the piece does not cover it."""
        before, drawn = piece(span.start, span.end, room, self.glyphs)
        after = before + len(drawn)
        mark = min(int(span.mark * room), room - 1)
        line.drawn(self.glyphs.mark.rjust(mark + 1) if mark < before else "", before, "axis")
        line.drawn(drawn, len(drawn), look)
        line.drawn(self.glyphs.mark.rjust(mark - after + 1) if mark >= after else "", room - after, "axis")

    def _painted_header(self, width: int) -> Strip:
        line = self.line()
        layout, gap = self.fit
        for number, (index, room) in enumerate(layout):
            if number:
                line.space(gap)
            column = self._shown.columns[index]
            title = column.title
            if column.key == self._sorted_by:
                space = " " if width_of(title) + 2 <= room else ""
                title = f"{cut(title, room - 1)}{space}{'▼' if self._descending else '▲'}"
            line.field(title, room, "faint", right=column.right)
        return line.strip(width)

    def _painted_reason(self, y: int, width: int) -> Strip:
        """Why there is nothing, wrapped."""
        if not self._reason:
            self._reason = wrap(self._shown.empty, max(width, 8))
        line = self.line()
        if y < len(self._reason):
            line.field(self._reason[y], width, "faint")
        return line.strip(width)
