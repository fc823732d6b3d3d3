"""The probes of one watch: who is due, what they said, what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from memdash.errors import ProbeError, TargetError, TargetExited, defects_told
from memdash.model.capability import Capability
from memdash.model.gc import GcStats
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.model.probe import Probe
from memdash.model.profile import Profile
from memdash.model.sample import CAPABILITY_OF, Fact, Instant, Origin, Sample
from memdash.model.system import Smaps, SystemStats
from memdash.sampling.budget import Budget
from memdash.sampling.clock import Clock

__all__ = ["Roster"]

FactT = TypeVar("FactT", MemStats, GcStats, SystemStats, Smaps, Profile)

_NOBODY = Missing("nothing reads it")
_GIVE_UP_AFTER = 5
"""So many failures in a row and the old value is no longer shown, only why there is none."""


@dataclass(slots=True)
class _Slot:
    probe: Probe
    budget: Budget
    failures: int = 0
    why: Missing = field(default=Missing("not read yet"))


class Roster:
    """Reads whoever is due and joins what they said last into a Sample. Belongs to one thread."""

    def __init__(self, probes: Sequence[Probe], missing: Mapping[Capability, Missing], clock: Clock) -> None:
        self._slots = [_Slot(probe, Budget(probe.cadence_s)) for probe in probes]
        self._missing = missing
        self._clock = clock
        self._facts: dict[Capability, Fact] = {}
        self._origins: dict[Capability, Origin] = {}

    def tick(self, at: Instant) -> Iterator[Sample]:
        """Read the probes that are due: first all the quick ones, then a sample more after each slow one.

        So a profile of 50 000 stacks never holds up MemStats. A failing probe yields Missing; only TargetExited passes
        through.
        """
        due = [slot for slot in self._slots if slot.budget.due(at.mono_s)]
        for slot in due:
            if not slot.probe.cadence_s:
                self._read(slot, at)
        yield self._joined(at)
        for slot in due:
            if slot.probe.cadence_s:
                self._read(slot, at)
                yield self._joined(at)

    def _read(self, slot: _Slot, at: Instant) -> None:
        before_s = self._clock.thread_cpu_s()
        try:
            with defects_told():
                reading = slot.probe.read()
        except TargetExited:
            raise
        except (ProbeError, TargetError) as error:
            slot.budget.failed(at.mono_s)
            slot.failures += 1
            slot.why = Missing(error.what, error.hint)
            self._mark_failing(slot)
            return
        slot.budget.spent(at.mono_s, self._clock.thread_cpu_s() - before_s)
        slot.failures = 0
        for fact in reading.facts:
            capability = CAPABILITY_OF[type(fact)]
            self._facts[capability] = fact
            self._origins[capability] = Origin(reading.source, at, reading.caveats)

    def _mark_failing(self, slot: _Slot) -> None:
        for capability in slot.probe.capabilities & self._facts.keys():
            held = self._origins[capability]
            self._origins[capability] = Origin(held.source, held.at, held.caveats, slot.why.why)
            if slot.failures >= _GIVE_UP_AFTER:
                del self._facts[capability], self._origins[capability]

    def _joined(self, at: Instant) -> Sample:
        return Sample(
            at=at,
            memstats=self._newest(MemStats),
            gc=self._newest(GcStats),
            system=self._newest(SystemStats),
            smaps=self._newest(Smaps),
            sites=self._newest(Profile),
            origins=dict(self._origins),
            costs={slot.probe.name: slot.budget.cost for slot in self._slots},
        )

    def _newest(self, kind: type[FactT]) -> Maybe[FactT]:
        capability = CAPABILITY_OF[kind]
        fact = self._facts.get(capability)
        if isinstance(fact, kind):
            return fact
        for slot in self._slots:
            if capability in slot.probe.capabilities:
                return slot.why
        return self._missing.get(capability, _NOBODY)

    def close(self) -> None:
        """Close every probe."""
        for slot in self._slots:
            slot.probe.close()
