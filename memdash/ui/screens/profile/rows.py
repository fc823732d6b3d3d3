"""What the views that are tables share: their order, what is sought in them, and what opens from a row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType

from memdash.pprof.view import Frame
from memdash.tables.table import Table
from memdash.ui.command import PROFILE, RANKED
from memdash.ui.commands import bindings
from memdash.ui.screens.profile.screen import Built, ProfileScreen
from memdash.ui.screens.profile.study import Study
from memdash.ui.sorting import Sorting
from memdash.ui.widgets.table import TableView

__all__ = ["RowsScreen"]


class RowsScreen(ProfileScreen[Built]):
    """A view that is a table. Subclasses make it of what was built, and say which frame stands in a row."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(RANKED)
    scopes: ClassVar[tuple[str, ...]] = (PROFILE, RANKED)

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self.rows = TableView(id="profile")
        self.content: Built | None = None

    @property
    def main(self) -> TableView:
        """The rows."""
        return self.rows

    @property
    def sorting(self) -> Sorting[Any]:
        """What they are sorted by."""
        raise NotImplementedError

    def table(self, content: Built) -> Table:
        """The rows as they are wanted: sorted, and of what is sought."""
        raise NotImplementedError

    def remark(self, content: Built) -> str:
        """What there is to say of them as a whole."""
        raise NotImplementedError

    def frame_of(self, content: Built, key: str) -> Frame | None:
        """The frame that stands in the row of that key."""
        raise NotImplementedError

    def say(self, words: str) -> None:
        """In place of the rows."""
        self.content = None
        self.rows.show_table(Table("", (), (), words))
        self.entitle("")

    def present(self, built: Built) -> None:
        """Show the rows; at first with the cursor on the frame that another view had it on."""
        is_first, self.content = self.content is None, built
        self.show_rows()
        if is_first and (frame := self.study.frame) is not None:
            self.move_to(frame)

    def move_to(self, frame: Frame) -> None:
        """Put the cursor on the first row of a frame, if there is one."""
        if self.content is None:
            return
        for index, row in enumerate(self.rows.table.rows):
            if self.frame_of(self.content, row.key) == frame:
                self.rows.move_to(index)
                return

    def show_rows(self) -> None:
        """Show the rows as they are wanted now."""
        if self.content is None:
            return
        column, descending = self.sorting.sorted_by
        table = replace(self.table(self.content), footnote="; ".join(self.caption.notes))
        self.rows.show_table(table, column, descending=descending)
        sought = f"only {self.wanted!r}" if self.wanted else ""
        self.entitle(" · ".join(part for part in (sought, self.remark(self.content)) if part))

    @property
    def chosen(self) -> Frame | None:
        """The frame under the cursor."""
        row = self.rows.row
        return None if self.content is None or row is None else self.frame_of(self.content, row.key)

    @property
    def empty_words(self) -> str:
        """Why there are no rows, as far as the lens tells."""
        lens, moment = self.caption.lens, self.caption.moment
        if idle := sorted(self.caption.unmatched & {"focus", "show"}):
            return f"nothing is left: {' and '.join(idle)} matched nothing; F changes the filters"
        if lens.filters.given:
            return "nothing is left; F changes the filters"
        if lens.is_differential and moment.has_baseline:
            return f"{moment.unchanged}; c shows what is held"
        return f"nothing is held: all {self.caption.sample_type} are zero"

    def search(self) -> None:
        """Keep the rows that contain it."""
        self.show_rows()

    def match(self, step: int) -> None:
        """Only rows that contain it are shown."""
        self.rows.step(step, around=True)

    def action_sort(self, step: int) -> None:
        """Sort by the next (1) or previous (-1) of the columns in view."""
        self.sorting.sort_by(step, {self.rows.table.columns[index].key for index, _ in self.rows.fit[0]})
        self.show_rows()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.sorting.reverse()
        self.show_rows()

    def action_open(self) -> None:
        """Callers and callees of the function under the cursor."""
        from memdash.ui.screens.profile import view_of

        if self.chosen is not None:
            self.leave_trace()
            self.app.push_screen(view_of("peek", self.study))

    @on(TableView.Chosen)
    def _open(self) -> None:
        self.action_open()

    @on(TableView.HeaderClicked)
    def _sort_by_column(self, clicked: TableView.HeaderClicked) -> None:
        self.sorting.sort_by_column(clicked.column.removesuffix("%"))
        self.show_rows()
