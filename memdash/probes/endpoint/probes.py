"""What is read through endpoints: a probe for each question that the server can answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from memdash.model.capability import Capability, Source
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.sample import Fact, Reading
from memdash.network.address import Address
from memdash.network.client import MOST_BYTES, Answer, Client
from memdash.probes.endpoint.asking import Asking, Question
from memdash.probes.endpoint.discover import VARS_BYTES, Found
from memdash.probes.endpoint.memstats import gc_stats, of_expvar, of_heap_text
from memdash.probes.endpoint.pulse import Pulse

__all__ = ["EndpointProbe", "probes_of"]

Reader: TypeAlias = Callable[[Answer], tuple[Fact, ...]]

_WAITING = "the endpoint has been asked and has not answered yet"

_VARS = Question(path="", most_bytes=VARS_BYTES, least_s=1.0, share=0.05)
_TEXT = Question(path="heap", query="debug=1", most_bytes=MOST_BYTES, least_s=10.0, share=0.01)
_HEAP = Question(path="heap", most_bytes=MOST_BYTES, least_s=10.0, share=0.01)
_GOROUTINES = Question(path="goroutine", most_bytes=MOST_BYTES, least_s=10.0, share=0.01)

_VARS_COST = "each reading stops the program for some tens of µs"
_TEXT_COST = f"{_VARS_COST}, and has it write out its heap profile"
_HEAP_COST = "each reading has the program write out its heap profile"
_GOROUTINES_COST = "each reading stops the program while it copies the stacks of its goroutines"


class EndpointProbe:
    """Asks one question, and goes on at once: the answer is read at a later look when it has come."""

    def __init__(
        self, name: str, capabilities: frozenset[Capability], asking: Asking, facts: Reader, cost_note: str
    ) -> None:
        self.name = name
        self.capabilities = capabilities
        self._asking = asking
        self._facts = facts
        self._cost_note = cost_note

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
        facts = self._facts(answer)
        self._asking.book(time.thread_time() - before_s)
        return Reading(Source.ENDPOINT, facts, (self._cost_note,))

    def close(self) -> None:
        """Break off what is asked. May be called twice."""
        self._asking.close()


def probes_of(found: Found, pulse: Pulse) -> tuple[EndpointProbe, ...]:
    """Those that what was found can answer, MemStats first."""
    memory, probes = frozenset({Capability.MEMSTATS, Capability.GC}), []
    if not isinstance(found.vars, Missing):
        asking = Asking(Client(found.vars), _VARS, pulse)
        probes.append(EndpointProbe("endpoint.memstats", memory, asking, _vars_facts, _VARS_COST))
    elif not isinstance(found.pprof, Missing):
        asking = Asking(Client(found.pprof), _TEXT, pulse)
        probes.append(EndpointProbe("endpoint.memstats", memory, asking, _text_facts, _TEXT_COST))
    if not isinstance(found.pprof, Missing):
        probes += [_profile_probe(*row, found.pprof, pulse) for row in _PROFILES]
    return tuple(probes)


def _profile_probe(
    name: str, capability: Capability, question: Question, facts: Reader, cost: str, address: Address, pulse: Pulse
) -> EndpointProbe:
    return EndpointProbe(name, frozenset({capability}), Asking(Client(address), question, pulse), facts, cost)


def _with_gc(stats: MemStats) -> tuple[Fact, ...]:
    return stats, gc_stats(stats)


def _vars_facts(answer: Answer) -> tuple[Fact, ...]:
    return _with_gc(of_expvar(answer.body))


def _text_facts(answer: Answer) -> tuple[Fact, ...]:
    return _with_gc(of_heap_text(answer.body))


def _heap_facts(answer: Answer) -> tuple[Fact, ...]:
    from memdash.probes.endpoint.profiles import decoded, sites  # 30 ms, for protobuf

    return (sites(decoded(answer)),)


def _goroutine_facts(answer: Answer) -> tuple[Fact, ...]:
    from memdash.probes.endpoint.profiles import decoded, tasks

    return (tasks(decoded(answer)),)


_PROFILES: tuple[tuple[str, Capability, Question, Reader, str], ...] = (
    ("endpoint.heap_profile", Capability.SITES, _HEAP, _heap_facts, _HEAP_COST),
    ("endpoint.goroutines", Capability.TASKS, _GOROUTINES, _goroutine_facts, _GOROUTINES_COST),
)
