"""From a target and the registered ways of reading to open probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from memdash.errors import MemdashError
from memdash.model.action import Action, Actor
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Runtime, Target
from memdash.probes.probe import Attachment, Probe, ProbeEntry, Refusal, Unable
from memdash.sampling.clock import Clock
from memdash.sampling.roster import Roster
from memdash.session.opening import LOOKED_FOR, Late, Opening, opening

__all__ = ["Attached", "attach"]


@dataclass(frozen=True, slots=True)
class Attached:
    """The target as the probes know it, and what they are; ``log`` holds lines for the alert log."""

    target: Target
    roster: Roster
    missing: dict[Capability, Missing]
    log: tuple[str, ...]


def attach(
    target: Target, entries: Sequence[ProbeEntry], clock: Clock, later: Callable[[Attached], object] | None = None
) -> Attached:
    """Open every way of reading that suits; a capability is read by the first entry that gives it.

    An entry that refuses or fails leaves its reason under each capability that nobody else gives; that of one which
    recognises the target counts before others. With ``later`` nobody waits for those who have to ask somebody first,
    where there are others: it is told, on the thread that uses the roster, when they have been opened. Raises
    TargetExited, and the last error when nothing can be read at all.
    """
    opened = _Opened(target)
    late = [entry for entry in entries if entry.wanted_for] if later is not None else []
    try:
        for entry in entries:
            if entry not in late and (entry.wanted_for or not entry.capabilities <= opened.answered):
                opened.take(opening(entry, opened.target))
        if not opened.probes:
            while late:
                opened.take(opening(late.pop(0), opened.target))
        opened.require_any()
    except BaseException:
        Roster(opened.probes, {}, clock, opened.actors).close()
        raise
    acting = list(opened.actors)
    if late and later is not None:

        def join(found: Opening, waiting: Sequence[ProbeEntry]) -> None:
            probes, actors, log = len(opened.probes), len(opened.actors), len(opened.log)
            opened.take(found)
            missing = _waiting_for(waiting, opened)
            roster.add(opened.probes[probes:], missing, opened.actors[actors:])
            later(Attached(opened.target, roster, missing, tuple(opened.log[log:])))

        acting.append(Late(opened.target, late, join))
    missing = _waiting_for(late, opened)
    roster = Roster(opened.probes, missing, clock, acting, opened.target.runtime)
    return Attached(opened.target, roster, missing, tuple(opened.log))


def _waiting_for(late: Sequence[ProbeEntry], opened: _Opened) -> dict[Capability, Missing]:
    """Why each capability that nobody gives is missing, as long as these are still being opened."""
    missing = dict(opened.missing)
    for entry in late:
        missing |= dict.fromkeys(entry.capabilities, LOOKED_FOR)
    return {capability: why for capability, why in missing.items() if capability not in opened.given}


class _Opened:
    """What has been opened so far: ``given`` is what its probes read, ``answered`` also what is known not to be had."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.probes: list[Probe] = []
        self.actors: list[Actor] = []
        self.missing: dict[Capability, Missing] = {}
        self.given: frozenset[Capability] = frozenset()
        self.answered: frozenset[Capability] = frozenset()
        self.log: list[str] = []
        self._failure: MemdashError | None = None
        self._unable: frozenset[Action] = frozenset()

    def take(self, found: Opening) -> None:
        """Keep one more way of reading, or note why there is none."""
        entry, verdict = found.entry, found.verdict
        if isinstance(verdict, Refusal):
            self._note(entry, Missing(verdict.why, verdict.hint), first=not verdict.recognised)
        elif isinstance(found.outcome, Attachment):
            self._keep(found.outcome)
            if verdict.runtime is not Runtime.NATIVE:
                version = verdict.runtime_version or self.target.runtime_version
                self.target = replace(self.target, runtime=verdict.runtime, runtime_version=version)
        elif found.outcome is not None:
            self._failure = found.outcome
            self._note(entry, Missing(found.outcome.what, found.outcome.hint), failed=True)

    def require_any(self) -> None:
        """Raise the last error when nothing can be read at all."""
        if not self.probes and self._failure is not None:
            raise self._failure

    def _note(self, entry: ProbeEntry, why: Missing, *, first: bool = False, failed: bool = False) -> None:
        """Why nothing comes of an entry; ``first`` counts only where no other reason is known yet."""
        known = self.missing.keys() if first else self.answered
        self.missing |= dict.fromkeys(entry.capabilities - known, why)
        if failed or entry.wanted_for:
            self.log.append(f"{entry.name}: {why.why}")
        if unable := entry.wanted_for - self._unable:  # of several that were asked for, the first says why
            self.actors.append(Unable(dict.fromkeys(unable, why)))
            self._unable |= unable

    def _keep(self, attachment: Attachment) -> None:
        """A probe of which anything is read already is closed: its figures would be of another source each time."""
        kept = [probe for probe in attachment.probes if self.given.isdisjoint(probe.capabilities)]
        for probe in attachment.probes:
            if probe not in kept:
                probe.close()
        self.probes += kept
        self.actors += attachment.actors
        self.missing |= {c: why for c, why in attachment.missing.items() if c not in self.answered}
        self.given |= frozenset[Capability]().union(*(probe.capabilities for probe in kept))
        self.answered |= self.given | attachment.missing.keys()
        self.log += attachment.log
