"""``memdash serve``: what is watched, as metrics for Prometheus to fetch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import click

from memdash.commands.limits import Alerting, alert_options
from memdash.commands.options import gathered, place, settings, typed
from memdash.commands.output import STDOUT, check_output, tell, write_lines, writing
from memdash.commands.replayed import Recorded
from memdash.commands.retelling import refuse_live, retelling
from memdash.commands.secret import secret_of
from memdash.commands.service import Service
from memdash.commands.target import Choice, pids, target_options
from memdash.commands.telling import Telling
from memdash.commands.watching import by_pid, named, ticks
from memdash.errors import UsageError, told_where
from memdash.model.target import Target
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.session import Live, Session
from memdash.session.following import Following
from memdash.signals import Signalled, signals_raised

if TYPE_CHECKING:
    from memdash.network.server import Listen

__all__ = ["command"]

_STEP_S = 15.0
"""How often Prometheus asks, unless it is told otherwise."""
_VARIABLE = "MEMDASH_TOKEN"
_ABOUT = b"memdash: the metrics are at /metrics\n"


@click.command(cls=Service, short_help="Metrics of processes for Prometheus to fetch, or of a recording.")
@target_options
@click.argument("others", metavar="[PID ...]", nargs=-1, shell_complete=pids)
@click.option("--grafana", is_flag=True, help="Print a dashboard for Grafana that shows these metrics.")
@settings("listen", "token-file", "interval", "duration", "output", "force", "run")
@alert_options
@gathered(Telling, "telling")
def command(
    choice: Choice,
    others: tuple[str, ...],
    grafana: bool,
    listen: str,
    token_file: str | None,
    interval: float,
    duration: float | None,
    output: str,
    force: bool,
    run: int | None,
    alerting: Alerting,
    telling: Telling,
) -> int:
    """Answer Prometheus with the memory of a process, or of several, under the names that their own clients use.

    They are read every --interval, however often somebody asks. A process that was named by --name or --wait-for is
    found again after a restart; of one that has ended memdash_up tells, and nothing else. It goes on until ctrl+c.

    Prometheus cannot ask for what is past: a recording (FILE.mdr[@TIME]) is written as OpenMetrics with timestamps, of
    one moment in 15 s or --interval. Then promtool tsdb create-blocks-from openmetrics FILE.om DATA puts it into the
    data folder of a Prometheus, which finds it there within a minute.
    """
    if grafana:
        write_lines([(Path(__file__).parents[1] / "exports/prometheus/grafana.json").read_text("utf-8").rstrip()])
        return 0
    rules, muted = alerting.rules, alerting.muted
    telling.check(rules)
    if choice.recorded is not None:
        refuse_live(others, "listen", "token-file", "duration")
        _backfill(choice.recorded, run, alerting, interval if typed("interval") else _STEP_S, output, force)
        return 0
    for name in ("output", "force", "run"):
        if typed(name):
            raise UsageError(f"--{name} is for a recording", "what runs is told to whoever asks at --listen")
    token, at = secret_of(place("token-file"), token_file, _VARIABLE), _place(listen)
    with telling.hooks() as follow:

        def opener(target: Target, entries: Sequence[ProbeEntry] = PROBES) -> Session:
            live = Live(target, interval_s=interval, rules=rules, muted=muted, entries=entries, read_only=True)
            follow(live)
            return live

        signalled = _served(_watches(choice, others, opener), at, token, duration)
    return 0 if duration is None or not signalled else 128 + signalled


def _backfill(
    recording: Recorded, run: int | None, alerting: Alerting, step_s: float, output: str, force: bool
) -> None:
    """Write a recording for promtool. Raises UsageError."""
    from memdash.exports.prometheus.backfill import Backfill

    check_output(output, force)
    with TemporaryFile() as spool, retelling(recording, run, alerting, step_s) as moments:
        backfill = Backfill(spool)
        with writing(output, force) as out:
            for shown in moments:
                backfill.add(shown)
            backfill.write(out)
    if backfill.left_out:
        tell(f"{backfill.left_out} moments are left out: the clock had been set back to before others")
    if output != STDOUT:
        tell(f"{backfill.moments} moments are in {output}: promtool tsdb create-blocks-from openmetrics takes it")


def _served(watches: Sequence[Following], at: Listen, token: str, duration_s: float | None) -> int:
    """Answer for so long; the number of the signal that ended it before, or 0. Raises UsageError."""
    from memdash.exports.prometheus.exposition import Exposition, Shown  # 70 ms with the client library
    from memdash.network.server import Page, Server

    exposition = Exposition(lambda: [Shown(each.name, each.snapshot()) for each in watches])
    pages = {"/metrics": lambda accept: Page(*exposition.write(accept)), "/": lambda _: Page(_ABOUT)}
    server = Server(at, pages, token)
    tell(f"answering at http://{server.listen}/metrics")
    if not at.is_loopback and not token:
        tell("anybody who reaches this machine can read them: --token-file has it ask for a token")
    try:
        with signals_raised():
            for watch in watches:
                watch.start()
            server.start()
            _follow(watches, duration_s)
    except Signalled as signalled:
        return signalled.number
    finally:
        server.close()
        for watch in watches:
            watch.close()
    return 0


def _place(text: str) -> Listen:
    from memdash.network.server import Listen

    with told_where(place("listen")):
        return Listen.parse(text)


def _watches(choice: Choice, others: Sequence[str], opener: Callable[..., Session]) -> list[Following]:
    if choice.wait_for is not None:
        awaited = [Following(choice.wait_for, opener)]
        return [*awaited, *(Following(each.target.name, opener, each.target) for each in by_pid(others))]
    first, *more = named(choice, others)
    return [
        Following(first.target.name, partial(opener, entries=first.entries), first.target, goes_on=bool(choice.name)),
        *(Following(each.target.name, opener, each.target) for each in more),
    ]


def _follow(watches: Sequence[Following], duration_s: float | None) -> None:
    """Tell what ends and what comes, until a signal or the time is over."""
    told: set[int] = set()
    for _ in ticks(duration_s):
        for watch in watches:
            if watch.turn():
                told.discard(id(watch))
            elif (shown := watch.snapshot()) is not None and shown.state.is_over and id(watch) not in told:
                told.add(id(watch))
                tell(f"{watch.name} ({shown.target.place}) {shown.ending.words if shown.ending else shown.state.value}")
