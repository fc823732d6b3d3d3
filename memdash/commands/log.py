"""``memdash log``: one line a sample, for programs or for a person."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import click

from memdash.analysis.rules import Threshold
from memdash.commands.growing import GrowingFile, Stream, require_free
from memdash.commands.limits import Alerting, alert_options
from memdash.commands.logbook import Logbook, encoded
from memdash.commands.logger import Logger
from memdash.commands.options import gathered, settings, typed
from memdash.commands.output import STDOUT, is_terminal, tell
from memdash.commands.replayed import Recorded
from memdash.commands.retelling import refuse_live, retelling
from memdash.commands.service import Service
from memdash.commands.target import Choice, pids, target_options
from memdash.commands.telling import Telling
from memdash.commands.watching import ending_code, named, require_read, watched
from memdash.errors import UsageError
from memdash.exports.lines import CsvLines, JsonLines, Lines, WordLines
from memdash.model.capability import Capability
from memdash.probes.narrowed import narrowed
from memdash.session import Live
from memdash.signals import ENDING

__all__ = ["command"]

_PACES_S = {
    Capability.MEMSTATS: 0.0,
    Capability.GC: 0.0,
    Capability.SYSTEM: 0.0,
    Capability.SMAPS: 10.0,
    Capability.MALLOC: 10.0,
    Capability.TASKS: 10.0,
}
"""A log runs for months beside its target: sites, objects and mappings, the dear ones, have no line to stand in."""


@click.command(cls=Service, short_help="One line a sample: JSON, CSV, or words for a terminal.")
@target_options
@click.argument("others", metavar="[PID ...]", nargs=-1, shell_complete=pids)
@settings("interval", "duration", "output", "csv", "json", "append", "force", "rotate", "keep", "run")
@alert_options
@gathered(Telling, "telling")
def command(
    choice: Choice,
    others: tuple[str, ...],
    interval: float,
    duration: float | None,
    output: str,
    csv: bool,
    json: bool,
    append: bool,
    force: bool,
    rotate: int | None,
    keep: int,
    run: int | None,
    alerting: Alerting,
    telling: Telling,
) -> int:
    """Write a line for each sample of a process, or of several, and one for each alert, until they end or ctrl+c.

    The lines are JSON, but words where a terminal shows them. In a file, --rotate begins a new one from time to time;
    after SIGHUP it is opened anew, for logrotate.

    Of a recording (FILE.mdr[@TIME]) it writes the same lines, up to that moment and without waiting: of every moment,
    or with -i one in so long. Its alerts are those of then; with limits of their own, all is judged by them anew.
    """
    if csv and json:
        raise UsageError("--csv and --json exclude each other", "leave one of them away")
    if rotate is not None and output == STDOUT and typed("rotate"):
        raise UsageError("--rotate is for a file", "name one with -o")
    rules, muted = alerting.rules, alerting.muted
    telling.check(rules)
    is_read_by_a_person = output == STDOUT and is_terminal(sys.stdout)
    lines: Lines = CsvLines() if csv else JsonLines() if json or not is_read_by_a_person else WordLines()
    if choice.recorded is not None:
        refuse_live(others, "duration")
        with _opened(output, lines, append, force, rotate, keep) as file:
            _retell(choice.recorded, run, alerting, interval if typed("interval") else 0.0, lines, file)
        return 0
    if output != STDOUT:  # before the process is waited for, too
        require_free(Path(output), rotate, keep, can_be_there=append or force)
    asked = {rule.when.of.capability for rule in rules if isinstance(rule, Threshold)}
    paces_s = _PACES_S | dict.fromkeys(asked, 0.0)
    watching = named(choice, others)
    sessions = [
        Live(
            each.target,
            interval_s=interval,
            rules=rules,
            muted=muted,
            read_only=True,
            entries=narrowed(each.entries, paces_s) if each.target.is_local else each.entries,
        )
        for each in watching
    ]
    with _opened(output, lines, append, force, rotate, keep) as file:
        signalled = _watch(sessions, duration, telling, lines, file)
    last = [session.snapshot() for session in sessions]
    require_read(watching, last)
    return ending_code(last, duration, signalled, "the log is shorter than it was to be")


def _watch(
    sessions: Sequence[Live], duration_s: float | None, telling: Telling, lines: Lines, file: GrowingFile | None
) -> int:
    """Log what is watched until all have ended; the signal that ended it before, or 0.

    Raises UsageError when its end could not be written.
    """
    logger = Logger(sessions, lines, file or Stream(_stdout()), tell, heads=file is None)
    logger.start()
    signalled = 0
    try:
        with telling.hooks() as follow, _hangup(file):
            for session in sessions:
                follow(session)
            ending = ENDING if file is None else tuple(number for number in ENDING if number != signal.SIGHUP)
            signalled = watched(sessions, duration_s, partial(_require_reader, logger.is_gone), ending)
    finally:
        logger.close(time.time(), _why(signalled, sessions))
    if logger.is_failing:
        raise _not_whole()
    return signalled


def _retell(
    recording: Recorded, run: int | None, alerting: Alerting, step_s: float, lines: Lines, file: GrowingFile | None
) -> None:
    """Log what was recorded. Raises UsageError when that cannot be written: there is no later at which it could."""
    book = Logbook(lines, file or Stream(_stdout()), tell)
    if file is None:
        book.head()
    shown = None
    with retelling(recording, run, alerting, step_s) as moments, _hangup(file):
        for shown in moments:
            for entry in book.entries(0, shown):
                book.write(entry)
            _require_written(book)
    if shown is not None:
        book.end(shown.at.wall_s, shown.ending.words if shown.ending else "what was recorded ends here")
        _require_written(book)


def _require_written(book: Logbook) -> None:
    _require_reader(book.is_gone)
    if book.failed:
        raise _not_whole()


def _not_whole() -> UsageError:
    return UsageError("the log is not whole", "make room, or choose another place with -o")


def _opened(
    output: str, lines: Lines, appends: bool, replaces: bool, most_bytes: int | None, kept: int
) -> AbstractContextManager[GrowingFile | None]:
    """The file that is named, as long as this lasts; None for standard output. Raises UsageError."""
    if output == STDOUT:
        return nullcontext()
    head = encoded(lines.head())
    return closing(
        GrowingFile(Path(output), appends=appends, replaces=replaces, most_bytes=most_bytes, kept=kept, head=head)
    )


def _stdout() -> int:
    if sys.stdout is None:
        raise UsageError("standard output is closed", "name a file with -o")
    return sys.stdout.fileno()


@contextmanager
def _hangup(file: GrowingFile | None) -> Iterator[None]:
    """Within it SIGHUP means that the file has been moved away."""
    if file is None:
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda *_: file.reopen())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _require_reader(is_gone: threading.Event) -> None:
    """Raise BrokenPipeError when nobody reads any more."""
    if is_gone.is_set():
        raise BrokenPipeError


def _why(signalled: int, sessions: Sequence[Live]) -> str:
    if signalled:
        return signal.Signals(signalled).name
    last = [session.snapshot() for session in sessions]
    if all(snapshot.state.is_over for snapshot in last):
        ending = last[0].ending
        return ending.words if len(last) == 1 and ending is not None else "all have ended"
    return "the time is over"
