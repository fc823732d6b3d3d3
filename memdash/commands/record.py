"""``memdash record``: a watch without a screen, written into a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memdash.commands.agency import Agency
from memdash.commands.limits import Alerting, alert_options
from memdash.commands.options import gathered, refuse_beside, settings
from memdash.commands.output import STDOUT, require_folder, tell, tell_instead, update
from memdash.commands.recorded import Keeping, recorders
from memdash.commands.relief import Relieving, relief_options, warns_of_relief
from memdash.commands.service import Service
from memdash.commands.target import Choice, pids, process_options
from memdash.commands.telling import Telling
from memdash.commands.watching import ending_code, named, notes_told, require_read, watched
from memdash.errors import RecordingError
from memdash.session import Live
from memdash.units import byte_size, duration, file_time

if TYPE_CHECKING:
    from memdash.recording.recorder import Recorder

__all__ = ["command"]

_SUFFIX = ".mdr"


@click.command(cls=Service, short_help="Write a watch into a file, to be looked at later.")
@process_options
@click.argument("others", metavar="[PID ...]", nargs=-1, shell_complete=pids)
@settings("output", "duration", "interval", "append", "force", "salvage")
@gathered(Agency, "agency")
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
    agency: Agency,
    alerting: Alerting,
    relief: Relieving,
    keeping: Keeping,
    telling: Telling,
) -> int:
    """Record the memory of a process, or of several into one file, until they end, or ctrl+c, or for --duration.

    The file can be read while it is written. Should memdash be killed, it lacks half a second. Without -o it is named
    after the process and the time. --gc-at holds for the first process alone.

    With --agent memdash's agent goes into each that is a Python, for as long as this lasts, and with --sample SIZE too
    it samples what they allocate.
    """
    if salvage is not None:
        refuse_beside("salvage", "output")
        return _salvaged(Path(salvage), output)
    rules, muted = alerting.rules, alerting.muted
    telling.check(rules)
    if output != STDOUT:
        _require_free(Path(output), can_be_there=append or force)
    plan = relief.plan()
    agency.check(read_only=relief.read_only)
    watching = named(choice, others)
    plans = [plan, *(None for _ in watching[1:])]
    sessions = [
        Live(
            each.target,
            interval_s=interval,
            rules=rules,
            muted=muted,
            entries=agency.entries(each.entries),
            asked=agency.asked,
            gc_at=plan,
            read_only=plan is None and not agency.agent,
        )
        for each, plan in zip(watching, plans, strict=True)
    ]
    targets = [each.target for each in watching]
    path = Path(output) if output != STDOUT else Path(f"{targets[0].file_name}-{file_time(time.time())}{_SUFFIX}")
    recording = recorders(path, sessions, keeping, appends=append, replaces=force, hear=tell_instead)
    with telling.hooks() as follow, recording as started:
        for session in sessions:
            follow(session)
            agency.follow(session)
        tell(f"recording {', '.join(target.words for target in targets)} into {path}")
        if plan is not None:
            sessions[0].subscribe(notes_told(tell_instead, warns_of_relief))
        signalled = watched(sessions, duration, partial(_draw, sessions, started))
        update()
    last = [session.snapshot() for session in sessions]
    require_read(watching, last)
    code = ending_code(last, duration, signalled, "the recording is shorter than it was to be")
    return code or RecordingError.exit_code * any(recorder.state.trouble for recorder in started)


def _require_free(path: Path, *, can_be_there: bool) -> None:
    """Refuse early, before a night of waiting for a process, what could not be written then.

    Raises RecordingError, UsageError.
    """
    from memdash.recording.place import require_free

    require_free(path, can_be_there=can_be_there)
    require_folder(path)


def _salvaged(path: Path, output: str) -> int:
    """Save what is left of a recording. Raises RecordingError."""
    from memdash.recording.salvage import salvage

    into = Path(output) if output != STDOUT else path.with_name(f"{path.stem}-salvaged{_SUFFIX}")
    found = salvage(path, into)
    lost = f"; {found.words}" if found.lost or found.is_torn else ""
    tell(f"{found.saved} pieces of {path} are in {into}{lost}")
    return 0


def _draw(sessions: Sequence[Live], recorders: Sequence[Recorder]) -> None:
    """How it stands, in one line that is kept up to date."""
    since = next((recorder.state.since for recorder in recorders if recorder.state.since), None)
    if since is None:
        return
    shown = [session.snapshot() for session in sessions]
    progress = recorders[0].state
    alerts = sum(len(snapshot.alerts) for snapshot in shown)
    parts = [
        duration(max(snapshot.at.mono_s for snapshot in shown) - since.mono_s),
        byte_size(progress.used_bytes),
        f"{alerts} alert{'s' * (alerts != 1)}",
        *([progress.trouble] if progress.trouble else []),
    ]
    update(" · ".join(parts))
