"""One function between its callers and its callees, and a walk from one to the next."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from memdash.pprof.view import Frame
from memdash.tables.profile_peek import Calls, PeekOrder, calls_in, peek_table
from memdash.tables.table import Table
from memdash.ui.command import PEEK, PROFILE, RANKED
from memdash.ui.commands import bindings
from memdash.ui.screens.profile.rows import RowsScreen
from memdash.ui.screens.profile.study import Sight, Study
from memdash.ui.sorting import Sorting
from memdash.units import things

__all__ = ["PeekScreen"]


class PeekScreen(RowsScreen[Calls]):
    """Begins at the frame that the study was left at; enter walks on, backspace goes back."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(PEEK)
    scopes: ClassVar[tuple[str, ...]] = (PROFILE, RANKED, PEEK)
    name_of_view = "peek"

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._sorting = Sorting(PeekOrder, (PeekOrder.FUNCTION,))
        self._walk: list[Frame] = [] if study.frame is None else [study.frame]

    @property
    def title_of_view(self) -> str:
        """The verb that prints the same."""
        return "Peek, changes" if self.caption.lens.is_differential else "Peek"

    @property
    def sorting(self) -> Sorting[PeekOrder]:
        """By weight at first."""
        return self._sorting

    def build(self, sight: Sight) -> Calls:
        """Sum up all calls."""
        return sight.kept("calls", lambda: calls_in(sight.view(), is_difference=sight.compares))

    def present(self, built: Calls) -> None:
        """Show the function, with the cursor on it."""
        if not self._walk and built.nodes:
            self._walk = [next(iter(built.nodes))]
        super().present(built)
        self._stand_on(self._walk[-1] if self._walk else None)

    def table(self, content: Calls) -> Table:
        """The function that the walk has come to."""
        if not self._walk:
            return Table("Peek", (), (), self.empty_words)
        node = content.nodes.get(self._walk[-1])
        if node is None:
            return Table("Peek", (), (), self._why_not_there(self._walk[-1]))
        return peek_table(content, node, self._sorting.order, self._sorting.reversed, self.wanted)

    def _why_not_there(self, frame: Frame) -> str:
        if self.caption.lens.is_differential:
            return f"{frame.text}: {self.caption.moment.unchanged}; c shows what is held"
        filters = "; F changes the filters" if self.caption.lens.filters.given else ""
        return f"{frame.text} holds nothing of {self.caption.sample_type}{filters}"

    def remark(self, content: Calls) -> str:
        """Of what the shares are, and the way back."""
        node = content.nodes.get(self._walk[-1]) if self._walk else None
        whole = "" if node is None else f"shares are of its {content.figures.value(node.cum)}, its own of all"
        steps = len(self._walk) - 1
        back = f"backspace: {things(steps, 'step')} back" if steps > 0 else ""
        return " · ".join(part for part in (whole, back) if part)

    def frame_of(self, content: Calls, key: str) -> Frame | None:
        """Rows are known by their side and what they show."""
        node = content.nodes.get(self._walk[-1]) if self._walk else None
        return None if node is None else content.frame(node, key)

    def action_open(self) -> None:
        """Walk on to the function under the cursor."""
        frame = self.chosen
        if frame is not None and frame != self._walk[-1]:
            self._walk.append(frame)
            self.wanted = ""
            self.show_rows()
            self._stand_on(frame)

    def action_walk_back(self) -> None:
        """To the function before, with the cursor on the one that was walked to."""
        if len(self._walk) > 1:
            left = self._walk.pop()
            self.show_rows()
            self._stand_on(left)

    def _stand_on(self, frame: Frame | None) -> None:
        if frame is not None:
            self.study.stand_on(self._walk[-1])
            self.move_to(frame)
