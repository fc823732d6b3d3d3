"""The tree of calls: from the outermost inwards, or from those who hold something out to their callers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from memdash.pprof.flame import flame
from memdash.pprof.view import Frame
from memdash.tables.profile_tree import MOST_MATCHES, CallTree, TreeOrder, tree_table
from memdash.tables.table import Table
from memdash.ui.command import PROFILE, RANKED, TREE
from memdash.ui.commands import bindings
from memdash.ui.screens.profile.rows import RowsScreen
from memdash.ui.screens.profile.study import Sight, Study
from memdash.ui.sorting import Sorting
from memdash.ui.widgets.table import TableView
from memdash.units import count

__all__ = ["TreeScreen"]

_MOST_OPENED = 2000


class TreeScreen(RowsScreen[CallTree]):
    """Branches open and close; which are open is remembered when the lens changes. At first the heaviest path is."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TREE)
    scopes: ClassVar[tuple[str, ...]] = (PROFILE, RANKED, TREE)
    name_of_view = "tree"

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._by_size = Sorting((TreeOrder.HELD, TreeOrder.OWN, TreeOrder.FUNCTION), (TreeOrder.FUNCTION,))
        self._by_change = Sorting(
            (TreeOrder.CHANGE, TreeOrder.HELD, TreeOrder.OWN, TreeOrder.FUNCTION), (TreeOrder.FUNCTION,)
        )
        self._opened: set[int] = set()
        self._is_turned = False

    @property
    def title_of_view(self) -> str:
        """Which way it leads."""
        is_turned = self._is_turned if self.content is None else self.content.is_turned
        way = "Callers" if is_turned else "Tree"
        return f"{way}, changes" if self.caption.lens.is_differential else way

    @property
    def sorting(self) -> Sorting[TreeOrder]:
        """By change where there are changes."""
        return self._by_change if self.caption.lens.is_differential else self._by_size

    def build(self, sight: Sight) -> CallTree:
        """Put the stacks together."""
        is_turned = self._is_turned
        view, before = sight.view_now(), sight.view_before()
        if is_turned:
            view, before = view.turned(), before and before.turned()
        report = flame(view, before)
        return CallTree(
            report, view.sample_type.unit, view.total, is_difference=before is not None, is_turned=is_turned
        )

    def present(self, built: CallTree) -> None:
        """Show it; where nothing of it is open yet, with the way to the frame of the last view, or the hot path."""
        path: list[int] = []
        if self._opened.isdisjoint(built.keys):
            rows = built.rows_of(self.study.frame)
            heaviest = max(rows, key=lambda number: abs(built.flame.rows[number].held), default=-1)
            path = built.hot_path() if heaviest < 0 else built.path_to(heaviest)
            self._unfold(built, [*path[:-1], *(built.hot_path(path[-1]) if path and built.is_turned else ())])
        super().present(built)
        if path:
            self._stand_on(built, path[-1])

    def _unfold(self, tree: CallTree, numbers: Iterable[int]) -> None:
        self._opened.update(tree.keys[number] for number in numbers)

    def table(self, content: CallTree) -> Table:
        """The rows of open branches."""
        sorting = self.sorting
        return tree_table(content, self._opened, sorting.order, sorting.reversed, self.wanted, self.empty_words)

    def remark(self, content: CallTree) -> str:
        """How much there is in all, and what is too small to be shown."""
        report, figures = content.flame, content.figures
        total = f"{figures.share(report.total) or '0%'} of {figures.amount(figures.total)}"
        if content.is_difference:
            total = f"{figures.amount(report.total)} now, {content.changes.value(report.total - report.base_total)}"
        small = f"{report.dropped} too small, a shows them" if report.dropped else ""
        is_cut = bool(self.wanted) and len(content.matching(self.wanted)) == MOST_MATCHES
        cut = f"the first {count(MOST_MATCHES)} that match" if is_cut else ""
        return " · ".join(part for part in (cut, total, small) if part)

    def frame_of(self, content: CallTree, key: str) -> Frame | None:
        """Rows are known by their path."""
        number = content.number(key)
        return None if number < 0 else content.flame.rows[number].frame

    def search(self) -> None:
        """Keep the rows that lead to it; once it is given up, the one under the cursor stays in view."""
        tree, here = self.content, self._here
        if tree is not None and here >= 0 and not self.wanted:
            self._unfold(tree, tree.path_to(here)[:-1])
        super().search()

    def match(self, step: int) -> None:
        """Go to the next row that contains it: those between lead to others."""
        if self.content is None:
            return
        found = {self.content.keys[number] for number in self.content.matching(self.wanted)}
        at = [index for index, row in enumerate(self.rows.table.rows) if int(row.key) in found][::step]
        here = self.rows.cursor
        if at:
            self.rows.move_to(next((index for index in at if (index - here) * step > 0), at[0]))

    def _stand_on(self, tree: CallTree, number: int) -> None:
        key = str(tree.keys[number])
        index = next((index for index, row in enumerate(self.rows.table.rows) if row.key == key), None)
        if index is not None:
            self.rows.move_to(index)

    @property
    def _here(self) -> int:
        row = self.rows.row
        return -1 if row is None or self.content is None else self.content.number(row.key)

    # What a person does

    def action_unfold(self) -> None:
        """Open the branch under the cursor, or go to the first row in it."""
        tree, here = self.content, self._here
        if tree is None or here not in tree.inner:
            return
        if tree.keys[here] in self._opened or self.wanted:
            self.rows.step(1)
        else:
            self._unfold(tree, [here])
            self.show_rows()

    def action_fold(self) -> None:
        """Close the branch under the cursor, or go to the row that it is in."""
        tree, here = self.content, self._here
        if tree is None or here < 0:
            return
        if here in tree.inner and tree.keys[here] in self._opened and not self.wanted:
            self._opened.remove(tree.keys[here])
            self.show_rows()
        elif tree.outer[here] >= 0:
            self._stand_on(tree, tree.outer[here])

    @on(TableView.LeadClicked)
    def _toggle(self) -> None:
        """The click has moved the cursor there already."""
        tree, here = self.content, self._here
        if tree is not None and tree.keys[here] not in self._opened:
            self.action_unfold()
        elif tree is not None and here in tree.inner:
            self.action_fold()

    def action_unfold_all(self) -> None:
        """Open all below the cursor, as far as a person can look through it."""
        tree, here = self.content, self._here
        if tree is not None and here >= 0:
            below = [*islice(tree.below(here), _MOST_OPENED + 1)]
            self._unfold(tree, below[:_MOST_OPENED])
            self.show_rows()
            if len(below) > _MOST_OPENED:
                self.notify(f"opened the first {count(_MOST_OPENED)} branches", markup=False)

    def action_fold_all(self) -> None:
        """Close all branches."""
        if self.content is not None and self._here >= 0:
            root = self.content.path_to(self._here)[0]
            self._opened.clear()
            self.show_rows()
            self._stand_on(self.content, root)

    def action_hot_path(self) -> None:
        """Open the heaviest path from the row under the cursor on, and go to its end."""
        tree, here = self.content, self._here
        if tree is not None and here >= 0 and not self.wanted:
            path = tree.hot_path(here)
            self._unfold(tree, path[:-1])
            self.show_rows()
            self._stand_on(tree, path[-1])

    def action_turn(self) -> None:
        """Between calls from the outermost inwards and callers of those who hold something."""
        self.leave_trace()
        self._is_turned = not self._is_turned
        self._opened.clear()
        self.rebuild()
