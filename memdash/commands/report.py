"""``memdash report``: everything that can be read of a process, as text, JSON, Markdown or a page."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import click

from memdash.commands.agency import Agency
from memdash.commands.limits import Alerting, alert_options
from memdash.commands.options import Verb, gathered, settings, typed
from memdash.commands.output import check_output, writing
from memdash.commands.relief import Relieving, relief_options
from memdash.commands.replayed import Recorded
from memdash.commands.retelling import retelling
from memdash.commands.target import Choice, target_options
from memdash.commands.telling import Telling
from memdash.commands.watching import watched
from memdash.errors import TargetExited, UsageError
from memdash.exports.formats import exporter
from memdash.model.snapshot import Snapshot, State
from memdash.session import Live, read_once

__all__ = ["command"]


@click.command(cls=Verb, short_help="One full report of a process, as text, JSON, Markdown or HTML.")
@target_options
@settings("json", "markdown", "html", "redact", "output", "force", "duration", "interval", "run")
@gathered(Agency, "agency")
@alert_options
@relief_options
@gathered(Telling, "telling")
def command(
    choice: Choice,
    json: bool,
    markdown: bool,
    html: bool,
    redact: bool,
    output: str,
    force: bool,
    duration: float | None,
    interval: float,
    run: int | None,
    agency: Agency,
    alerting: Alerting,
    relief: Relieving,
    telling: Telling,
) -> int:
    """Report everything that can be read of one process, once.

    With --duration it watches that long first, so that rates, growth and alerts have something to go by; with --agent
    memdash's agent is in a Python meanwhile, and with --sample SIZE too it samples what that allocates. What the agent
    takes itself counts for nothing: the time begins once it has come.

    Of a recording (FILE.mdr[@TIME]) it reports one moment, by default the newest; with limits of their own, all up to
    that moment is judged by them anew.
    """
    check_output(output, force)
    name = _format(json=json, markdown=markdown, html=html)
    rules, muted, plan = alerting.rules, alerting.muted, relief.plan()
    telling.check(rules)
    agency.check(read_only=relief.read_only)
    if choice.recorded is not None:
        if duration is not None:
            raise UsageError("--duration is for a process that runs", "a recording has its own: FILE.mdr@TIME")
        if agency.agent and typed("agent"):
            raise UsageError("--agent is for a process that runs", "leave it away")
        with _recorded(choice.recorded, run, alerting) as snapshot:
            _write(snapshot, name, redact=redact, output=output, force=force)
        return 0
    if duration is None and typed("gc-at"):
        raise UsageError("--gc-at needs a watch to force collections in", "say for how long: --duration 10m")
    if duration is None and agency.agent and typed("agent"):
        raise UsageError("--agent needs a watch in which the agent can come", "say for how long: --duration 30s")
    target, entries = choice.target(), choice.entries
    if duration is None:
        snapshot = read_once(target, rules=rules, muted=muted, entries=entries)
    else:
        from memdash.session.settling import Settling

        memory = Settling(interval, rules, muted)
        watch = Live(
            target,
            interval_s=interval,
            memory=memory,
            asked=agency.asked,
            gc_at=plan,
            read_only=relief.read_only,
            entries=agency.entries(entries),
        )
        with telling.hooks() as follow:
            follow(watch)
            agency.follow(watch)
            signalled = watched([watch], duration, settle=partial(agency.settle, watch, memory))
        if signalled:
            return 128 + signalled
        snapshot = watch.snapshot()
    if snapshot.state is State.REFUSED:  # read once it raises what the watch could only tell in words
        snapshot = read_once(target, rules=rules, muted=muted, entries=entries)
    _write(snapshot, name, redact=redact, output=output, force=force)
    if snapshot.ending is not None:
        raise TargetExited(f"{target.words} {snapshot.ending.words} before the report was due")
    return 0


def _write(snapshot: Snapshot, name: str, *, redact: bool, output: str, force: bool) -> None:
    if redact:
        from memdash.commands.redaction import without_names  # hashlib loads OpenSSL

        snapshot = without_names(snapshot)
    with writing(output, force) as out:
        exporter(name).write([snapshot], out)


@contextmanager
def _recorded(file: Recorded, number: int | None, alerting: Alerting) -> Iterator[Snapshot]:
    """A moment as it was seen, or as a watch with limits of their own would have seen it."""
    if alerting.is_asked:
        with retelling(file, number, alerting) as moments:
            yield deque(moments, maxlen=1).pop()
    else:
        with file.moment(number) as snapshot:
            yield snapshot


def _format(**asked: bool) -> str:
    """The one that is asked for; text where none is. Raises UsageError for two at once."""
    names = [name for name, is_asked in asked.items() if is_asked]
    if len(names) > 1:
        flags = " and ".join(f"--{name}" for name in names)
        raise UsageError(f"{flags} exclude each other", "ask for one format, and once more for the other")
    return names[0] if names else "text"
