"""The dashboard: panes around one snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.timer import Timer

from memdash.config import USUAL_SOURCES, SourcePath
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.tables.family import place_words
from memdash.tables.vitals import gc_line
from memdash.ui.acting import ask_to_act
from memdash.ui.arrangement import Arrangement
from memdash.ui.command import ALERTS, DASHBOARD, TABLE, Command, When
from memdash.ui.commands import bindings
from memdash.ui.feed import Feed
from memdash.ui.header import head_parts, notice_lines, small_lines, standing, verdict_parts
from memdash.ui.messages import Sampled
from memdash.ui.panes import PANES
from memdash.ui.panes.alerts import AlertsPane
from memdash.ui.panes.heap import HeapPane
from memdash.ui.panes.memstats import MemStatsPane
from memdash.ui.panes.pane import TablePane
from memdash.ui.panes.sites import SitesPane
from memdash.ui.panes.sorted import SortedPane
from memdash.ui.saving import Reporter
from memdash.ui.screens.travelling import IN_A_REPLAY
from memdash.ui.screens.visiting import Visiting
from memdash.ui.shape import Shape
from memdash.ui.widgets.filter import FilterBar
from memdash.ui.widgets.footer import KeyLine
from memdash.ui.widgets.table import TableView
from memdash.ui.widgets.time_bar import TimeBar
from memdash.ui.widgets.words import Part, TextView, WordLine

if TYPE_CHECKING:
    from memdash.session import Session, Watches

__all__ = ["Dashboard"]

_PAINT_EVERY_S = 0.5
"""The screen follows at most twice a second, however fast the target is sampled."""

_GATHER_S = 0.03
"""Slow probes answer just after the fast ones of their tick: waiting a moment paints once instead of twice."""

_SHORT_BELOW = 104
"""On a narrower screen the top line has fewer words."""


class Dashboard(Visiting):
    """Shows the newest snapshot of one of the watches, or the one it was frozen at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(DASHBOARD),
        *(Binding(str(number), f"enlarge({number})", show=False) for number in range(1, len(PANES) + 1)),
    ]
    AUTO_FOCUS = f"#{SitesPane.key}"
    scopes: ClassVar[tuple[str, ...]] = (DASHBOARD,)

    def __init__(
        self,
        session: Session,
        watches: Watches,
        *,
        wall_s: Callable[[], float] = time.time,
        sources: SourcePath = USUAL_SOURCES,
        at_s: float | None = None,
        report: Reporter | None = None,
    ) -> None:
        """It opens at ``at_s`` of the monotonic clock; without ``report`` there is no key to save one."""
        super().__init__(session, watches, sources, report)
        self._wall_s = wall_s
        self._opens_at_s = at_s
        self._painted_s = 0.0
        self._due: Timer | None = None
        self._head, self._notice = WordLine(id="head"), TextView(id="notice")
        self._notice.can_focus = False
        self._time = TimeBar(id="time")
        self._noticed = 0
        self._vitals, self._latest = WordLine(id="vitals"), WordLine(id="latest")
        self._small = TextView(id="small")
        self._keys = KeyLine(DASHBOARD, TABLE, ALERTS)
        self._panes = Arrangement(self)
        self._filtered: TablePane = self._panes.pane(SitesPane)

    def compose(self) -> ComposeResult:
        """Two lines above, the panes, the keys; all filled already, so that the first frame is whole."""
        self._panes.take(self.app.size.width, self.app.size.height)
        self._feed = Feed(self._session, self.post_message)
        self._shown = self._feed.newest
        self._panes.suit(self._shown)
        self._paint_words()
        yield self._head
        yield self._notice
        yield self._time
        yield self._small
        with Container(id="body"):
            yield from (pane for pane in self._panes if not pane.tabbed)
            yield self._vitals
            yield from (pane for pane in self._panes if pane.tabbed)
            yield self._latest
        yield self._keys

    def on_descendant_focus(self) -> None:
        """Some keys are those of the pane in use."""
        self._keys.follow(self._is_at_hand)

    def on_mount(self) -> None:
        """Look at the clock once a second: the age of a frozen or stale view grows on its own."""
        self.set_interval(1.0, self._look_at_clock)
        if self._opens_at_s is not None:
            self.go_to(self._opens_at_s)

    # Painting

    def on_sampled(self, message: Sampled) -> None:
        """Paint soon; at once when the watch has got into another state."""
        if self.is_away:
            self.take_newest()
            if self.is_current:
                self._paint_words()
        elif message.snapshot.state is not self._shown.state:
            self._paint()
        elif self._due is None and self.is_current:
            wait_s = max(self._painted_s + _PAINT_EVERY_S - time.monotonic(), _GATHER_S)
            self._due = self.set_timer(wait_s, self._paint)

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen lay over this one."""
        if self._painted_s:
            self._paint()

    def _look_at_clock(self) -> None:
        is_old = self._wall_s() - self._shown.at.wall_s > 2 * self._shown.interval_s
        if self.is_current and not self._shown.is_replayed and (self._frozen or is_old):
            self._paint_words()

    def _paint(self) -> None:
        """Take the newest snapshot, unless the view is frozen, and show it."""
        if self._due is not None:
            self._due.stop()
            self._due = None
        self._painted_s = time.monotonic()
        self.take_newest()
        self._show()

    def _show(self) -> None:
        """Paint everything in view as it now stands."""
        if self._panes.suit(self._shown):
            self.call_after_refresh(self._show)
        with self.app.batch_update():
            self._paint_words()
            self._panes.pane(HeapPane).look(self.outlook())
            if self._panes.shape is not Shape.LINE:
                for pane in self._panes.in_view:
                    pane.show(self._shown)
                    pane.frame(self._panes.title(pane, self._shown), pane.remark)

    def _paint_words(self) -> None:
        where, width, shape = self.whereabouts, self.app.size.width, self._panes.shape
        short = width < _SHORT_BELOW
        stand = standing(self._shown, now_s=self._wall_s(), frozen=self._frozen, where=where, short=short)
        strip, line = shape is Shape.STRIP, shape is Shape.LINE
        place = place_words(self.family, short=short)
        self._head.say(*head_parts(self._shown, stand, width, place=place, with_verdict=not strip and not line))
        self._keys.follow(self._is_at_hand)
        notice = notice_lines(stand, width) or ([verdict_parts(self._shown)] if strip else [])
        self._notice.show_lines(notice)
        if len(notice) != self._noticed:
            self._noticed = len(notice)
            self._notice.styles.height = self._noticed
        self._time.display = (where.is_away or where.is_replay) and not line
        if self._time.display:
            self._time.show(self.time_line())
        self.set_class(stand.word.startswith("stale"), "-stale")
        if shape in (Shape.STACKED, Shape.STRIP):
            self._vitals.say([Part(f" {gc_line(self._shown)}", "faint")])
            self._latest.say(verdict_parts(self._shown))
        if line:
            self._small.show_lines(small_lines(self._shown, width))

    # Arrangement

    def on_resize(self, event: events.Resize) -> None:
        """Rearrange for the new size, but not for one that is past already.

        Textual 8.2 tells a screen again of each size that it lays out for, so two that wait at once take turns for
        ever: as on a terminal that says nothing of its size when Textual first asks.
        """
        if event.size != self.app.size:
            event.prevent_default()
            return
        self._panes.take(event.size.width, event.size.height)
        self.call_after_refresh(self._show)

    def action_pane(self, step: int) -> None:
        """Give the next (1) or previous (-1) pane the focus."""
        if step > 0:
            self.focus_next("#body *")
        else:
            self.focus_previous("#body *")

    def action_tab(self, step: int) -> None:
        """Open the next (1) or previous (-1) tab; without tabs, move between panes."""
        if self._panes.has_tabs:
            self._panes.next_tab(step)
            self.call_after_refresh(self._show)
        else:
            self.action_pane(step)

    def action_tab_at(self, number: int) -> None:
        """Open a tab."""
        self._panes.open_tab(number)
        self.call_after_refresh(self._show)

    def action_enlarge(self, number: int = 0) -> None:
        """Give one pane, or the one in use (0), the whole screen; once more takes it back."""
        self._panes.enlarge(number)
        self.call_after_refresh(self._show)

    def action_back(self) -> None:
        """Out of the filter first, then out of an enlarged pane."""
        if self._panes.table_in_use.wanted:
            self._panes.table_in_use.wanted = ""
            self._show()
        else:
            self._panes.shrink()
            self.call_after_refresh(self._show)

    def show_moment(self) -> None:
        """Paint it now."""
        self._paint()

    @property
    def span_s(self) -> float:
        """What the chart shows."""
        return self._panes.pane(HeapPane).span_s

    @property
    def step_s(self) -> float:
        """One cell of the chart, in whole samples."""
        interval_s = self._shown.interval_s
        return interval_s * max(round(self._panes.pane(HeapPane).cell_s / interval_s), 1)

    # What a person does

    def action_acknowledge(self) -> None:
        """Say that the alert under the cursor, or else the one in the top line, has been seen, or take that back."""
        alerts = self._panes.pane(AlertsPane)
        entry = alerts.entry if alerts.has_focus else self._shown.worst
        if entry is None:
            self.notify("there is no alert", timeout=2)
        elif self._shown.is_replayed:
            self._say(IN_A_REPLAY)
        else:
            self._session.acknowledge(entry, not entry.acknowledged)

    @on(AlertsPane.Muted)
    def _mute(self, asked: AlertsPane.Muted) -> None:
        if self._shown.is_replayed:
            self._say(IN_A_REPLAY)
        else:
            self._session.mute(asked.rule, asked.for_s)

    def action_zoom(self, step: int) -> None:
        """Show a longer (1), shorter (-1) or the usual (0) span."""
        self._panes.pane(HeapPane).zoom(step)
        self._show()

    def action_sort(self, step: int) -> None:
        """Sort the pane in use, or the sites, by the next (1) or previous (-1) column."""
        self._panes.sorted_in_use.sort_by(step)
        self._show()

    def action_reverse(self) -> None:
        """Turn the order of those rows round."""
        self._panes.sorted_in_use.sorting.reverse()
        self._show()

    def action_in_use(self) -> None:
        """Between inuse and alloc."""
        if why_not := self._panes.pane(SitesPane).switch_time():
            self.notify(why_not, timeout=4, markup=False)
        self._show()

    def action_objects(self) -> None:
        """Between bytes and objects."""
        self._panes.pane(SitesPane).switch_unit()
        self._show()

    def offers(self, command: Command) -> bool:
        """Whether what the command needs of the target can be had, or at least has a reason why not."""
        if command.needs is Capability.FAMILY:
            return self.has_relatives
        if command.action == "report":
            return self._report is not None
        if isinstance(command.needs, When):
            return self.is_away if command.needs is When.AWAY else not self._shown.is_replayed
        return command.needs is None or command.needs in self._shown.actions

    def _is_at_hand(self, command: Command) -> bool:
        """Whether its key is worth a place below: those of the alert log are while that is in use."""
        return self.offers(command) and (command.group != "alert log" or self._panes.pane(AlertsPane).has_focus)

    def action_act(self, name: str, otherwise: str = "") -> None:
        """Have something done to the target, once a person has confirmed it; not to what is past."""
        if (why_not := self.past_words) is None:
            ask_to_act(self, self._session, self._shown, *(Action[one] for one in (name, otherwise) if one))
        else:
            self._say(why_not)

    def action_listing(self) -> None:
        """Show the source of the row under the cursor, or of what holds most."""
        self.action_profile("list", subject=self._panes.table_in_use.frame_of_row)

    def action_copy(self) -> None:
        """Put the row under the cursor into the terminal's clipboard (OSC 52)."""
        if words := self._panes.table_in_use.words:
            self.app.copy_to_clipboard(words)
            self.notify("copied", timeout=2)

    def action_match(self, step: int) -> None:
        """Go to the next (1) or previous (-1) row that matches."""
        if self._panes.table_in_use.wanted:
            self._panes.table_in_use.step(step, around=True)

    def action_filter(self) -> None:
        """Open the filter line."""
        if not self.query(FilterBar):
            self._filtered = self._panes.table_in_use
            FilterBar(self._filtered.wanted).open(self._keys)

    @on(FilterBar.Typed)
    def _filter(self, typed: FilterBar.Typed) -> None:
        self._filtered.wanted = typed.wanted
        if typed.done:
            typed.bar.remove()
            self._filtered.focus()
        self._show()

    @on(TableView.HeaderClicked)
    def _sort_by_column(self, clicked: TableView.HeaderClicked) -> None:
        if isinstance(clicked.view, SortedPane):
            clicked.view.sorting.sort_by_column(clicked.column)
            self._show()

    @on(TableView.Chosen)
    def _open(self, chosen: TableView.Chosen) -> None:
        """Say all there is to say about a row."""
        pane = chosen.view
        if isinstance(pane, MemStatsPane) and pane.is_of_tree(chosen.row):
            self.action_family()
        elif isinstance(pane, MemStatsPane) and pane.is_rss(chosen.row):
            self.action_residence()
        elif isinstance(pane, TablePane) and (screen := pane.screen_of_row(self._watched)) is not None:
            self.app.push_screen(screen)
