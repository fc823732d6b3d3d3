"""What a gops agent is asked again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from memdash.errors import BadAnswer, BadProfile
from memdash.model.capability import Capability, Source
from memdash.model.sample import Fact
from memdash.model.target import Target
from memdash.probes.asking import OFTEN, SELDOM, STOPS_BRIEFLY, WRITES_A_HEAP, AskedProbe, Asking, Pace
from memdash.probes.gops.answers import goroutines, memory, text
from memdash.probes.gops.client import Agent, Question

__all__ = ["CAPABILITIES", "probes_of"]

_Reader: TypeAlias = Callable[[bytes], tuple[Fact, ...]]


class _Row(NamedTuple):
    """What one probe asks and gives, how often, what is made of it, and what it costs the program."""

    name: str
    capabilities: frozenset[Capability]
    question: Question
    pace: Pace
    facts: _Reader
    cost_note: str


def probes_of(target: Target) -> tuple[AskedProbe, ...]:
    """One for each question, MemStats first."""
    return tuple(_probe(target, row) for row in _ROWS)


def _probe(target: Target, row: _Row) -> AskedProbe:
    agent = Agent(target)
    asking = Asking(lambda: row.facts(agent.ask(row.question)), agent.cancel, row.pace)
    return AskedProbe(f"gops.{row.name}", row.capabilities, Source.GOPS, asking, row.cost_note)


def _memory_facts(answer: bytes) -> tuple[Fact, ...]:
    return memory(text(answer))


def _goroutine_facts(answer: bytes) -> tuple[Fact, ...]:
    return (goroutines(text(answer)),)


def _heap_facts(answer: bytes) -> tuple[Fact, ...]:
    from memdash.pprof.decode import decode  # 30 ms, for protobuf
    from memdash.probes.profiles import sites

    try:
        return (sites(decode(answer)),)
    except BadProfile as error:
        raise BadAnswer(f"what its gops agent gives as a heap profile is none: {error.what}") from None


_ROWS = (
    _Row(
        "memstats",
        frozenset({Capability.MEMSTATS, Capability.GC}),
        Question.MEMSTATS,
        OFTEN,
        _memory_facts,
        STOPS_BRIEFLY,
    ),
    _Row(
        "goroutines",
        frozenset({Capability.TASKS}),
        Question.STATS,
        OFTEN,
        _goroutine_facts,
        "only counted by its gops agent",
    ),
    _Row(
        "heap_profile",
        frozenset({Capability.SITES}),
        Question.HEAP_PROFILE,
        SELDOM,
        _heap_facts,
        WRITES_A_HEAP,
    ),
)
CAPABILITIES = frozenset[Capability]().union(*(row.capabilities for row in _ROWS))
"""All that an agent is asked for."""
