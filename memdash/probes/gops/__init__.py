"""A Go program asked through the gops agent in it (github.com/google/gops), only when a person wants that.

Lives here: ``port_file`` (where its agent listens, and that it is its own), ``client`` (the few questions that are
asked), ``answers`` (their text as memdash's nouns), ``probes``, which ask them, and ``actor`` (has garbage collected).
May import: ``network``, ``pprof``, ``process`` and what all probes may. To ask something more, add it to
``client.Question`` with its bounds, nothing that takes long or changes the target, and a row to ``probes``.
"""

from __future__ import annotations

from dataclasses import dataclass

from memdash.errors import ProbeError, TargetError
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.target import Runtime, Target
from memdash.probes.gops.actor import GopsActor
from memdash.probes.gops.answers import text, version
from memdash.probes.gops.client import Agent, Question
from memdash.probes.gops.probes import CAPABILITIES, probes_of
from memdash.probes.probe import Attachment, Fit, Refusal

__all__ = ["GOPS"]

_SCORE = 50
_ABOUT = "MemStats, allocation sites and the number of goroutines, each told by its gops agent in the program"


@dataclass(frozen=True, slots=True)
class _Gops:
    """What the gops agent in a Go program tells."""

    name: str = "gops"
    capabilities: frozenset[Capability] = CAPABILITIES
    wanted_for: frozenset[Action] = frozenset({Action.FORCE_GC})

    def fitness(self, target: Target) -> Fit | Refusal:
        """Find the target's agent and ask it for the Go version, which costs the target some 50 µs."""
        try:
            told = version(text(Agent(target).ask(Question.VERSION)))
        except (ProbeError, TargetError) as error:
            return Refusal(error.what, error.hint)
        return Fit(_SCORE, self.capabilities, Runtime.GO, told, _ABOUT)

    def attach(self, target: Target) -> Attachment:
        """Make sure once more that the agent is one. Raises ProbeError or TargetError."""
        agent = Agent(target)
        version(text(agent.ask(Question.VERSION)))
        return Attachment(probes_of(target), {}, ("asked through its gops agent",), (GopsActor(agent),))


GOPS = _Gops()
"""Only among the ways of reading when it has been asked for."""
