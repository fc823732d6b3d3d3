"""A Go program asked through the gops agent in it (github.com/google/gops), only when a person wants that.

Lives here: ``port_file`` (where its agent listens, and that it is its own), ``client`` (the few questions that are
asked), ``answers`` (their text as memdash's nouns) and ``probes``, which ask them, with the actor that has garbage
collected. May import: ``process``, ``model``, ``units``, ``errors``; no other probes. To ask something more, add it to
``client.Question`` with its bounds: nothing that takes long or changes the target, but for an action.
"""

from __future__ import annotations

from dataclasses import dataclass

from memdash.errors import ProbeError, TargetError
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.target import Runtime, Target
from memdash.probes.gops.answers import version
from memdash.probes.gops.client import Agent, Question
from memdash.probes.gops.probes import GopsActor, GoroutineProbe, MemStatsProbe
from memdash.probes.probe import Attachment, Fit, Refusal

__all__ = ["GOPS"]

_SCORE = 50


@dataclass(frozen=True, slots=True)
class _Gops:
    name: str = "gops"
    capabilities: frozenset[Capability] = frozenset({Capability.MEMSTATS, Capability.GC, Capability.TASKS})
    wanted_for: frozenset[Action] = frozenset({Action.FORCE_GC})

    def fitness(self, target: Target) -> Fit | Refusal:
        """Find the target's agent and ask it for the Go version, which costs the target some 50 µs."""
        try:
            told = version(Agent(target).text(Question.VERSION))
        except (ProbeError, TargetError) as error:
            return Refusal(error.what, error.hint)
        about = "MemStats, the collector and the number of goroutines, told by its gops agent"
        return Fit(_SCORE, self.capabilities, Runtime.GO, told, about)

    def attach(self, target: Target) -> Attachment:
        """Make sure once more that the agent is one. Raises ProbeError or TargetError."""
        agent = Agent(target)
        version(agent.text(Question.VERSION))
        log = ("asked through its gops agent: MemStats stop it for each look, mostly for less than 250 µs",)
        return Attachment((MemStatsProbe(agent), GoroutineProbe(agent)), {}, log, (GopsActor(agent),))


GOPS = _Gops()
"""Only among the ways of reading when it has been asked for."""
