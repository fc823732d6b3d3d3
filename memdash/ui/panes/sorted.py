"""Panes whose rows a person sorts."""

from __future__ import annotations

from typing import Any

from memdash.ui.panes.pane import TablePane
from memdash.ui.sorting import Sorting

__all__ = ["SortedPane"]


class SortedPane(TablePane):
    """A table whose rows a person sorts."""

    @property
    def sorting(self) -> Sorting[Any]:
        """The order of the rows it shows now."""
        raise NotImplementedError

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The key of the column, and whether large comes first."""
        return self.sorting.sorted_by

    def sort_by(self, step: int) -> None:
        """Sort by the next (1) or previous (-1) of the columns in view."""
        self.sorting.sort_by(step, {self.table.columns[index].key for index, _ in self.fit[0]})
