"""What a gops agent is asked again and again, and the collection that a person may ask for.

Each look costs the target something, and says so: ReadMemStats stops it for 10 to 250 µs when it is idle, for as long
as its threads take to stop when all processors are busy.
"""

from __future__ import annotations

from collections.abc import Mapping

from memdash.errors import BadAnswer, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.missing import Maybe
from memdash.model.sample import Reading
from memdash.probes.gops.answers import goroutines, memory
from memdash.probes.gops.client import Agent, Question

__all__ = ["GopsActor", "GoroutineProbe", "MemStatsProbe"]

_STOPS = "the gops agent stops the target for each look, mostly for less than 250 µs"
_ONLY_COUNTED = "the gops agent only counts goroutines"
_COLLECTS = (
    "Runs runtime.GC() in the target through its gops agent. It takes a fraction of a second for each gigabyte of live "
    "heap, on up to a quarter of the processors and more where goroutines allocate"
)
_DONE = b"ok"


class MemStatsProbe:
    """MemStats and what they say of the collector."""

    name = "gops.memstats"
    capabilities = frozenset({Capability.MEMSTATS, Capability.GC})
    cadence_s = 1.0

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def read(self) -> Reading:
        """Ask once. Raises ProbeError, AccessDenied, TargetExited."""
        return Reading(Source.GOPS, memory(self._agent.text(Question.MEMSTATS)), (_STOPS,))

    def close(self) -> None:
        """Nothing is kept open."""


class GoroutineProbe:
    """How many goroutines there are; this does not stop the target."""

    name = "gops.goroutines"
    capabilities = frozenset({Capability.TASKS})
    cadence_s = 1.0

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def read(self) -> Reading:
        """Ask once. Raises ProbeError, AccessDenied, TargetExited."""
        return Reading(Source.GOPS, (goroutines(self._agent.text(Question.STATS)),), (_ONLY_COUNTED,))

    def close(self) -> None:
        """Nothing is kept open."""


class GopsActor:
    """Has the target collect its garbage."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """What can be done now."""
        return {Action.FORCE_GC: _COLLECTS}

    def act(self, action: Action) -> str:
        """Do it. Raises ProbeError, AccessDenied, TargetExited."""
        if action is not Action.FORCE_GC:
            raise UnsupportedRuntime("a gops agent cannot do that")
        if self._agent.ask(Question.COLLECT) != _DONE:
            raise BadAnswer("the gops agent does not say that it has collected")
        return "collected"

    def cancel(self) -> None:
        """Wait for nothing any more. From any thread."""
        self._agent.cancel()

    def news(self) -> tuple[str, ...]:
        """Nothing happens but what is asked for."""
        return ()

    def close(self) -> None:
        """Nothing was brought into the target."""
