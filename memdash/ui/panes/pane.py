"""What every pane is, and the kind that most are: a table."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.caveats import caveats
from memdash.tables.table import Table
from memdash.ui.shape import Shape
from memdash.ui.watched import Watched
from memdash.ui.widgets.paint import Painted
from memdash.ui.widgets.table import TableView
from memdash.units import age

__all__ = ["Pane", "TablePane"]

_OLD_INTERVALS, _OLD_S = 3, 3.0
"""What was read so long ago is not of the moment that the header speaks of."""


class Pane(Painted):
    """A region of the dashboard. Subclasses say what ``show`` does and what ``key`` names them in style sheets."""

    key: ClassVar[str]
    title: ClassVar[str]
    tabbed: ClassVar[bool] = False
    """Whether it shares the lower half of a small screen with others, behind tabs."""

    capability: Capability
    """Whose age and failures concern this pane."""

    _framed: tuple[Content | str, Content | str, int] = ("", "", 0)
    _late = _read = ""

    def caption(self, snapshot: Snapshot) -> str:
        """Its name in its frame."""
        del snapshot
        return self.title

    def tab(self, snapshot: Snapshot) -> str:
        """Its name on a tab."""
        return self.caption(snapshot)

    def wants_room(self, snapshot: Snapshot) -> bool:
        """Whether it has anything to show or to say of this moment."""
        del snapshot
        return True

    def take_shape(self, shape: Shape) -> None:
        """Suit the arrangement; for panes that show less where there is little room."""

    @property
    def remark(self) -> Content | str:
        """What the frame says below: why it is old, if it is, or when it was read; order, filter."""
        return self._late or self._read

    def show(self, snapshot: Snapshot) -> None:
        """Show this moment; extended by subclasses. Called only while the pane is in view."""
        self._late = _age_of(self.capability, snapshot)
        self._read = _read_when(self.capability, snapshot)
        self.set_class(bool(self._late), "-late")

    @property
    def heading(self) -> Content | str:
        """What stands in the frame above."""
        return self._framed[0]

    def frame(self, title: Content | str, remark: Content | str) -> None:
        """Write into the frame, above and below; paints only if it changed."""
        wish = (title, remark, self.outer_size.width)
        if wish != self._framed:
            self._framed = wish
            self.entitle(title, remark)


class TablePane(TableView, Pane):
    """A pane that is a table; a text typed in keeps the rows that contain it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # On the dashboard these go through time; g and G lead to the first and the last row.
        Binding("home", "screen.beginning", show=False),
        Binding("end", "screen.newest", show=False),
    ]

    def __init__(self, *, header: bool = True) -> None:
        super().__init__(id=self.key, header=header, classes="-tabbed" if self.tabbed else "")
        self.wanted = ""
        self._caveats: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """What matters most first, for the last may not fit.

        Its age; the filter in force; the rows in view; what its figures leave out; what the kind sums up.
        """
        shown, rows = self.rows_in_view, len(self.table.rows)
        place = f"{shown.start + 1}–{shown.stop} of {rows}" if shown and len(shown) < rows else ""
        parts = (
            self._late,
            self._read,
            f"only {self.wanted!r}" if self.wanted else "",
            place,
            *self._caveats,
            self.summary,
        )
        return " · ".join(part for part in parts if part)

    @property
    def summary(self) -> str:
        """What there is to say below the rows."""
        return ""

    @property
    def words(self) -> str:
        """The row under the cursor in full, to be copied."""
        return "  ".join(plain(cell.text) for cell in self.row.cells if cell.text) if self.row else ""

    @property
    def frame_of_row(self) -> Frame | None:
        """Where in the program the row under the cursor is, if that can be said of it."""
        return None

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The key of the column that the rows are sorted by, and whether large comes first."""
        return "", True

    def screen_of_row(self, watched: Watched) -> Screen[None] | None:
        """All there is to say about the row under the cursor: in full, and below it what its cells have to add."""
        del watched
        # Imported when first asked for: the first frame does not wait for it.
        from memdash.ui.screens.detail import TextScreen

        if (row := self.row) is None:
            return None
        notes = [plain(cell.note) for cell in row.cells if cell.note]
        return TextScreen(self.title, "\n\n".join([self.words, *notes]))

    def build(self, snapshot: Snapshot) -> Table:
        """The table to show."""
        raise NotImplementedError

    def show(self, snapshot: Snapshot) -> None:
        """Show this moment."""
        super().show(snapshot)
        self._caveats = caveats(snapshot, self.capability)
        column, descending = self.sorted_by
        self.show_table(self.build(snapshot), column, descending=descending)


def _age_of(capability: Capability, snapshot: Snapshot) -> str:
    """How old a fact is and why, when its newer readings fail; else nothing."""
    origin = snapshot.sample.origins.get(capability)
    if origin is None or not origin.failing:
        return ""
    return f"{age(snapshot.at.mono_s - origin.at.mono_s)}: {origin.failing}"


def _read_when(capability: Capability, snapshot: Snapshot) -> str:
    """How old a fact is that is read seldom; nothing while it is fresh, or its newer readings fail."""
    origin = snapshot.sample.origins.get(capability)
    if origin is None or origin.failing:
        return ""
    old_s = snapshot.at.mono_s - origin.at.mono_s
    return f"read {age(old_s)}" if old_s > max(_OLD_INTERVALS * snapshot.interval_s, _OLD_S) else ""
