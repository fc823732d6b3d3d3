"""From a target and the registered ways of reading to open probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memdash.errors import MemdashError, ProbeError, TargetError, TargetExited, defects_told
from memdash.model.action import Actor
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.probes.probe import Fit, Probe, ProbeEntry, judged
from memdash.sampling.clock import Clock
from memdash.sampling.roster import Roster

__all__ = ["Attached", "attach"]


@dataclass(frozen=True, slots=True)
class Attached:
    """The target as the probes know it, and what they are; ``log`` holds lines for the alert log."""

    target: Target
    roster: Roster
    missing: dict[Capability, Missing]
    log: tuple[str, ...]


def attach(target: Target, entries: Sequence[ProbeEntry], clock: Clock) -> Attached:
    """Open every way of reading that suits; a capability is read by the first entry that gives it.

    An entry that refuses or fails leaves its reason under each capability that nobody else gives; that of one which
    recognises the target counts before others. Raises TargetExited, and the last error when nothing can be read at all.
    """
    probes: list[Probe] = []
    actors: list[Actor] = []
    missing: dict[Capability, Missing] = {}
    answered: set[Capability] = set()
    log: list[str] = []
    failure: MemdashError | None = None
    for entry in entries:
        if entry.capabilities <= answered:
            continue  # not even asked: all it could read is read, or known not to be there
        verdict = judged(entry, target)
        if not isinstance(verdict, Fit):
            why = Missing(verdict.why, verdict.hint)
            missing |= {c: why for c in entry.capabilities if verdict.recognised or c not in missing}
            continue
        try:
            with defects_told():
                attachment = entry.attach(target)
        except TargetExited:
            Roster(probes, missing, clock, actors).close()
            raise
        except (ProbeError, TargetError) as error:
            failure = error
            missing |= dict.fromkeys(entry.capabilities, Missing(error.what, error.hint))
            log.append(f"{entry.name}: {error.what}")
            continue
        if verdict.runtime_version:
            target = replace(target, runtime=verdict.runtime, runtime_version=verdict.runtime_version)
        probes += attachment.probes
        actors += attachment.actors
        missing |= attachment.missing
        answered |= _given(attachment.probes) | attachment.missing.keys()
        log += attachment.log
    if not probes and failure is not None:
        raise failure
    given = _given(probes)
    missing = {capability: why for capability, why in missing.items() if capability not in given}
    return Attached(target, Roster(probes, missing, clock, actors), missing, tuple(log))


def _given(probes: Sequence[Probe]) -> frozenset[Capability]:
    return frozenset[Capability]().union(*(probe.capabilities for probe in probes))
