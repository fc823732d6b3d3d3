"""A Session over a recording, and a recording judged anew from its beginning."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from memdash.analysis.rules import Rule
from memdash.errors import MemdashError, NoSuchTarget, defects_told
from memdash.model.action import Action
from memdash.model.finding import Finding, Severity, Transition
from memdash.model.missing import Maybe
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Target
from memdash.recording.followed import Followed
from memdash.recording.moment import Run
from memdash.session.listeners import Listeners
from memdash.session.memory import Memory
from memdash.session.pace import Pace
from memdash.session.past import Past
from memdash.session.retold import Retold
from memdash.session.session import Session
from memdash.session.watches import Watches

__all__ = ["Replay", "judged", "moments", "replays", "retold"]

_WHOLE_AFTER_S = 0.5
"""By then the first frame stands, which would share the interpreter with it."""

_LOOKS_EVERY_S = 1.0
"""Whether a file has grown is asked no more often, and no more often than it was sampled: 0.2 ms each time."""

_RESTS = 20
"""Times as long as its newest moment took to make, which is 10 ms, and 0.6 s with 30 000 stacks."""


class Replay:
    """Stands at the newest moment of a recorded run, to which nothing can be done.

    While somebody still records into the file, it follows; should that break off, the snapshot says so. Its first
    snapshot has no trends of rows, which take ten times as long as all else to read; once it has been started, they
    come. Safe from any thread. Raises RecordingError where the recording cannot be read.
    """

    def __init__(self, past: Past) -> None:
        self._past = past
        self._baseline: Instant | None = None
        self._run = past.run
        self._file = Followed(past.path)
        self._cut_off = ""
        self._snapshot = self._newest(self._run, is_quick=True)
        self._listeners = Listeners()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="memdash-replay", daemon=True)

    def start(self) -> None:
        """Read what the first snapshot lacks and then what is recorded meanwhile, in a thread of its own."""
        self._thread.start()

    def snapshot(self) -> Snapshot:
        """The newest moment."""
        return self._snapshot

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call ``listener`` when there is another newest moment, changes count from another, or one is marked."""
        return self._listeners.add(listener)

    @property
    def past(self) -> Maybe[Past]:
        """All of its moments."""
        return self._past

    def require_markable(self) -> None:
        """Raise RecordingError when the file cannot be written, as while somebody records into it."""
        self._past.require_markable()

    def mark(self, note: str, then: Snapshot) -> None:
        """Remember a moment. Raises RecordingError when the file cannot be written."""
        with self._lock:
            self._past.mark(note, then.at)
            self._publish()

    def mark_baseline(self, then: Snapshot | None = None) -> None:
        """Count changes from ``then``, or from the newest moment."""
        self._count_from((then or self._snapshot).at)

    def clear_baseline(self) -> None:
        """Count changes from the attach again."""
        self._count_from(None)

    def acknowledge(self, finding: Finding, seen: bool = True) -> None:
        """What was recorded stays as it was."""

    def mute(self, rule: str, for_s: float = math.inf) -> None:
        """What was recorded stays as it was."""

    def note(self, summary: str, severity: Severity = Severity.INFO) -> None:
        """What was recorded stays as it was."""

    def act(self, action: Action) -> None:
        """Nothing can be done to what is past; the snapshot offers nothing."""

    def is_doing(self, action: Action) -> bool:
        """Nothing is."""
        return action in self._snapshot.actions

    def close(self) -> None:
        """Let go of the file."""
        self._closed.set()
        self._past.close()

    def _newest(self, run: Run, *, is_quick: bool = False) -> Snapshot:
        newest = self._past.at(run.until.mono_s, self._baseline, is_quick=is_quick)
        return replace(newest, cut_off=self._cut_off)

    def _follow(self) -> None:
        """On a thread of its own. What fails is tried again, and told to whoever goes to another moment."""
        pause_s, is_due = _WHOLE_AFTER_S, True
        while not self._closed.wait(pause_s):
            began_s = time.thread_time()
            with suppress(MemdashError), defects_told(), self._lock:
                run = self._past.run
                has_grown = run != self._run
                self._cut_off = "" if run.ending else self._file.cut_off(has_grown=has_grown)
                if is_due or has_grown or self._cut_off != self._snapshot.cut_off:
                    self._publish()
                is_due = False
            pause_s = max(self._run.interval_s, _LOOKS_EVERY_S, _RESTS * (time.thread_time() - began_s))

    def _count_from(self, baseline: Instant | None) -> None:
        with self._lock:
            self._baseline = baseline
            self._publish()

    def _publish(self) -> None:
        run = self._past.run
        self._snapshot, self._run = self._newest(run), run
        for listener in self._listeners:
            listener(self._snapshot)


def replays(past: Past) -> Watches:
    """Sessions over the runs of a file, for whoever turns from one process of a tree to another."""

    def opened(target: Target) -> Session:
        return Replay(past if target == past.run.target else past.of(target))

    def identified(pid: int) -> Target:
        found = [run.target for run in past.runs if run.target.pid == pid]
        if not found:
            raise NoSuchTarget(f"this recording holds nothing of process {pid}", "memdash record takes several pids")
        return found[-1]

    return Watches(opened, identified=identified, survivors=lambda _, family: lambda: family)


def moments(
    past: Past, until_s: float = math.inf, takes: Callable[[float], bool] = lambda _: True
) -> Iterator[Snapshot]:
    """The moments of a run up to one of the monotonic clock, in order, for whoever has a memory of its own.

    What more than one sample tells stands still at the first of them. 86 400 make a day, and take 40 s to read; so
    ``takes`` may say which are wanted by when they were.
    """
    run = past.run
    first = replace(past.at(run.since.mono_s, is_quick=True), findings=())
    for moment in past.moments(takes):
        if moment.at.mono_s > until_s:
            break
        yield replace(first, **moment.told, ending=run.ending if moment.state is State.ENDED else None)


def retold(past: Past, until_s: float = math.inf, step_s: float = 0.0) -> Iterator[Snapshot]:
    """The same with the alert log, and what its alerts did since the one before.

    With a step there is one in so long, and the last. The end of the target took the place of the last moment that was
    read: both are given.
    """
    log = Retold(past.sayings())
    for shown in moments(past, until_s, _in_step(past, until_s, step_s)):
        if shown.state.is_over:
            findings, news = log.at(shown.at, shown.verdict, shown.muted, is_over=False)
            yield replace(shown, state=State.LIVE, ending=None, findings=findings, transitions=news)
        findings, news = log.at(shown.at, shown.verdict, shown.muted)
        yield replace(shown, findings=findings, transitions=news)


def judged(
    past: Past, rules: Sequence[Rule], muted: Sequence[str] = (), until_s: float = math.inf, step_s: float = 0.0
) -> Iterator[Snapshot]:
    """The same as a watch with these ``rules``, some of them muted, would have seen them."""
    memory, takes = Memory(past.run.interval_s, rules, muted), _in_step(past, until_s, step_s)
    news: tuple[Transition, ...] = ()
    for shown in moments(past, until_s):
        then = memory.add(shown, shown.sample)
        news += then.transitions
        if takes(shown.at.mono_s):
            yield replace(then, cost=shown.cost, transitions=news)
            news = ()


def _in_step(past: Past, until_s: float, step_s: float) -> Callable[[float], bool]:
    run = past.run
    last = past.at(min(until_s, run.until.mono_s), is_quick=True).at  # the time that is meant may lie between two
    pace = Pace(step_s, run.interval_s)
    return lambda at_s: pace.takes(at_s) or at_s >= last.mono_s
