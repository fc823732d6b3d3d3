"""One action on one process, without a watch around it: for the verbs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from memdash.errors import AgentUnreachable, TimedOut
from memdash.model.action import Action, Deed
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.sampling.clock import Clock, SystemClock
from memdash.sampling.roster import Roster
from memdash.session.attach import attach

__all__ = ["Errand", "awaited"]

_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """How an action is carried out.

    ``consent`` is asked before each step, with the sentence that says what it does to the target; ``tell`` hears what
    happens meanwhile; the agent gets ``patience_s`` seconds to come to life.
    """

    consent: Callable[[Action, str], bool]
    tell: Callable[[str], object]
    patience_s: float = 10.0
    entries: Sequence[ProbeEntry] = PROBES
    clock: Clock = field(default_factory=SystemClock)
    pause: Callable[[float], object] = time.sleep

    def run(self, target: Target, action: Action) -> Deed | None:
        """Have it done to ``target``, with the agent loaded first when only that can; None without consent.

        Raises TimedOut when the agent does not come to life, AgentUnreachable when it never will, and MemdashError
        when nothing can be read.
        """
        roster = attach(target, self.entries, self.clock).roster
        try:
            offer, loading = roster.offer(action), roster.offer(Action.LOAD_AGENT)
            if isinstance(offer, Missing) and not isinstance(loading, Missing):
                if not self.consent(Action.LOAD_AGENT, loading):
                    return None
                loaded = roster.act(Action.LOAD_AGENT)
                if loaded.failed:
                    return loaded
                offer = awaited(roster, action, self.patience_s, self.tell, clock=self.clock, pause=self.pause)
            if not isinstance(offer, Missing) and not self.consent(action, offer):
                return None
            return roster.act(action)
        finally:
            roster.close()


def awaited(
    roster: Roster,
    action: Action,
    patience_s: float,
    tell: Callable[[str], object],
    *,
    clock: Clock,
    pause: Callable[[float], object] = time.sleep,
) -> str:
    """What the agent offers, once it is there. ``tell`` hears what happens meanwhile.

    Raises TimedOut when it does not come to life within ``patience_s``, AgentUnreachable when it never will.
    """
    until_s = clock.now().mono_s + patience_s
    while True:
        for line in roster.news():
            tell(line)
        offer = roster.offer(action)
        if not isinstance(offer, Missing):
            return offer
        if not isinstance(roster.offer(Action.LOAD_AGENT), Missing):  # the attempt is over: it was refused
            raise AgentUnreachable(f"the agent does not come to life: {offer.why}", offer.hint)
        if clock.now().mono_s >= until_s:
            raise TimedOut(f"the agent has not come to life: {offer.why}", offer.hint)
        pause(_LOOK_EVERY_S)
