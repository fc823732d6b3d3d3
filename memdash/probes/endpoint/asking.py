"""A request beside the sampler's thread, and a pace that spares whoever has to answer."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from memdash.errors import EndpointUnreachable, MemdashError, defects_told
from memdash.network.client import Answer, Client
from memdash.probes.endpoint.pulse import Pulse

__all__ = ["Asking", "Question"]

_WAIT_S = 0.01
"""How long the sampler's thread waits for an answer before it goes on; the next tick looks again."""
_LONGEST_PAUSE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, and how often: every ``least_s`` seconds, and less often when the answer takes long.

    ``share`` is the part of its time that the server may spend on answering.
    """

    path: str
    query: str = ""
    most_bytes: int
    least_s: float
    share: float


class Asking:
    """Asks one question again and again, once at a time. For one thread, which it never holds up."""

    def __init__(self, client: Client, question: Question, pulse: Pulse) -> None:
        self._client = client
        self._question = question
        self._pulse = pulse
        self._request: _Request | None = None
        self._spent_s = 0.0

    @property
    def cadence_s(self) -> float:
        """Seconds between two questions, by what the last answer took to make, to send and to read."""
        return max(self._question.least_s, min(self._spent_s / self._question.share, _LONGEST_PAUSE_S))

    def answer(self) -> Answer | None:
        """The answer to the question under way, which begins now if there is none; None as long as it is not there.

        Raises EndpointUnreachable, BadAnswer.
        """
        if self._request is None:
            self._request = _Request(self._client, self._question)
        request = self._request
        if not request.done.wait(_WAIT_S):
            return None
        self._request = None
        self._spent_s = request.took_s
        if isinstance(request.error, EndpointUnreachable):
            self._pulse.failed()
        else:
            self._pulse.answered()
        if request.error is not None:
            raise request.error
        return request.answer

    def book(self, cpu_s: float) -> None:
        """Add what reading the answer took."""
        self._spent_s += cpu_s

    def close(self) -> None:
        """Break off what is under way. May be called twice."""
        self._client.cancel()


class _Request:
    """One question on a thread of its own; a thread takes 0.1 ms to start."""

    def __init__(self, client: Client, question: Question) -> None:
        self.done = threading.Event()
        self.answer: Answer | None = None
        self.error: MemdashError | None = None
        self.took_s = 0.0
        threading.Thread(target=self._run, args=(client, question), name="memdash-endpoint", daemon=True).start()

    def _run(self, client: Client, question: Question) -> None:
        began_s = time.monotonic()
        try:
            with defects_told():
                self.answer = client.get(question.path, question.query, most_bytes=question.most_bytes)
        except MemdashError as error:
            self.error = error
        self.took_s = time.monotonic() - began_s
        self.done.set()
