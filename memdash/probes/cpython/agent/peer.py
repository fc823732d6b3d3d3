"""One agent at the other end of a socket: what it says is somebody else's text, and it may stop at any time."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Mapping
from typing import Any, TypeAlias

from memdash.errors import AgentUnreachable, ProbeError, TimedOut

__all__ = ["Fields", "Peer"]

Fields: TypeAlias = Mapping[str, Any]

_MOST_HEARD = 1 << 20
_HALF_LINE_S = 5.0
"""A line that has been begun and does not go on for so long will not be finished."""
_SLICE_S = 0.1
"""How long whoever waits for an answer goes on after that has been cancelled."""
_MOST_LATE = 8
_CREDENTIALS = struct.Struct("3i")


class Peer:
    """A connection that has been accepted; ``pid`` and ``uid`` are what the kernel says of who connected.

    One request is under way at a time. When the answer is late the next request first waits for it, and keeps it for
    whoever asks that again: a target with many busy threads answers nothing as soon as it is wanted.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.setblocking(False)
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        self.pid, self.uid, _ = _CREDENTIALS.unpack(credentials)
        self._heard = bytearray()
        self._heard_at_s = time.monotonic()
        self._searched = 0
        self._number = 0
        self._awaited = 0
        self._question: tuple[object, ...] = ()
        self._late: dict[tuple[object, ...], Fields] = {}

    def greeting(self) -> Fields | None:
        """The first line it says, or None as long as it has not said any. Raises AgentUnreachable."""
        return self._line(0.0)

    def ask(
        self,
        deed: str,
        patience_s: float,
        cancelled: threading.Event | None = None,
        *,
        anew: bool = True,
        **fields: int | str,
    ) -> Fields:
        """What it answers; words among the fields hold no quotes, commas, colons or backslashes.

        Unless it is to be asked ``anew``, an answer counts that came too late for the same question. Raises TimedOut
        when it takes longer than ``patience_s`` or is cancelled, ProbeError when it cannot answer, and AgentUnreachable
        when nothing is to be expected of it any more.
        """
        until_s, question = time.monotonic() + patience_s, (deed, *sorted(fields.items()))
        while self._awaited and (anew or self._question != question):
            asked, late = self._question, self._take(until_s, cancelled)
            self._late[asked] = late
            if len(self._late) > _MOST_LATE:
                del self._late[next(iter(self._late))]
        late_one = self._late.pop(question, None)
        if late_one is not None and not anew:
            return _told(late_one)
        if not self._awaited:
            self._send({"do": deed, **fields})
            self._question = question
        return _told(self._take(until_s, cancelled))

    def _send(self, fields: Fields) -> None:
        self._number += 1
        request = json.dumps({**fields, "id": self._number}).encode() + b"\n"
        try:
            sent = self._connection.send(request, socket.MSG_NOSIGNAL)
        except OSError as error:
            raise AgentUnreachable(f"the agent is gone: {error.strerror}") from None
        if sent < len(request):
            raise AgentUnreachable("the agent does not read what it is asked")
        self._awaited = self._number

    def is_gone(self) -> bool:
        """Whether it has closed the connection; what it has said before that is not taken."""
        poller = select.poll()
        poller.register(self._connection, select.POLLRDHUP)
        return bool(poller.poll(0))

    def close(self) -> None:
        """It takes that for the sign to undo everything. May be called twice."""
        self._connection.close()

    def _take(self, until_s: float, cancelled: threading.Event | None) -> Fields:
        """The answer to what was asked last."""
        answer = self._line(min(until_s - time.monotonic(), _SLICE_S))
        while answer is None and time.monotonic() < until_s:
            if cancelled is not None and cancelled.is_set():
                raise TimedOut("the watch over the target has ended meanwhile")
            answer = self._line(min(until_s - time.monotonic(), _SLICE_S))
        if answer is None:
            raise TimedOut("the agent has not answered in time: the target runs no Python code, or has been stopped")
        if answer.get("id") != self._awaited:
            raise AgentUnreachable("the agent answered what it had not been asked")
        self._awaited = 0
        return answer

    def _line(self, patience_s: float) -> Fields | None:
        """The next line, waited for; None when it is not there in time. Raises AgentUnreachable."""
        until_s = time.monotonic() + patience_s
        while (end := self._heard.find(b"\n", self._searched)) < 0:
            self._searched = len(self._heard)
            if self._searched >= _MOST_HEARD:
                raise AgentUnreachable("the agent said more than it may")
            poller = select.poll()
            poller.register(self._connection, select.POLLIN)
            if not poller.poll(1000 * max(until_s - time.monotonic(), 0.0)):
                if self._heard and time.monotonic() > self._heard_at_s + _HALF_LINE_S:
                    raise AgentUnreachable("the agent stopped in the middle of an answer")
                return None
            self._hear()
        line = bytes(self._heard[:end])
        del self._heard[: end + 1]
        self._searched = 0
        return _fields(line)

    def _hear(self) -> None:
        try:
            chunk = self._connection.recv(_MOST_HEARD - len(self._heard))
        except OSError as error:
            raise AgentUnreachable(f"the agent is gone: {error.strerror}") from None
        if not chunk:
            raise AgentUnreachable("the agent is gone: it has closed the connection")
        self._heard += chunk
        self._heard_at_s = time.monotonic()


def _told(answer: Fields) -> Fields:
    why = answer.get("why")
    if isinstance(why, str):
        raise ProbeError(f"the agent failed: {why[:200]}")
    told = answer.get("told")
    if not isinstance(told, dict):
        raise AgentUnreachable("the agent answered something that makes no sense")
    return told


def _fields(line: bytes) -> Fields:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise AgentUnreachable("the agent said something that makes no sense")
    return fields
