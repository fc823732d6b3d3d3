"""How a probe is found and opened; what it is, is said in ``model.probe``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from memdash.errors import Defect, UnsupportedRuntime, defects_told
from memdash.model.action import Action, Actor
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.probe import Probe
from memdash.model.target import Runtime, Target

__all__ = ["Attachment", "Fit", "Probe", "ProbeEntry", "Refusal", "Unable", "judged"]


@dataclass(frozen=True, slots=True)
class Fit:
    """A way of reading suits the target. The highest score of a runtime wins; ``about`` is shown by doctor."""

    score: int
    capabilities: frozenset[Capability]
    runtime: Runtime
    runtime_version: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A way of reading does not suit the target: why, and what would help (may be empty).

    ``recognised`` says that the target does run on what this way reads, so that its reason is the one worth showing.
    """

    why: str
    hint: str = ""
    recognised: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """Open probes, the capabilities this target turned out not to have, what was found on the way, and who can act.

    ``log`` holds one-line facts for the alert log: ``read from memory in 12 ms · stripped · 14 of 14 invariants hold``.
    """

    probes: tuple[Probe, ...]
    missing: Mapping[Capability, Missing] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    actors: tuple[Actor, ...] = ()

    def close(self) -> None:
        """Let go of what nobody uses any more: those who act first."""
        opened: tuple[Actor | Probe, ...] = (*self.actors, *self.probes)
        for each in opened:
            each.close()


@dataclass(frozen=True, slots=True)
class Unable:
    """An Actor that says why something cannot be done, and what would help."""

    why: Mapping[Action, Missing]

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """Nothing but reasons."""
        return self.why

    def act(self, action: Action) -> str:
        """Raises UnsupportedRuntime."""
        raise UnsupportedRuntime(self.why[action].why, self.why[action].hint)

    def cancel(self) -> None:
        """Nothing is under way."""

    def news(self) -> tuple[str, ...]:
        """Nothing happens."""
        return ()

    def close(self) -> None:
        """Nothing is held."""


class ProbeEntry(Protocol):
    """A registered way of reading; ``memdash doctor`` prints what ``fitness`` says."""

    @property
    def name(self) -> str:
        """Stable: ``go``, ``system``."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All it could ever give."""

    @property
    def wanted_for(self) -> frozenset[Action]:
        """What a person who asked for this very way wants to do by it; empty for those that are always tried.

        It is opened for that though others read all it could, and when it does not suit, that is told.
        """

    def fitness(self, target: Target) -> Fit | Refusal:
        """Judge cheaply and without side effects whether it suits. Never raises for what a target may be.

        One that was ``wanted_for`` something may ask the target: a watch waits for none of those.
        """

    def attach(self, target: Target) -> Attachment:
        """Open the probes: one per cadence. Raises ProbeError or TargetError; leaves nothing open when it does."""


def judged(entry: ProbeEntry, target: Target) -> Fit | Refusal:
    """What ``entry`` says of a target; a defect that one process uncovers is no reason to judge no other."""
    try:
        with defects_told():
            return entry.fitness(target)
    except Defect as error:
        return Refusal(error.what, error.hint)
