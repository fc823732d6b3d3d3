"""Where what is pushed goes: a server, and what of a moment it is sent."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from memdash.commands.output import tell
from memdash.errors import BadAnswer, EndpointUnreachable, UsageError
from memdash.model.snapshot import Snapshot
from memdash.network.address import Address
from memdash.units import count

if TYPE_CHECKING:
    from memdash.network.delivery import Delivery

__all__ = ["About", "Sink", "headers_for", "otlp_sink", "pyroscope_sink"]

_HINTS: Mapping[int, str] = {
    401: "--auth-file FILE sends the password or token that is in it",
    403: "look whether what --auth-file holds may write there",
    404: "give the URL that the server itself answers at, without what follows for profiles or metrics",
}


class _Message(NamedTuple):
    query: str
    body: bytes


@dataclass(frozen=True, slots=True)
class About:
    """What is said of all that is pushed: ``app`` in place of a process' own name, and labels."""

    app: str | None
    labels: Mapping[str, str]


class Sink:
    """A server of one kind. ``take`` makes a message of a moment since another (Unix time) and has it delivered."""

    def __init__(self, what: str, delivery: Delivery[_Message], make: Callable[[Snapshot, float], _Message]) -> None:
        self._what = what
        self._make = make
        self.delivery = delivery

    def take(self, snapshot: Snapshot, since_s: float) -> None:
        """Raises ProbeError when there is nothing of what it wants."""
        self.delivery.offer(self._make(snapshot, since_s))

    def tell_tally(self) -> None:
        """Say what came of it all."""
        tally = self.delivery.tally
        lost = [(tally.refused, "refused"), (tally.dropped, "dropped"), (self.delivery.waiting, "not sent")]
        parts = [f"{count(number)} {word}" for number, word in lost if number]
        tell(", ".join((f"{self._what}: {count(tally.sent)} sent", *parts)))

    def require_accepted(self) -> None:
        """Raise BadAnswer when the server would refuse everything, EndpointUnreachable when it took nothing."""
        if (failure := self.delivery.failure) is not None:
            raise BadAnswer(failure.what, _HINTS.get(failure.status, ""))
        sent, refused, dropped = self.delivery.tally
        lost = refused + dropped + self.delivery.waiting
        if lost and not sent:
            raise EndpointUnreachable(
                f"none of the {self._what} were delivered, {count(lost)} lost: {self.delivery.trouble}",
                "look whether the server is up and its URL right",
            )


def headers_for(server: Address, secret: str, tenant: str | None) -> dict[str, str]:
    """Who is asking. Raises UsageError for what cannot stand in a header."""
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


def pyroscope_sink(server: Address, headers: Mapping[str, str], about: About) -> Sink:
    """Profiles."""
    from memdash.exports.pyroscope import CONTENT_TYPE, PATH, series_name, upload_of
    from memdash.session.profiles import profile_of

    told: set[int] = set()

    def make(snapshot: Snapshot, since_s: float) -> _Message:
        taken, target = profile_of(snapshot), snapshot.target
        if target.pid not in told:
            told.add(target.pid)
            for note in taken.notes:
                tell(f"{target.words}: {note}")
        own = {"host": os.uname().nodename} | ({"pid": str(target.pid)} if target.is_local else {})
        name = series_name(about.app or target.name, own | dict(about.labels))
        return _Message(*upload_of(taken.document, name, since_s, snapshot.at.wall_s))

    return Sink("profiles", _delivery(server, PATH, CONTENT_TYPE, headers), make)


def otlp_sink(server: Address, headers: Mapping[str, str], about: About) -> Sink:
    """Metrics. Raises UsageError without the extra ``otlp``."""
    try:
        from memdash.exports.otlp import CONTENT_TYPE, PATH, metrics_of
    except ImportError:
        raise UsageError(
            "--otlp takes OpenTelemetry, which is not installed", "pip install 'memdash[otlp]' installs it"
        ) from None

    def make(snapshot: Snapshot, _since_s: float) -> _Message:
        target = snapshot.target
        own: dict[str, str | int] = {"service.name": about.app or target.name, "host.name": os.uname().nodename}
        if target.is_local:
            own |= {"process.pid": target.pid, "process.runtime.name": target.runtime.value}
        return _Message("", metrics_of(snapshot, own | dict(about.labels)))

    return Sink("metrics", _delivery(server, PATH, CONTENT_TYPE, headers), make)


def _delivery(server: Address, path: str, content_type: str, headers: Mapping[str, str]) -> Delivery[_Message]:
    from memdash.network.client import Client  # http.client takes 10 ms
    from memdash.network.delivery import Delivery

    client = Client(server)

    def send(message: _Message) -> None:
        try:
            client.post(message.body, content_type, path, message.query, headers)
        except BadAnswer as error:  # the question makes a long URL, of which nobody would find the end
            what = error.what.replace(f"?{message.query}", "") if message.query else error.what
            raise BadAnswer(what, status=error.status, retry_after_s=error.retry_after_s) from None

    return Delivery(send, tell, client.cancel)
