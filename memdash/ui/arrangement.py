"""Which panes are to be seen: the shape that suits the terminal, the open tab, the enlarged pane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from textual.content import Content
from textual.screen import Screen
from textual.style import Style

from memdash.model.snapshot import Snapshot
from memdash.ui.panes import PANES, TABS
from memdash.ui.panes.pane import Pane, TablePane
from memdash.ui.panes.sites import SitesPane
from memdash.ui.panes.sorted import SortedPane
from memdash.ui.shape import Shape, shape_of

__all__ = ["Arrangement"]

AnyPane = TypeVar("AnyPane", bound=Pane)


class Arrangement:
    """The panes of one dashboard. It only sets style classes: who stands where is said in the style sheet."""

    def __init__(self, screen: Screen[Any]) -> None:
        self._screen = screen
        self._panes: dict[type[Pane], Pane] = {kind: kind() for kind in dict.fromkeys((*PANES, *TABS))}
        self._absent = frozenset(self._panes)
        self._tab = TABS[0]
        self._large: Pane | None = None
        self.shape = Shape.THREE

    def __iter__(self) -> Iterator[Pane]:
        """Those that share no tabs first, as they stand on a small screen."""
        yield from (pane for kind, pane in self._panes.items() if kind not in TABS)
        yield from (pane for kind, pane in self._panes.items() if kind in TABS)

    def pane(self, kind: type[AnyPane]) -> AnyPane:
        """The one pane of this kind."""
        pane = self._panes[kind]
        if not isinstance(pane, kind):
            raise TypeError(f"no pane of kind {kind}")
        return pane

    @property
    def in_view(self) -> Iterator[Pane]:
        """The panes that have any room on the screen."""
        return (pane for pane in self._panes.values() if pane.display and bool(pane.size))

    @property
    def in_use(self) -> Pane:
        """The pane that has the focus, else the open tab."""
        focused = self._screen.focused
        return focused if isinstance(focused, Pane) else self._panes[self._tab]

    @property
    def table_in_use(self) -> TablePane:
        """The table that has the focus, else the sites."""
        return self.in_use if isinstance(self.in_use, TablePane) else self.pane(SitesPane)

    @property
    def sorted_in_use(self) -> SortedPane:
        """The pane in use if its rows are sorted, else the sites."""
        return self.in_use if isinstance(self.in_use, SortedPane) else self.pane(SitesPane)

    def suit(self, shown: Snapshot) -> bool:
        """Leave out the panes that have nothing to say of this target; true when some came or went.

        One that had something to say keeps its room while its fact may still come: from a reading that failed, or from
        another target that is only just being attached to.
        """
        absent = frozenset(
            kind
            for kind, pane in self._panes.items()
            if not pane.wants_room(shown) and (kind in self._absent or pane.capability in shown.missing)
        )
        changed = absent != self._absent
        self._absent = absent
        for kind in self._panes:
            self._screen.set_class(kind in absent, f"-no-{kind.key}")
        if self._tab in absent:
            self._open(TABS[0])
        if self._large is not None and type(self._large) in absent:
            self.shrink()
        return changed

    @property
    def _tabs(self) -> list[type[Pane]]:
        return [kind for kind in TABS if kind not in self._absent]

    def take(self, width: int, height: int) -> None:
        """Take the shape that suits a size of terminal."""
        shape = shape_of(width, height)
        if not self._screen.has_class(shape.value):
            self._screen.remove_class(self.shape.value)
            self._screen.add_class(shape.value)
            self.shape = shape
        for pane in self._panes.values():
            pane.take_shape(shape)
        self._open(self._tab)

    @property
    def has_tabs(self) -> bool:
        """Whether some panes share their room just now."""
        return self.shape is Shape.STACKED and self._large is None

    def next_tab(self, step: int) -> None:
        """Open the next (1) or previous (-1) tab."""
        self.open_tab((self._tabs.index(self._tab) + step) % len(self._tabs))

    def open_tab(self, number: int) -> None:
        """Open a tab, counted from 0."""
        self._open(self._tabs[number])
        self._panes[self._tab].focus()

    def _open(self, tab: type[Pane]) -> None:
        self._tab = tab
        for kind in TABS:
            self._panes[kind].set_class(kind is tab, "-open")

    def enlarge(self, number: int = 0) -> None:
        """Give one pane, counted from 1, or the one in use (0), the whole screen; once more takes it back."""
        numbered = [self._panes[kind] for kind in PANES if kind not in self._absent]
        if number <= len(numbered):
            wanted = numbered[number - 1] if number else self.in_use
            self._give_all(None if wanted is self._large else wanted)

    def shrink(self) -> None:
        """Give all panes their room again."""
        self._give_all(None)

    def _give_all(self, pane: Pane | None) -> None:
        if self._large is not None:
            self._large.remove_class("-large")
        self._large = pane
        self._screen.set_class(pane is not None, "-enlarged")
        if pane is not None:
            pane.add_class("-large")
            pane.focus()

    def title(self, pane: Pane, shown: Snapshot) -> Content | str:
        """What stands in a pane's frame: its caption, or all the tabs."""
        if type(pane) not in TABS or not self.has_tabs:
            return pane.caption(shown)
        return Content.assemble(*(self._tab_title(number, kind, shown) for number, kind in enumerate(self._tabs)))

    def _tab_title(self, number: int, kind: type[Pane], shown: Snapshot) -> tuple[str, Style]:
        here, caption = kind is self._tab, self._panes[kind].tab(shown)
        look = Style() if here else Style(bold=False, dim=True)
        return f"[{caption}]" if here else f" {caption} ", look + Style.from_meta(
            {"@click": f"screen.tab_at({number})"}
        )
