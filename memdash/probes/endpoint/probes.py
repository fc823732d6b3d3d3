"""What is read through endpoints: a probe for each question that the server can answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from memdash.model.capability import Capability, Source
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing, known
from memdash.model.sample import Fact, Reading
from memdash.network.address import Address
from memdash.network.client import MOST_BYTES, Answer, Client
from memdash.probes.endpoint.asking import Asking, Question
from memdash.probes.endpoint.discover import VARS_BYTES, Found
from memdash.probes.endpoint.memstats import gc_stats, of_expvar, of_heap_text
from memdash.probes.endpoint.pulse import Pulse

__all__ = ["EndpointProbe", "probes_of"]

_WAITING = "the endpoint has been asked and has not answered yet"


class _Subject(NamedTuple):
    """What is asked, how its answer is read, and what answering costs the program."""

    name: str
    capabilities: frozenset[Capability]
    question: Question
    facts: Callable[[Answer], tuple[Fact, ...]]
    cost: str


def _of_vars(answer: Answer) -> tuple[Fact, ...]:
    stats = of_expvar(answer.body)
    return stats, gc_stats(stats)


def _of_text(answer: Answer) -> tuple[Fact, ...]:
    stats = of_heap_text(answer.body)
    return stats, gc_stats(stats)


def _of_heap(answer: Answer) -> tuple[Fact, ...]:
    from memdash.probes.endpoint.profiles import decoded, sites  # 30 ms, for protobuf

    return (sites(decoded(answer)),)


def _of_goroutines(answer: Answer) -> tuple[Fact, ...]:
    from memdash.probes.endpoint.profiles import decoded, tasks

    return (tasks(decoded(answer)),)


_MEMORY = frozenset({Capability.MEMSTATS, Capability.GC})
_VARS = _Subject(
    "endpoint.memstats",
    _MEMORY,
    Question(path="", most_bytes=VARS_BYTES, least_s=1.0, share=0.05),
    _of_vars,
    "each reading stops it for some 100 µs",
)
_TEXT = _Subject(
    "endpoint.memstats",
    _MEMORY,
    Question(path="heap", query="debug=1", most_bytes=MOST_BYTES, least_s=10.0, share=0.01),
    _of_text,
    "each reading stops it and has it write a heap profile",
)
_PROFILES = (
    _Subject(
        "endpoint.heap_profile",
        frozenset({Capability.SITES}),
        Question(path="heap", most_bytes=MOST_BYTES, least_s=10.0, share=0.01),
        _of_heap,
        "each reading has it write a heap profile",
    ),
    _Subject(
        "endpoint.goroutines",
        frozenset({Capability.TASKS}),
        Question(path="goroutine", most_bytes=MOST_BYTES, least_s=10.0, share=0.01),
        _of_goroutines,
        "each reading stops it to copy the stacks",
    ),
)


class EndpointProbe:
    """Asks one question, and goes on at once: the answer is read at a later look when it has come."""

    def __init__(self, subject: _Subject, address: Address, pulse: Pulse) -> None:
        self.name = subject.name
        self.capabilities = subject.capabilities
        self._subject = subject
        self._pulse = pulse
        self._asking = Asking(Client(address), subject.question, pulse)

    @property
    def cadence_s(self) -> float:
        """Never every tick, and seldom when it costs the program or us much."""
        return self._asking.cadence_s

    def read(self) -> Reading:
        """Read the answer, if it is there. Raises EndpointUnreachable, BadAnswer."""
        answer = self._asking.answer()
        if answer is None:
            return Reading(Source.ENDPOINT, (), pending=_WAITING)
        before_s = time.thread_time()
        facts = self._subject.facts(answer)
        self._asking.book(time.thread_time() - before_s)
        if isinstance(facts[0], MemStats):
            self._pulse.allocated(known(facts[0].TotalAlloc, 0))
        return Reading(Source.ENDPOINT, facts, (self._subject.cost,))

    def close(self) -> None:
        """Break off what is asked. May be called twice."""
        self._asking.close()


def probes_of(found: Found, pulse: Pulse) -> tuple[EndpointProbe, ...]:
    """Those that what was found can answer, MemStats first: they come of expvar at a tenth of the cost."""
    pairs = [(subject, found.pprof) for subject in _PROFILES]
    pairs.insert(0, (_TEXT, found.pprof) if isinstance(found.vars, Missing) else (_VARS, found.vars))
    return tuple(
        EndpointProbe(subject, address, pulse) for subject, address in pairs if not isinstance(address, Missing)
    )
