"""Watching without a screen: one process or several, for a time, until they end, or until somebody says so."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from memdash.commands.output import tell
from memdash.commands.target import Choice
from memdash.config import parse_pid
from memdash.errors import ProbeError, TargetExited
from memdash.model.capability import Capability
from memdash.model.finding import NOTES, Finding
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Target
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.process.identity import identify
from memdash.session import Session, read_once
from memdash.signals import ENDING, Signalled, signals_raised

__all__ = ["Named", "by_pid", "ending_code", "named", "notes_told", "require_read", "ticks", "watched"]

_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Named:
    """A process that is to be watched, and by which ways."""

    target: Target
    entries: Sequence[ProbeEntry]


def named(choice: Choice, others: Sequence[str]) -> list[Named]:
    """What the user has named: the first in any way, the others by their pids, each once. Raises as ``target`` does."""
    found: dict[tuple[str, int], Named] = {}
    for each in (Named(choice.target(), choice.entries), *by_pid(others)):
        found.setdefault((each.target.url, each.target.pid), each)
    return list(found.values())


def by_pid(pids: Sequence[str]) -> list[Named]:
    """Processes by their pids. Raises what ``identify`` raises."""
    return [Named(identify(parse_pid(pid)), PROBES) for pid in pids]


def watched(
    sessions: Sequence[Session],
    duration_s: float | None,
    tick: Callable[[], object] = lambda: None,
    ending: Sequence[int] = ENDING,
    settle: Callable[[threading.Event], object] = lambda _over: None,
) -> int:
    """Watch until all have ended, or for ``duration_s`` once all are read; the signal that ended it before, or 0.

    ``tick`` is called once they are read and then each second, and may raise. ``settle`` may wait for more than that
    they are read, but not once the event that it is given says that all have ended.
    """
    begun, over = threading.Event(), threading.Event()

    def listen(_: Snapshot) -> None:
        states = [session.snapshot().state for session in sessions]
        if State.ATTACHING not in states:
            begun.set()
        if all(state.is_over for state in states):
            over.set()

    for session in sessions:
        session.subscribe(listen)
    try:
        with signals_raised(ending):
            for session in sessions:
                session.start()
            begun.wait()
            settle(over)
            for _ in ticks(duration_s, over):
                tick()
    except Signalled as signalled:
        return signalled.number
    finally:
        for session in sessions:
            session.close()
    return 0


def ticks(duration_s: float | None, over: threading.Event | None = None) -> Iterator[None]:
    """Now, then each second and at the end: that of ``duration_s``, or as soon as ``over`` is set."""
    over = over or threading.Event()
    until_s = math.inf if duration_s is None else time.monotonic() + duration_s
    yield
    while not over.is_set() and (left_s := until_s - time.monotonic()) > 0:
        over.wait(min(_EVERY_S, left_s))
        yield


def require_read(named: Sequence[Named], last: Sequence[Snapshot]) -> None:
    """Raise for what could not be read at all: read once it raises what the watch could only tell in words."""
    for each, snapshot in zip(named, last, strict=True):
        if snapshot.state is State.REFUSED and snapshot.history.since == snapshot.history.until:
            read_once(each.target, entries=each.entries)


def ending_code(last: Sequence[Snapshot], duration_s: float | None, signalled: int, shorter: str) -> int:
    """What nobody has set an end to may be ended by anything but a failure; else it is ``shorter``.

    Raises ProbeError, TargetExited.
    """
    failed = [snapshot for snapshot in last if snapshot.state is State.REFUSED]
    ended = [(snapshot.target, snapshot.ending) for snapshot in last if snapshot.ending is not None]
    for target, ending in ended:
        tell(f"{target.words} {ending.words}")
    for target, why in [(snapshot.target, snapshot.missing[Capability.SYSTEM]) for snapshot in failed]:
        tell(f"{target.words}: {why.words}")
    if failed:
        raise ProbeError("it could not be read to the end")
    if duration_s is None:
        return 0
    if signalled:
        return 128 + signalled
    if ended:
        raise TargetExited(shorter)
    return 0


def notes_told(say: Callable[[str], object], matters: Callable[[Finding], bool]) -> Callable[[Snapshot], None]:
    """A listener that says each line of memdash's own that matters, once.

    They are in the log too, but that is read days later, when it is too late to do something about them.
    """
    told: set[str] = set()

    def listen(snapshot: Snapshot) -> None:
        for finding in snapshot.findings:
            if finding.rule == NOTES and finding.summary not in told and matters(finding):
                told.add(finding.summary)
                say(finding.summary)

    return listen
