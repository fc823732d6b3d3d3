"""``memdash push``: profiles and metrics of what is watched, sent to servers that keep them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial

import click

from memdash.commands.denials import denials_told
from memdash.commands.options import gathered, settings
from memdash.commands.output import tell
from memdash.commands.sampling import Sampled
from memdash.commands.secret import secret_of
from memdash.commands.service import Service
from memdash.commands.sinks import About, Sink, headers_for, otlp_sink, pyroscope_sink
from memdash.commands.target import Choice, pids, process_options
from memdash.commands.watching import Named, named, ticks
from memdash.errors import (
    MemdashError,
    ProbeError,
    TargetError,
    TargetExited,
    UnsupportedRuntime,
    UsageError,
    told_where,
)
from memdash.model.capability import Capability
from memdash.model.snapshot import Snapshot
from memdash.model.target import Target
from memdash.network.address import Address
from memdash.probes.registry import sampling_with
from memdash.session import read_once
from memdash.signals import Signalled, signals_raised
from memdash.units import parse_duration

__all__ = ["command"]

_VARIABLE = "MEMDASH_PUSH_AUTH"
_LEAST_EVERY_S, _MOST_EVERY_S = 5.0, 86400.0
_SOON_S = 5.0
"""What is under way at the end may take so long."""


def _every(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    seconds = parse_duration(text)
    if not _LEAST_EVERY_S <= seconds <= _MOST_EVERY_S:
        raise UsageError(f"--every: {text!r} does not lie between 5s and 24h", "write it like 1m")
    return seconds


def _server(_ctx: click.Context, param: click.Parameter, text: str | None) -> Address | None:
    if text is None:
        return None
    with told_where(param.opts[0]):
        address = Address.parse(text)
    return replace(address, path=f"{address.path.rstrip('/')}/")


def _labels(_ctx: click.Context, _param: click.Parameter, texts: Sequence[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for text in texts:
        key, is_given, value = text.partition("=")
        if not (key and is_given and value):
            raise UsageError(f"--label: {text!r} is no label", "write it like env=staging")
        labels[key] = value
    return labels


@click.command(cls=Service, short_help="Profiles to a Pyroscope server, metrics to OpenTelemetry.")
@process_options
@click.argument("others", metavar="[PID ...]", nargs=-1, shell_complete=pids)
@click.option("--pyroscope", metavar="URL", callback=_server, help="Send profiles to this server.")
@click.option("--otlp", metavar="URL", callback=_server, help="Send metrics to this collector, over HTTP.")
@click.option("-i", "--every", metavar="TIME", default="1m", show_default=True, callback=_every, help="How often.")
@click.option("--app", metavar="NAME", help="What it is called there, instead of the name of the process.")
@click.option("--label", "labels", metavar="KEY=VALUE", multiple=True, callback=_labels, help="Say this of it too.")
@click.option("--tenant", metavar="ID", help="Whose it is, where one server is for several (X-Scope-OrgID).")
@click.option(
    "--auth-file",
    type=click.Path(),
    metavar="FILE",
    help=f"Send the USER:PASSWORD or the token that is in this file; or it is in {_VARIABLE}.",
)
@settings("duration", "agent")
@gathered(Sampled, "sampled")
def command(
    choice: Choice,
    others: tuple[str, ...],
    pyroscope: Address | None,
    otlp: Address | None,
    every: float,
    app: str | None,
    labels: Mapping[str, str],
    tenant: str | None,
    auth_file: str | None,
    duration: float | None,
    agent: bool,
    sampled: Sampled,
) -> int:
    """Send what a process, or each of several, holds to servers, until they end, or ctrl+c, or for --duration.

    The profile is that of memdash profile: allocation sites, or live objects by type; what was ever allocated is not
    sent, only what is held. The metrics are those of memdash serve. While a server is away the newest eight wait.
    It exits with 5 when a server took nothing of it all.

    With --agent memdash's agent samples what Pythons allocate, for as long as this lasts: the profile is then that of
    the sites, of what has been allocated since and is still held. Of several, what is no Python is sent as without it.
    """
    sampled.check_of_profile(agent=agent)
    secret, about = secret_of("--auth-file", auth_file, _VARIABLE), About(app, labels)
    kinds: list[tuple[Address | None, Callable[[Address, Mapping[str, str], About], Sink]]]
    kinds = [(pyroscope, pyroscope_sink), (otlp, otlp_sink)]
    sinks = [make(to, headers_for(to, secret, tenant), about) for to, make in kinds if to is not None]
    if not sinks:
        raise UsageError("nobody is named to push to", "--pyroscope URL takes profiles, --otlp URL metrics")
    watching = named(choice, others)
    signalled, has_lost = 0, False
    try:
        try:
            with signals_raised(), ExitStack() as watches:
                for sink in sinks:
                    sink.delivery.start()
                pusher = _Pusher(_sampled(watching, sampled, watches) if agent else _once(watching), sinks)
                pusher.push(every)
                _watched(pusher, every, duration)
                has_lost = pusher.has_lost
        except Signalled as by:
            signalled = by.number
        for sink in sinks:
            sink.delivery.finish(_SOON_S)
    finally:
        for sink in sinks:
            sink.delivery.close()
    for sink in sinks:
        sink.tell_tally()
    for sink in sinks:
        sink.require_accepted()
    if duration is None:
        return 0
    if signalled:
        return 128 + signalled
    if has_lost:
        raise TargetExited("less was pushed than was to be")
    return 0


@dataclass(frozen=True, slots=True)
class _Looked:
    """A process, and how it is looked at: what that raises is told. One that ``is_sampled`` holds nothing from before.

    That is from before its sites were first read, soon after its sampling began.
    """

    target: Target
    look: Callable[[], Snapshot]
    is_sampled: bool = False

    def begun_s(self, shown: Snapshot) -> float:
        """Since when it may have come to hold what is shown of it, in Unix time."""
        return shown.since.get(Capability.SITES, shown.at).wall_s if self.is_sampled else 0.0


def _once(watching: Sequence[Named]) -> list[_Looked]:
    """Each time anew: nothing is done to a process, or kept of it, between two looks."""
    return list(map(_looked, watching))


def _looked(each: Named) -> _Looked:
    return _Looked(each.target, partial(read_once, each.target, entries=each.entries))


def _sampled(watching: Sequence[Named], sampled: Sampled, watches: ExitStack) -> list[_Looked]:
    """As long as ``watches`` is open each is sampled; of several, what never can be is looked at like any other.

    Raises what a ``SampledWatch`` raises, where none is sampled.
    """
    from memdash.session.sampled import SampledWatch  # it knows the agent, which most never need

    sampling, looks, errors = sampled.of_profile(), list[_Looked](), list[MemdashError]()
    for each in watching:
        watch = watches.enter_context(closing(SampledWatch(each.target, sampling_with(each.entries, sampling))))
        looks.append(_Looked(each.target, watch.look, is_sampled=True))
        try:
            with denials_told(each.target):
                watch.begin()
        except UnsupportedRuntime as error:
            watch.close()
            looks[-1] = _looked(each)
            errors.append(error)
            if len(watching) > 1:
                tell(f"{error.what}; it is pushed as without --agent")
        except (TargetError, ProbeError) as error:
            errors.append(error)  # it is told with the first look, and one that samples later is not too late
    if len(errors) == len(watching):
        raise errors[0]
    return looks


class _Pusher:
    """Looks at each process in turn and gives it to each sink; those that have ended are left out."""

    def __init__(self, watching: Sequence[_Looked], sinks: Sequence[Sink]) -> None:
        self._watching = list(watching)
        self._sinks = sinks
        self._pushed_s: dict[int, float] = {}
        self._told: dict[int, str] = {}
        self._has_lost = False

    @property
    def has_lost(self) -> bool:
        """Whether one has ended, or was never to be had."""
        return self._has_lost or any(each.target.pid not in self._pushed_s for each in self._watching)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return not self._watching or any(sink.delivery.failure is not None for sink in self._sinks)

    def push(self, every_s: float) -> None:
        """One moment of each. Raises MemdashError when nothing was ever read of any."""
        failed: list[tuple[_Looked, MemdashError]] = []
        for each in list(self._watching):
            try:
                self._push(each, every_s)
            except (TargetError, ProbeError) as error:
                failed.append((each, error))
        if failed and not self._pushed_s:
            raise failed[0][1]
        for each, why in failed:
            self._lost(each, why)

    def _push(self, each: _Looked, every_s: float) -> None:
        snapshot = each.look()
        pid, now_s = each.target.pid, snapshot.at.wall_s
        since_s = min(max(self._pushed_s.get(pid, each.begun_s(snapshot)), now_s - every_s), now_s)
        for sink in self._sinks:
            sink.take(snapshot, since_s)
        self._pushed_s[pid] = now_s
        self._told.pop(pid, None)

    def _lost(self, each: _Looked, error: MemdashError) -> None:
        target = each.target
        if isinstance(error, TargetError):
            self._watching.remove(each)
            self._has_lost = True
        if self._told.get(target.pid) != error.what:
            self._told[target.pid] = error.what
            tell(f"{target.words}: {error.what}")


def _watched(pusher: _Pusher, every_s: float, duration_s: float | None) -> None:
    """Push now and then, until all have ended or the time is over."""
    next_s = time.monotonic() + every_s
    for _ in ticks(duration_s):
        if pusher.is_over:
            return
        if time.monotonic() >= next_s:
            next_s = max(next_s + every_s, time.monotonic())
            pusher.push(every_s)
