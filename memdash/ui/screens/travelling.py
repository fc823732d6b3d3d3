"""What a screen on one watch can do with its time: stand still, go back to any moment, and return."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from textual import on

from memdash.errors import MemdashError, RecordingError
from memdash.model.missing import Missing
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.plain import plain
from memdash.ui.beside import beside
from memdash.ui.feed import Feed
from memdash.ui.panes.heap import HeapPane
from memdash.ui.screens.relatives import Relatives
from memdash.ui.travel import Outlook, Whereabouts, flag_of, stops, window_end_s
from memdash.ui.widgets.pointing import Pointable
from memdash.ui.widgets.time_bar import TimeBar, TimeLine
from memdash.units import moment_words

if TYPE_CHECKING:
    from memdash.session import Session, Watches
    from memdash.session.past import Past

__all__ = ["IN_A_REPLAY", "Travelling"]

_REWOUND = Missing("this is a moment of the past, in which nothing can be done any more", "end goes back to the newest")
IN_A_REPLAY = Missing("this is a replay: nothing can be done to what was recorded")


class Travelling(Relatives):
    """The base of such a screen, which says how it shows the moment that it stands at.

    A moment of the past is made on a thread, the newest wish first: whoever holds a key down sees what there was time
    for, and stands in the end where the last press led.
    """

    def __init__(self, session: Session, watches: Watches) -> None:
        super().__init__(watches)
        self._session = session
        self._feed: Feed | None = None
        self._shown = session.snapshot()
        self._frozen = False
        self._wish_s: float | None = None
        self._is_looking = False
        self._is_seeking = False
        self._end_s = 0.0
        self._since: Instant | None = None
        self._baseline_turn = Lock()

    def show_moment(self) -> None:
        """Paint the moment that it stands at."""
        raise NotImplementedError

    @property
    def step_s(self) -> float:
        """How far one step through time leads."""
        raise NotImplementedError

    @property
    def span_s(self) -> float:
        """How much time the charts show."""
        raise NotImplementedError

    # Where it stands

    @property
    def moment(self) -> Snapshot:
        """The moment that is shown."""
        return self._shown

    @property
    def is_away(self) -> bool:
        """Whether another moment than the newest is shown, or will be at once."""
        return self._wish_s is not None

    @property
    def past_words(self) -> Missing | None:
        """Why nothing can be done to the target, as far as that is because of the moment that is shown."""
        if self._shown.is_replayed:
            return IN_A_REPLAY
        return _REWOUND if self.is_away else None

    def newest(self) -> Snapshot:
        """The newest moment, or the one that the view is frozen at: for the screens over this one."""
        return self._shown if self._frozen or self._feed is None else self._feed.newest

    @property
    def whereabouts(self) -> Whereabouts:
        """Where in time it stands."""
        newest = self._session.snapshot()
        since = self._since or newest.history.since
        return Whereabouts(since, newest.at, self.is_away, newest.is_replayed, newest.cut_off)

    def outlook(self) -> Outlook:
        """What the charts show: the time up to the moment, or one around it that stands still while it can."""
        past, worth = self._session.past, stops(self._session.snapshot().findings)
        if not self.is_away or isinstance(past, Missing):
            is_now = not (self._shown.is_replayed or self._shown.state.is_over)
            return Outlook(self._shown.history, worth, is_now=is_now)
        at, where = self._shown.at, self.whereabouts
        self._end_s = window_end_s(at.mono_s, self.span_s, self._end_s, where.since.mono_s, where.until.mono_s)
        end = Instant(at.wall_s + self._end_s - at.mono_s, self._end_s)
        return Outlook(past.timeline(where.since, end, where.since), worth, is_now=False, cursor=at)

    def time_line(self) -> TimeLine:
        """All the time that can be gone through."""
        where, newest, end_s = self.whereabouts, self._session.snapshot(), self._end_s if self.is_away else None
        since, until = where.since, where.until
        whole_s = max(until.mono_s - since.mono_s, 1e-3)
        shown_s = (end_s if end_s is not None else until.mono_s) - since.mono_s
        return TimeLine(
            moment_words(since.wall_s, until.wall_s),
            moment_words(until.wall_s, until.wall_s),
            (self._shown.at.mono_s - since.mono_s) / whole_s,
            ((shown_s - self.span_s) / whole_s, shown_s / whole_s),
            [((at_s - until.mono_s) / whole_s + 1, *flag_of(finding)) for at_s, finding in stops(newest.findings)],
        )

    def take_newest(self) -> None:
        """Stand at the newest moment that the feed has, unless the view stands still."""
        if self._feed is None:
            return
        newest = self._feed.take()
        if self.is_away:
            return
        has_changed = newest.state is not self._shown.state
        if has_changed or not self._frozen:
            self._shown = newest
            self._frozen = self._frozen and not has_changed

    # Going through time

    def action_pause(self) -> None:
        """Freeze the view, or go on with the newest snapshot."""
        if self.is_away:
            self.action_newest()
            return
        self._frozen = not self._frozen and self._shown.state is State.LIVE and not self._shown.is_replayed
        self.show_moment()

    def action_travel(self, steps: int) -> None:
        """Go so many steps through time; beyond the newest moment is the present again."""
        if self._past() is None:
            return
        here_s = self._wish_s if self._wish_s is not None else self._shown.at.mono_s
        there_s = here_s + steps * self.step_s
        if there_s >= self.whereabouts.until.mono_s:
            self.action_newest()
        else:
            self.go_to(there_s)

    def action_beginning(self) -> None:
        """Go to the first moment."""
        self.go_to(-math.inf)

    def action_newest(self) -> None:
        """Go back to the newest moment, and follow the watch again."""
        self._wish_s, self._since, self._frozen = None, None, False
        self.show_moment()

    def turn_to(self, session: Session) -> None:
        """Show another watch, live, in the same arrangement."""
        self._session, self._is_looking, self._is_seeking = session, False, False
        if self._feed is not None:
            self._feed.turn_to(session)
        self.action_newest()

    def action_stop(self, step: int) -> None:
        """Go to the next (1) or previous (-1) alert or mark."""
        past = self._past()
        if past is None or self._is_seeking:
            return
        here, session, wish_s = self._shown.at, self._session, self._wish_s
        ordered = stops(session.snapshot().findings)[::step]
        ahead = [stop.at_s for stop in ordered if (stop.at_s > here.mono_s) is (step > 0)]
        self._is_looking = self._is_seeking = True

        def sought() -> float | None:  # which waits for a moment that is being made
            moments = (past.when_said(at_s).mono_s for at_s in ahead)
            return next((at_s for at_s in moments if (at_s - here.mono_s) * step > 0), None)

        def done(found: float | None) -> None:
            if self._session is session:
                self._is_looking = self._is_seeking = False
                self._stop_at(found, step, is_wanted=self._wish_s == wish_s)

        beside(self, sought, done, self._fail, group="travel")

    def _stop_at(self, found: float | None, step: int, *, is_wanted: bool) -> None:
        """Go there, unless somebody has gone elsewhere meanwhile; else what was overtaken is looked at again."""
        if found is not None and is_wanted:
            self.go_to(found)
            return
        if is_wanted:
            self.notify(f"no alert or mark {'after' if step > 0 else 'before'} this moment", timeout=3)
        if self._wish_s is not None:
            self._look(self._wish_s, is_quick=not is_wanted)

    @on(Pointable.Pointed)
    def _point(self, pointed: Pointable.Pointed) -> None:
        where = self.whereabouts
        if isinstance(pointed.view, TimeBar):
            self.go_to(where.since.mono_s + pointed.share * (where.until.mono_s - where.since.mono_s))
        elif isinstance(pointed.view, HeapPane) and (at_s := pointed.view.mono_s_at(pointed.share)) is not None:
            self.go_to(at_s)

    def go_to(self, mono_s: float) -> None:
        """Show the newest moment up to one of the monotonic clock."""
        past = self._past()
        if past is None:
            return
        if not self.is_away:
            self._end_s = self.whereabouts.until.mono_s
            try:
                self._since = past.since
            except RecordingError as error:
                self._say_failed(error)
                return
        self._wish_s, self._frozen = max(mono_s, self.whereabouts.since.mono_s), True
        if not self._is_looking:
            self._look(self._wish_s, is_quick=True)

    def _look(self, wish_s: float, *, is_quick: bool) -> None:
        past = self._session.past
        if isinstance(past, Missing):
            return
        baseline = self._session.snapshot().baseline
        marked, here_s = baseline.at if baseline.marked else None, self._shown.at.mono_s
        beyond_s = here_s if wish_s > here_s else None  # a step leads over a time without moments
        self._is_looking = True

        def made() -> Snapshot:
            return past.at(wish_s, marked, beyond_s=beyond_s, is_quick=is_quick)

        beside(self, made, partial(self._arrive, wish_s, is_quick), self._fail, group="travel")

    def _arrive(self, wish_s: float, is_quick: bool, found: Snapshot) -> None:
        self._is_looking = False
        if self._wish_s is None:
            return
        has_come = self._wish_s == wish_s
        self._shown = found
        if has_come:
            self._wish_s = found.at.mono_s
        self.show_moment()
        if not has_come:
            self._look(self._wish_s, is_quick=True)
        elif is_quick:
            self._look(self._wish_s, is_quick=False)

    def _fail(self, error: MemdashError) -> None:
        self._is_looking = self._is_seeking = False
        self._wish_s = self._shown.at.mono_s if self.is_away else None
        self._say_failed(error)

    def _past(self) -> Past | None:
        """What can be looked at again; told why not."""
        past = self._session.past
        if isinstance(past, Missing):
            self._say(past)
            return None
        return past

    # What a person says of a moment

    def action_baseline(self) -> None:
        """Count changes from the moment that is shown on."""
        session, then = self._session, self._shown if self.is_away else None
        self._count_from(session, lambda: session.mark_baseline(then))

    def action_no_baseline(self) -> None:
        """Count changes from the attach again."""
        self._count_from(self._session, self._session.clear_baseline)

    def _count_from(self, session: Session, set_baseline: Callable[[], None]) -> None:
        """The newest moment is made anew for it, with all its rows. The last wish holds."""
        renew = partial(self._renew, session)
        beside(self, set_baseline, renew, self._say_failed, group="baseline", turn=self._baseline_turn)

    def action_mark(self) -> None:
        """Ask for a note, and remember the moment with it; where that cannot be, nobody types it in vain."""
        from memdash.ui.screens.note import NoteScreen

        session, then = self._session, self._shown
        question = NoteScreen(then.at.wall_s)

        def noted(note: str | None) -> None:
            if note is None:
                if question.refusal:  # which enter may have closed before anybody had read it
                    self.notify(plain(question.refusal), severity="warning", markup=False)
                return

            def done(_: None) -> None:
                self.notify(plain(f"marked{f': {note}' if note else ''}"), timeout=3, markup=False)
                self._renew(session)

            beside(self, lambda: session.mark(note, then), done, self._say_failed, group=None)  # it waits for a disk

        def refused(error: MemdashError) -> None:
            if question.is_current:  # else it has been answered, and marking failed with the same words
                question.refuse(Missing.of(error).words)

        self.app.push_screen(question, noted)
        beside(self, session.require_markable, lambda _: None, refused, group=None)

    def _renew(self, session: Session, _: None = None) -> None:
        """Make the moment that is shown anew: what it is compared with has changed.

        A look that goes on meanwhile may know nothing of that, and is overtaken; one for an alert leads on anyway.
        """
        if self._session is session and self._wish_s is not None and not self._is_seeking:
            self._look(self._wish_s, is_quick=self._is_looking)
