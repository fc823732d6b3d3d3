"""The tree of calls: from the outermost inwards, or from those who hold something out to their callers."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from memdash.pprof.flame import flame
from memdash.pprof.view import Frame
from memdash.tables.profile_tree import CallTree, TreeOrder, tree_table
from memdash.tables.table import Table
from memdash.ui.commands import PROFILE, RANKED, TREE, bindings
from memdash.ui.panes.sorted import Sorting
from memdash.ui.screens.profile.rows import RowsScreen
from memdash.ui.screens.profile.study import Study

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
        self._opened: set[str] = set()
        self._is_turned = False

    @property
    def title_of_view(self) -> str:
        """Which way it leads."""
        way = "Callers" if self._is_turned else "Tree"
        return f"{way}, changes" if self.study.lens.is_differential else way

    @property
    def sorting(self) -> Sorting[TreeOrder]:
        """By change where there are changes."""
        return self._by_change if self.study.lens.is_differential else self._by_size

    def build(self) -> CallTree:
        """Put the stacks together."""
        study, is_turned = self.study, self._is_turned
        view, before = study.view_now(), study.view_before()
        if is_turned:
            view, before = view.turned(), before and before.turned()
        report = flame(view, before)
        return CallTree(
            report, view.sample_type.unit, view.total, is_difference=before is not None, is_turned=is_turned
        )

    def present(self, built: CallTree) -> None:
        """Show it; with a path open where none is yet."""
        is_first = self._opened.isdisjoint(built.numbers)
        path = self._path_to(built, self.study.frame) if is_first else []
        self._opened.update(path[:-1])
        super().present(built)
        if path:
            self._move_to(path[-1])

    def _path_to(self, tree: CallTree, frame: Frame | None) -> list[str]:
        """The keys from the root to the heaviest row of a frame, or the hot path."""
        rows = tree.flame.rows
        found = [number for number, row in enumerate(rows) if row.frame == frame]
        if not found:
            return tree.hot_path()
        number = max(found, key=lambda number: abs(rows[number].held))
        path = [tree.keys[number]]
        while (number := tree.outer[number]) >= 0:
            path.append(tree.keys[number])
        return path[::-1]

    def table(self, content: CallTree) -> Table:
        """The rows of open branches."""
        sorting = self.sorting
        return tree_table(content, self._opened, sorting.order, sorting.reversed, self.wanted, self.empty_words)

    def remark(self, content: CallTree) -> str:
        """How much there is in all, and what is too small to be shown."""
        report, figures = content.flame, content.figures
        total = f"{figures.share(report.total) or '0%'} of {figures.amount(figures.total)}"
        if content.is_difference:
            total = f"{figures.amount(report.total)}, {content.changes.value(report.total - report.base_total)}"
        small = f"{report.dropped} too small, a shows them" if report.dropped else ""
        return " · ".join(part for part in (total, small) if part)

    def frame_of(self, content: CallTree, key: str) -> Frame | None:
        """Rows are known by their path."""
        return content.frame(key) if key in content.numbers else None

    def match(self, step: int) -> None:
        """Go to the next row that contains it: those between lead to others."""
        if self.content is None:
            return
        found = self.content.matches(self.wanted)
        at = [i for i, row in enumerate(self.rows.table.rows) if self.content.frame(row.key) in found]
        here = self.rows.cursor
        after = [i for i in at if i > here] if step > 0 else [i for i in at if i < here][::-1]
        if at:
            self.rows.move_to((after or (at if step > 0 else at[::-1]))[0])

    def _move_to(self, key: str) -> None:
        index = next((i for i, row in enumerate(self.rows.table.rows) if row.key == key), None)
        if index is not None:
            self.rows.move_to(index)

    # What a person does

    def action_unfold(self) -> None:
        """Open the branch under the cursor, or go to the first row in it."""
        tree, key = self.content, self._key
        if tree is None or not key or not tree.inner[tree.numbers[key]]:
            return
        if key in self._opened or self.wanted:
            self.rows.step(1)
        else:
            self._opened.add(key)
            self.show_rows()

    def action_fold(self) -> None:
        """Close the branch under the cursor, or go to the row that it is in."""
        tree, key = self.content, self._key
        if tree is None or not key:
            return
        if key in self._opened and tree.inner[tree.numbers[key]] and not self.wanted:
            self._opened.remove(key)
            self.show_rows()
        elif (outer := tree.outer[tree.numbers[key]]) >= 0:
            self._move_to(tree.keys[outer])

    def action_unfold_all(self) -> None:
        """Open all below the cursor, as far as a person can look through it."""
        if self.content is None or not self._key:
            return
        for number, key in enumerate(self.content.below(self._key)):
            if number >= _MOST_OPENED:
                self.notify(f"opened the first {_MOST_OPENED} branches", markup=False)
                break
            self._opened.add(key)
        self.show_rows()

    def action_fold_all(self) -> None:
        """Close all branches."""
        self._opened.clear()
        self.show_rows()

    def action_hot_path(self) -> None:
        """Open the heaviest path from the row under the cursor on, and go to its end."""
        if self.content is None or not self._key:
            return
        path = self.content.hot_path(self._key)
        self._opened.update(path[:-1])
        self.show_rows()
        self._move_to(path[-1])

    def action_turn(self) -> None:
        """Between calls from the outermost inwards and callers of those who hold something."""
        self.study.frame = self.chosen or self.study.frame
        self._is_turned = not self._is_turned
        self._opened.clear()
        self.rebuild()

    @property
    def _key(self) -> str:
        row = self.rows.row
        return "" if row is None else row.key
