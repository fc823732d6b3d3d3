"""``--agent`` for a watch without a screen: the agent goes into the programs, and what comes of that is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from memdash.commands.options import part
from memdash.commands.output import tell_instead
from memdash.commands.sampling import Sampled, refuse_agent
from memdash.commands.watching import notes_told
from memdash.model.action import Action
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import sampling_with
from memdash.session import Session

__all__ = ["NOBODY", "Agency"]


@dataclass(frozen=True, slots=True)
class Agency:
    """What the user said of it; the fields are settings."""

    agent: bool
    sampled: Sampled = field(metadata=part(Sampled))

    @property
    def asked(self) -> Sequence[Action]:
        """What a watch has to do first."""
        return (Action.LOAD_AGENT,) if self.agent else ()

    def check(self, *, read_only: bool) -> None:
        """Raise UsageError for what contradicts itself."""
        refuse_agent(agent=self.agent, read_only=read_only)
        self.sampled.of_running(agent=self.agent)

    def entries(self, entries: Sequence[ProbeEntry]) -> Sequence[ProbeEntry]:
        """The same, where the allocations of a Python are sampled as it is wanted."""
        return sampling_with(entries, self.sampled.of_running(agent=self.agent))

    def follow(self, session: Session) -> None:
        """Say where nothing comes of it, or not yet, or something else."""
        if self.agent:
            from memdash.session.sampled import tells_of_hindrance  # it knows the agent, which most never need

            which = session.snapshot().target.words
            session.subscribe(notes_told(lambda words: tell_instead(f"{which}: {words}"), tells_of_hindrance))


NOBODY = Agency(agent=False, sampled=Sampled(None, ()))
"""Nothing is asked of the agent."""
