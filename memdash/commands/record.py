"""``memdash record``: a watch without a screen, written into a file."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memdash.commands.limits import Alerting, alert_options
from memdash.commands.options import Verb, gathered, refuse_beside, settings
from memdash.commands.output import STDOUT, tell
from memdash.commands.recorded import Keeping, recorders
from memdash.commands.relief import Relieving, relief_options
from memdash.commands.target import Choice, pids, target_options
from memdash.commands.telling import Telling
from memdash.config import parse_pid
from memdash.errors import TargetExited
from memdash.model.snapshot import Snapshot, State
from memdash.plain import plain
from memdash.probes.registry import PROBES
from memdash.process.identity import identify
from memdash.session import Live, read_once
from memdash.signals import Signalled, signals_raised
from memdash.units import byte_size, duration, file_time

if TYPE_CHECKING:
    from memdash.recording.recorder import Recorder

__all__ = ["command"]

_SUFFIX = ".mdr"
_EVERY_S = 1.0


@click.command(cls=Verb, short_help="Write a watch into a file, to be looked at later.")
@target_options
@click.argument("others", metavar="[PID ...]", nargs=-1, shell_complete=pids)
@settings("output", "duration", "interval", "append", "force", "salvage")
@alert_options
@relief_options
@gathered(Keeping, "keeping")
@gathered(Telling, "telling")
def command(
    choice: Choice,
    others: tuple[str, ...],
    output: str,
    duration: float | None,
    interval: float,
    append: bool,
    force: bool,
    salvage: str | None,
    alerting: Alerting,
    relief: Relieving,
    keeping: Keeping,
    telling: Telling,
) -> int:
    """Record the memory of a process, or of several into one file, until they end, or ctrl+c, or for --duration.

    The file can be read while it is written. Should memdash be killed, it lacks a second. Without -o it is named after
    the process and the time. --gc-at holds for the first process alone.
    """
    if salvage is not None:
        refuse_beside("salvage", "output")
        return _salvaged(Path(salvage), output)
    rules, muted = alerting.rules, alerting.muted
    telling.check(rules)
    plans = [relief.plan(), *(None for _ in others)]
    targets = [choice.target(), *(identify(parse_pid(pid)) for pid in others)]
    ways = [choice.entries, *(PROBES for _ in others)]
    sessions = [
        Live(
            target,
            interval_s=interval,
            rules=rules,
            muted=muted,
            entries=entries,
            gc_at=plan,
            read_only=plan is None,
        )
        for target, entries, plan in zip(targets, ways, plans, strict=True)
    ]
    path = Path(output) if output != STDOUT else Path(f"{targets[0].file_name}-{file_time(time.time())}{_SUFFIX}")
    with telling.hooks() as follow, recorders(path, sessions, keeping, appends=append, replaces=force) as started:
        for session in sessions:
            follow(session)
        tell(f"recording {', '.join(f'{target.name} ({target.place})' for target in targets)} into {path}")
        line = _Line(sessions, started)
        signalled = _watched(sessions, duration, line.draw)
        line.clear()
    last = [session.snapshot() for session in sessions]
    for target, entries, snapshot in zip(targets, ways, last, strict=True):
        if snapshot.state is State.REFUSED and snapshot.history.since == snapshot.history.until:
            read_once(target, rules=rules, entries=entries)  # raises what the watch could only tell in words
    return _code(last, duration, signalled)


def _salvaged(path: Path, output: str) -> int:
    """Save what is left of a recording. Raises RecordingError."""
    from memdash.recording.salvage import salvage

    into = Path(output) if output != STDOUT else path.with_name(f"{path.stem}-salvaged{_SUFFIX}")
    found = salvage(path, into)
    lost = f", and {found.lost} are damaged" if found.lost else ""
    tell(f"{found.saved} pieces of {path} are in {into}{lost}")
    return 0


def _watched(sessions: Sequence[Live], duration_s: float | None, tick: Callable[[], None]) -> int:
    """Watch until all have ended, or for ``duration_s`` once all are read; the signal that ended it before, or 0."""
    begun, over = threading.Event(), threading.Event()

    def listen(_: Snapshot) -> None:
        states = [session.snapshot().state for session in sessions]
        if State.ATTACHING not in states:
            begun.set()
        if all(state in (State.ENDED, State.REFUSED) for state in states):
            over.set()

    for session in sessions:
        session.subscribe(listen)
    try:
        with signals_raised():
            for session in sessions:
                session.start()
            begun.wait()
            until_s = None if duration_s is None else time.monotonic() + duration_s
            while not over.is_set() and (until_s is None or time.monotonic() < until_s):
                over.wait(_EVERY_S if until_s is None else max(min(_EVERY_S, until_s - time.monotonic()), 0.0))
                tick()
    except Signalled as signalled:
        return signalled.number
    finally:
        for session in sessions:
            session.close()
    return 0


def _code(last: Sequence[Snapshot], duration_s: float | None, signalled: int) -> int:
    """A recording that nobody has set an end to may be ended by anything. Raises TargetExited."""
    ended = [snapshot for snapshot in last if snapshot.ending is not None]
    for snapshot in ended:
        tell(f"{snapshot.target.name} ({snapshot.target.place}) {snapshot.ending.words}")  # type: ignore[union-attr]
    if duration_s is None:
        return 0
    if signalled:
        return 128 + signalled
    if ended:
        raise TargetExited("the recording is shorter than it was to be")
    return 0


class _Line:
    """One line on stderr that is kept up to date, where that is a terminal."""

    def __init__(self, sessions: Sequence[Live], recorders: Sequence[Recorder]) -> None:
        self._sessions = sessions
        self._recorders = recorders
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()

    def clear(self) -> None:
        """Leave nothing of it."""
        if self._is_shown:
            click.echo("\r\x1b[K", err=True, nl=False)

    def draw(self) -> None:
        """Draw it anew."""
        since = next((recorder.state.since for recorder in self._recorders if recorder.state.since), None)
        if not self._is_shown or since is None:
            return
        shown = [session.snapshot() for session in self._sessions]
        progress = self._recorders[0].state
        alerts = sum(len(snapshot.alerts) for snapshot in shown)
        parts = [
            duration(max(snapshot.at.mono_s for snapshot in shown) - since.mono_s),
            byte_size(progress.used_bytes),
            f"{alerts} alert{'s' * (alerts != 1)}",
            *([progress.trouble] if progress.trouble else []),
        ]
        click.echo(f"\r\x1b[K{plain(' · '.join(parts))}", err=True, nl=False)
