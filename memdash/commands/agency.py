"""``--agent`` for a watch without a screen: the agent goes into the programs, and what comes of that is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memdash.commands.options import part
from memdash.commands.output import tell_instead
from memdash.commands.sampling import Sampled, refuse_agent
from memdash.commands.watching import notes_told
from memdash.model.action import Action
from memdash.model.target import Runtime
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import sampling_with
from memdash.session import Session

if TYPE_CHECKING:
    from memdash.session.settling import Settling

__all__ = ["NOBODY", "Agency"]

_ARRIVES_S, _LOOK_S = 15.0, 0.1
"""A target that sleeps may let the agent wait for ever; the watch goes on without it then."""


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

    def settle(self, session: Session, memory: Settling, over: threading.Event) -> None:
        """Wait until it has come and samples, if it is to, or it is plain that nothing comes of it: some seconds."""
        if not self.agent:
            return
        from memdash.session.sampled import tells_of_refusal

        until_s = time.monotonic() + _ARRIVES_S
        while time.monotonic() < until_s and not over.is_set():
            shown = session.snapshot()
            is_settled = memory.has_settled(sampling=bool(self.sampled.sample))
            if is_settled or shown.target.runtime is not Runtime.CPYTHON or any(map(tells_of_refusal, shown.findings)):
                return
            over.wait(_LOOK_S)

    def follow(self, session: Session) -> None:
        """Say where nothing comes of it, or not yet, or something else."""
        if self.agent:
            from memdash.session.sampled import tells_of_hindrance  # it knows the agent, which most never need

            which = session.snapshot().target.words
            session.subscribe(notes_told(lambda words: tell_instead(f"{which}: {words}"), tells_of_hindrance))


NOBODY = Agency(agent=False, sampled=Sampled(None, ()))
"""Nothing is asked of the agent."""
