"""``memdash push``: profiles of what is watched, sent to a server that keeps them."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from memdash.commands.options import settings
from memdash.commands.output import tell
from memdash.commands.secret import secret_of
from memdash.commands.service import Service
from memdash.commands.target import Choice, pids, target_options
from memdash.commands.watching import Named, named
from memdash.errors import BadAnswer, MemdashError, ProbeError, TargetError, TargetExited, UsageError
from memdash.network.address import Address
from memdash.signals import Signalled, signals_raised
from memdash.units import count, parse_duration

if TYPE_CHECKING:
    from memdash.exports.pyroscope import Upload
    from memdash.network.client import Client
    from memdash.network.delivery import Delivery

__all__ = ["command"]

_VARIABLE = "MEMDASH_PUSH_AUTH"
_LEAST_EVERY_S, _MOST_EVERY_S = 5.0, 86400.0
_LOOKS_EVERY_S = 0.5
_SOON_S = 5.0
"""What is under way at the end may take so long."""
_HINTS: Mapping[int, str] = {
    401: "--auth-file FILE sends the password or token that is in it",
    403: "look whether what --auth-file holds may write there",
    404: "--pyroscope wants the URL that the server itself answers at, without /ingest",
}
_TOO_LATE = "the profiles were to be pushed for longer"


def _every(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    seconds = parse_duration(text)
    if not _LEAST_EVERY_S <= seconds <= _MOST_EVERY_S:
        raise UsageError(f"--every: {text!r} does not lie between 5s and 24h", "write it like 1m")
    return seconds


def _server(_ctx: click.Context, _param: click.Parameter, text: str) -> Address:
    try:
        address = Address.parse(text)
    except UsageError as error:
        raise UsageError(f"--pyroscope: {error.what}", error.hint) from None
    return replace(address, path=f"{address.path.rstrip('/')}/")


def _labels(_ctx: click.Context, _param: click.Parameter, texts: Sequence[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for text in texts:
        key, is_given, value = text.partition("=")
        if not (key and is_given and value):
            raise UsageError(f"--label: {text!r} is no label", "write it like env=staging")
        labels[key] = value
    return labels


@click.command(cls=Service, short_help="Profiles of processes to a Pyroscope server.")
@target_options
@click.argument("others", metavar="[PID ...]", nargs=-1, shell_complete=pids)
@click.option("--pyroscope", "server", metavar="URL", required=True, callback=_server, help="Where the server is.")
@click.option("-i", "--every", metavar="TIME", default="1m", show_default=True, callback=_every, help="How often.")
@click.option("--app", metavar="NAME", help="What it is called there, instead of the name of the process.")
@click.option("--label", "labels", metavar="KEY=VALUE", multiple=True, callback=_labels, help="Say this of it too.")
@click.option("--tenant", metavar="ID", help="Whose it is, where one server is for several (X-Scope-OrgID).")
@click.option(
    "--auth-file",
    metavar="FILE",
    help=f"Send the USER:PASSWORD or the token that is in this file; or it is in {_VARIABLE}.",
)
@settings("duration")
def command(
    choice: Choice,
    others: tuple[str, ...],
    server: Address,
    every: float,
    app: str | None,
    labels: Mapping[str, str],
    tenant: str | None,
    auth_file: str | None,
    duration: float | None,
) -> int:
    """Send what a process, or each of several, holds to Pyroscope, until they end, or ctrl+c, or for --duration.

    The profile is that of memdash profile: allocation sites, or live objects by type. While the server is away the
    newest eight wait. What was ever allocated is not sent, only what is held.
    """
    headers = _headers(server, secret_of("--auth-file", auth_file, _VARIABLE), tenant)

    from memdash.network.client import Client  # http.client takes 10 ms
    from memdash.network.delivery import Delivery

    client = Client(server)
    delivery: Delivery[Upload] = Delivery(lambda upload: _post(client, upload, headers), tell, client.cancel)
    pusher = _Pusher(named(choice, others), delivery, app, {"host": os.uname().nodename} | dict(labels))
    until_s = None if duration is None else time.monotonic() + duration
    signalled = 0
    try:
        with signals_raised():
            pusher.push(every)
            delivery.start()
            _watched(pusher, every, until_s)
            delivery.finish(_SOON_S)
    except Signalled as by:
        signalled = by.number
    finally:
        delivery.close()
    _tell_tally(delivery)
    if (failure := delivery.failure) is not None:
        raise BadAnswer(failure.what, _HINTS.get(failure.status, ""))
    if duration is None:
        return 0
    if signalled:
        return 128 + signalled
    if pusher.has_lost:
        raise TargetExited(_TOO_LATE)
    return 0


def _headers(server: Address, secret: str, tenant: str | None) -> dict[str, str]:
    """Raises UsageError for what cannot stand in a header."""
    for option, text in (("--auth-file", secret), ("--tenant", tenant or "")):
        if not (text.isascii() and text.isprintable()):
            raise UsageError(f"{option}: there are characters in it that cannot be sent", "it is one line of ASCII")
    headers = {"X-Scope-OrgID": tenant} if tenant else {}
    if secret:
        if not server.is_secure:
            tell("the password goes over http, where others on the way can read it")
        basic = base64.b64encode(secret.encode()).decode()
        headers["Authorization"] = f"Basic {basic}" if ":" in secret else f"Bearer {secret}"
    return headers


def _post(client: Client, upload: Upload, headers: Mapping[str, str]) -> None:
    from memdash.exports.pyroscope import CONTENT_TYPE, PATH

    try:
        client.post(upload.body, CONTENT_TYPE, PATH, upload.query, headers)
    except BadAnswer as error:  # the question makes a long URL, of which nobody would find the end
        what = error.what.replace(f"?{upload.query}", "")
        raise BadAnswer(what, status=error.status, retry_after_s=error.retry_after_s) from None


class _Pusher:
    """Reads each process in turn and has what it holds delivered; those that have ended are left out."""

    def __init__(
        self, watching: Sequence[Named], delivery: Delivery[Any], app: str | None, labels: Mapping[str, str]
    ) -> None:
        self._watching = list(watching)
        self._delivery = delivery
        self._app = app
        self._labels = labels
        self._pushed_s: dict[int, float] = {}
        self._told: dict[int, str] = {}
        self.has_lost = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return not self._watching or self._delivery.failure is not None

    def push(self, every_s: float) -> None:
        """One profile of each. Raises MemdashError for a process of which none was ever read."""
        for each in list(self._watching):
            try:
                self._push(each, every_s)
            except (TargetError, ProbeError) as error:
                if each.target.pid not in self._pushed_s:
                    raise
                self._lost(each, error)

    def _push(self, each: Named, every_s: float) -> None:
        from memdash.exports.pyroscope import series_name, upload_of
        from memdash.session.profiles import take_profile

        taken = take_profile(each.target, each.entries)
        target, until_s = each.target, time.time()
        if target.pid not in self._pushed_s:
            for note in taken.notes:
                tell(f"{target.name} ({target.place}): {note}")
        since_s = max(self._pushed_s.get(target.pid, 0.0), until_s - every_s)
        labels = dict(self._labels) | ({"pid": str(target.pid)} if target.is_local else {})
        name = series_name(self._app or target.name, labels)
        self._delivery.offer(upload_of(taken.document, name, min(since_s, until_s), until_s))
        self._pushed_s[target.pid] = until_s
        self._told.pop(target.pid, None)

    def _lost(self, each: Named, error: MemdashError) -> None:
        target = each.target
        if isinstance(error, TargetError):
            self._watching.remove(each)
            self.has_lost = True
        if self._told.get(target.pid) != error.what:
            self._told[target.pid] = error.what
            tell(f"{target.name} ({target.place}): {error.what}")


def _watched(pusher: _Pusher, every_s: float, until_s: float | None) -> None:
    """Push now and then, until all have ended or the time is over."""
    pause = threading.Event()
    next_s = time.monotonic() + every_s
    while not pusher.is_over and (until_s is None or time.monotonic() < until_s):
        pause.wait(min(_LOOKS_EVERY_S, max(min(next_s, until_s or next_s) - time.monotonic(), 0.0)))
        if time.monotonic() >= next_s:
            next_s = max(next_s + every_s, time.monotonic())
            pusher.push(every_s)


def _tell_tally(delivery: Delivery[Any]) -> None:
    tally = delivery.tally
    lost = [(tally.refused, "refused"), (tally.dropped, "dropped")]
    parts = [f"{count(number)} {word}" for number, word in lost if number]
    tell(", ".join((f"{count(tally.sent)} profile{'s' * (tally.sent != 1)} sent", *parts)))
