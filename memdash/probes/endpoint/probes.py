"""What is read through endpoints: a probe for each question that the server can answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeAlias, TypeVar

from memdash.errors import BadAnswer, EndpointUnreachable
from memdash.model.capability import Capability, Source
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.sample import Fact
from memdash.network.address import Address
from memdash.network.client import Answer, Check, Client
from memdash.network.wire import MOST_BYTES
from memdash.probes.asking import OFTEN, SELDOM, STOPS_BRIEFLY, WRITES_A_HEAP, AskedProbe, Asking, Pace
from memdash.probes.endpoint.discover import VARS_BYTES, Found
from memdash.probes.endpoint.leaks import LeakSearch
from memdash.probes.endpoint.memstats import gc_stats, of_expvar, of_heap_text
from memdash.probes.endpoint.pulse import Pulse

__all__ = ["Question", "asked", "probes_of"]

T = TypeVar("T")
_Reader: TypeAlias = Callable[[Answer], tuple[Fact, ...]]

_MEMORY = frozenset({Capability.MEMSTATS, Capability.GC})


class Question(NamedTuple):
    """What is asked below an address, how often, how much it may be, and what that costs the program."""

    path: str
    query: str
    most_bytes: int
    pace: Pace
    cost_note: str


_VARS = Question("", "", VARS_BYTES, OFTEN, STOPS_BRIEFLY)
_TEXT = Question("heap", "debug=1", MOST_BYTES, SELDOM, "each reading stops it and has it write a heap profile")
_HEAP = Question("heap", "", MOST_BYTES, SELDOM, WRITES_A_HEAP)
_GOROUTINES = Question("goroutine", "", MOST_BYTES, SELDOM, "each reading stops it to copy the stacks")


def probes_of(found: Found, pulse: Pulse, search: LeakSearch | None) -> tuple[AskedProbe, ...]:
    """Those that what was found can answer, MemStats first; ``search`` is there when net/http/pprof is."""
    probe = partial(_probe, pulse=pulse, check=found.check)
    probes = []
    if not isinstance(found.vars, Missing):
        probes.append(probe("memstats", _MEMORY, found.vars, _VARS, partial(_memory_facts, of_expvar, pulse)))
    elif search is not None:
        probes.append(probe("memstats", _MEMORY, search.pprof, _TEXT, partial(_memory_facts, of_heap_text, pulse)))
    if search is not None:
        sites, tasks = frozenset({Capability.SITES}), frozenset({Capability.TASKS})
        same = _same(found, pulse)
        goroutines = partial(_of_same, same, partial(_goroutine_facts, search))
        probes.append(probe("heap_profile", sites, search.pprof, _HEAP, partial(_of_same, same, _heap_facts)))
        probes.append(probe("goroutines", tasks, search.pprof, _GOROUTINES, goroutines))
    return tuple(probes)


def _probe(
    name: str,
    capabilities: frozenset[Capability],
    place: Address,
    question: Question,
    facts: _Reader,
    pulse: Pulse,
    check: Check,
) -> AskedProbe:
    asking = asked(Client(place, check=check), question, pulse, facts)
    return AskedProbe(f"endpoint.{name}", capabilities, Source.ENDPOINT, asking, question.cost_note)


def asked(client: Client, question: Question, pulse: Pulse, facts: Callable[[Answer], T]) -> Asking[T]:
    """The question, put to a server again and again; ``pulse`` hears whether it answers.

    ``facts`` makes something of the answer, on the thread that has asked.
    """
    return Asking(lambda: facts(_answer(client, question, pulse)), client.cancel, question.pace)


def _answer(client: Client, question: Question, pulse: Pulse) -> Answer:
    """Ask, and note whether the server answers at all."""
    try:
        answer = client.get(question.path, question.query, most_bytes=question.most_bytes)
    except EndpointUnreachable as error:
        pulse.failed(error.what.removeprefix(f"nothing answers at {client.address.server}: "))
        raise
    except BadAnswer:
        pulse.answered()
        raise
    pulse.answered()
    return answer


def _memory_facts(read: Callable[[bytes], MemStats], pulse: Pulse, answer: Answer) -> tuple[Fact, ...]:
    """What ``read`` makes of the answer; ``pulse`` hears whether it can still be the same process."""
    stats = read(answer.body)
    if not isinstance(stats.TotalAlloc, Missing):
        pulse.allocated(stats.TotalAlloc)
    return stats, gc_stats(stats)


def _same(found: Found, pulse: Pulse) -> Callable[[], object]:
    """Makes sure that the process has not been replaced between two looks at its MemStats. Raises ProbeError.

    A profile does not tell whose it is: expvar is asked once more where there is one, which costs far less than the
    profile did.
    """
    if isinstance(found.vars, Missing):
        return pulse.require_same
    client = Client(found.vars, check=found.check)

    def ask() -> None:
        with suppress(BadAnswer):  # one that has broken costs no other
            _memory_facts(of_expvar, pulse, _answer(client, _VARS, pulse))
        pulse.require_same()

    return ask


def _of_same(same: Callable[[], object], read: _Reader, answer: Answer) -> tuple[Fact, ...]:
    facts = read(answer)
    same()
    return facts


def _heap_facts(answer: Answer) -> tuple[Fact, ...]:
    from memdash.probes.endpoint.profiles import decoded  # 30 ms, for protobuf
    from memdash.probes.profiles import sites

    return (sites(decoded(answer)),)


def _goroutine_facts(search: LeakSearch, answer: Answer) -> tuple[Fact, ...]:
    from memdash.probes.endpoint.profiles import decoded
    from memdash.probes.profiles import tasks

    return (search.marked(tasks(decoded(answer))),)
