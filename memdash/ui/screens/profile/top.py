"""What holds most, by function, or what has changed most since the baseline."""

from __future__ import annotations

from memdash.pprof.view import Frame
from memdash.tables.profile_top import RankedTop, TopOrder, ranked_top, top_remark, top_table
from memdash.tables.table import Table
from memdash.ui.screens.profile.rows import RowsScreen
from memdash.ui.screens.profile.study import Sight, Study
from memdash.ui.sorting import Sorting

__all__ = ["TopScreen"]


class TopScreen(RowsScreen[RankedTop]):
    """Flat and cum by function, as ``go tool pprof -top`` has them; through a differential lens with their signs."""

    name_of_view = "top"

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._sorting = Sorting(TopOrder, (TopOrder.FUNCTION,))

    @property
    def title_of_view(self) -> str:
        """The verb that prints the same."""
        return "Diff" if self.caption.lens.is_differential else "Top"

    @property
    def sorting(self) -> Sorting[TopOrder]:
        """By flat at first."""
        return self._sorting

    def build(self, sight: Sight) -> RankedTop:
        """Sum up by function."""
        return ranked_top(sight.view(), sight.view_now(), sight.view_before())

    def table(self, content: RankedTop) -> Table:
        """A row a function."""
        sorting = self._sorting
        return top_table(content, sorting.order, sorting.reversed, self.wanted, self.empty_words)

    def remark(self, content: RankedTop) -> str:
        """How many there are, and how much they hold."""
        return top_remark(content, is_relative_to_base=self.caption.lens.is_relative_to_base)

    def frame_of(self, content: RankedTop, key: str) -> Frame | None:
        """Rows are known by what they show."""
        return content.frames.get(key)
