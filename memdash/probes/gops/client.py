"""Questions to a gops agent: one connection and one byte each, and the answer up to its end.

Only what reads quickly is ever asked, and a collection when somebody wants one: never a stack trace, a CPU profile, an
execution trace, the binary, nor another GC percentage. Source: github.com/google/gops, signal and agent.
"""

from __future__ import annotations

import socket
import threading
import time
from enum import Enum

from memdash.errors import AgentUnreachable, TimedOut
from memdash.model.target import Target
from memdash.probes.gops.port_file import listener_of
from memdash.process.listening import Listener

__all__ = ["Agent", "Question"]

_CONNECT_S = 2.0
_SLICE_S = 0.1
"""How long whoever waits for an answer goes on after that has been cancelled."""
_CHUNK_BYTES = 1 << 18
_MOST_TEXT_BYTES = 64 << 10
_MOST_PROFILE_BYTES = 64 << 20
_TEXT_S, _PROFILE_S, _COLLECTION_S = 5.0, 30.0, 60.0


class Question(Enum):
    """What may be asked: the byte that is sent, how long the answer may take in seconds, and how large it may be."""

    COLLECT = b"\x02", _COLLECTION_S, _MOST_TEXT_BYTES
    MEMSTATS = b"\x03", _TEXT_S, _MOST_TEXT_BYTES
    VERSION = b"\x04", _TEXT_S, _MOST_TEXT_BYTES
    HEAP_PROFILE = b"\x05", _PROFILE_S, _MOST_PROFILE_BYTES
    STATS = b"\x07", _TEXT_S, _MOST_TEXT_BYTES


class Agent:
    """The agent of one target. ``patience`` multiplies how long it is waited for.

    Belongs to one thread, but for ``cancel``.
    """

    def __init__(self, target: Target, patience: float = 1.0) -> None:
        self._target = target
        self._patience = patience
        self._cancelled = threading.Event()

    def ask(self, question: Question) -> bytes:
        """Its whole answer; that the port is still the target's own is made sure of each time.

        Raises TimedOut, AgentUnreachable, and what ``listener_of`` raises.
        """
        byte, patience_s, most_bytes = question.value
        until_s = time.monotonic() + patience_s * self._patience
        with _connected(listener_of(self._target), min(patience_s * self._patience, _CONNECT_S)) as connection:
            try:
                connection.sendall(byte)
                return self._heard(connection, until_s, most_bytes)
            except OSError as error:
                raise AgentUnreachable(f"the gops agent broke off its answer: {error.strerror}") from None

    def text(self, question: Question) -> str:
        """Its answer as text. Raises what ``ask`` raises, AgentUnreachable when it is none."""
        try:
            return self.ask(question).decode("utf-8")
        except UnicodeDecodeError:
            raise AgentUnreachable("the gops agent told something that makes no sense") from None

    def cancel(self) -> None:
        """Wait for no answer any more. From any thread."""
        self._cancelled.set()

    def _heard(self, connection: socket.socket, until_s: float, most_bytes: int) -> bytes:
        heard = bytearray()
        while (left_s := until_s - time.monotonic()) > 0:
            if self._cancelled.is_set():
                raise TimedOut("the watch over the target has ended meanwhile")
            connection.settimeout(min(left_s, _SLICE_S))
            try:
                chunk = connection.recv(_CHUNK_BYTES)
            except TimeoutError:
                continue
            if not chunk:
                return bytes(heard)
            heard += chunk
            if len(heard) > most_bytes:
                raise AgentUnreachable("the gops agent says more than any such answer holds")
        raise TimedOut(
            "the gops agent has not answered in time",
            "it answers one after the other: another may have asked it for a CPU profile, which takes 30 s",
        )


def _connected(listener: Listener, patience_s: float) -> socket.socket:
    try:
        return socket.create_connection((listener.host, listener.port), timeout=patience_s)
    except TimeoutError:
        raise TimedOut("the gops agent does not take the connection") from None
    except OSError as error:
        raise AgentUnreachable(f"the gops agent cannot be reached: {error.strerror}") from None
