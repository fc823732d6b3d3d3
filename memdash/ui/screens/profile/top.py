"""What holds most, by function, or what has changed most since the baseline."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.profile import Frame
from memdash.pprof.top import Top, top
from memdash.pprof.view import View
from memdash.tables.profile_top import top_table
from memdash.tables.table import Table
from memdash.ui.screens.profile.screen import ProfileScreen
from memdash.ui.screens.profile.study import Study
from memdash.ui.widgets.table import TableView

__all__ = ["TopScreen"]


@dataclass(frozen=True, slots=True)
class _Ranked:
    view: View
    top: Top
    table: Table


class TopScreen(ProfileScreen[_Ranked]):
    """Flat and cum by function, as ``go tool pprof -top`` has them; through a differential lens with their signs."""

    name_of_view = "top"
    title_of_view = "Top"

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._rows = TableView(id="profile")

    @property
    def main(self) -> TableView:
        """The rows."""
        return self._rows

    @property
    def selected(self) -> Frame | None:
        """The function of the row under the cursor."""
        return Frame(self._rows.row.key, "", 0) if self._rows.row is not None else None

    def build(self) -> _Ranked:
        """Sum up by function."""
        view = self.study.view()
        ranked = top(view)
        return _Ranked(view, ranked, top_table(view, ranked))

    def present(self, built: _Ranked) -> None:
        """Show the rows."""
        self._rows.show_table(built.table)
        self.entitle(f"{len(built.top.rows)} functions")
