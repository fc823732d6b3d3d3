"""Questions to a gops agent: one connection and one byte each, and the answer up to its end.

Only what reads quickly is ever asked, and a collection when somebody wants one: never a stack trace, a CPU profile, an
execution trace, the binary, nor another GC percentage. Source: github.com/google/gops, signal and agent.
"""

from __future__ import annotations

from enum import Enum

from memdash.model.target import Target
from memdash.network.calls import Calls
from memdash.network.wire import MOST_BYTES, Patience, Wire
from memdash.probes.gops.port_file import address_of

__all__ = ["Agent", "Question"]

_MOST_TEXT_BYTES = 64 << 10


def _within(seconds: float) -> Patience:
    return Patience(read_s=seconds, total_s=seconds)


_TEXT, _PROFILE, _COLLECTION = _within(5.0), _within(30.0), _within(60.0)


class Question(Enum):
    """What may be asked: the byte that is sent, how long the answer may take, and how many bytes it may have."""

    COLLECT = b"\x02", _COLLECTION, _MOST_TEXT_BYTES
    MEMSTATS = b"\x03", _TEXT, _MOST_TEXT_BYTES
    VERSION = b"\x04", _TEXT, _MOST_TEXT_BYTES
    HEAP_PROFILE = b"\x05", _PROFILE, MOST_BYTES
    STATS = b"\x07", _TEXT, _MOST_TEXT_BYTES


class Agent:
    """The agent of one target. ``patience`` is for all questions alike, when it is not what each deserves.

    It answers one after the other, so that a CPU profile for somebody else makes us wait for half a minute. Belongs to
    one thread, but for ``cancel``.
    """

    def __init__(self, target: Target, patience: Patience | None = None) -> None:
        self._target = target
        self._patience = patience
        self._calls = Calls()

    def ask(self, question: Question) -> bytes:
        """Its whole answer; that the port is still the target's own is made sure of each time.

        Raises EndpointUnreachable and BadAnswer as a ``Wire`` does, and what ``address_of`` raises.
        """
        byte, patience, most_bytes = question.value
        address = address_of(self._target)
        with self._calls.over(Wire(address, self._patience or patience, most_bytes + 1)) as wire:
            wire.sendall(byte)
            return wire.readall() or b""

    def cancel(self) -> None:
        """Wait for no answer any more. From any thread."""
        self._calls.cancel()
