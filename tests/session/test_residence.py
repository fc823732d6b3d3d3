"""Where RSS comes from is worked out once for each look at the mappings."""

from __future__ import annotations

from dataclasses import replace

from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.residence import Residence, StepKind
from memdash.model.sample import Instant, Origin, Sample
from memdash.model.snapshot import Snapshot
from memdash.session.memory import Memory
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_sample, a_snapshot, memstats
from tests.pages import GO_ARENAS, some_mappings


def sample_at(second: int, heap_mib: int, mapped_at: int) -> Sample:
    at, seen = Instant(NOON_S + second, 20_000.0 + second), Instant(NOON_S + mapped_at, 20_000.0 + mapped_at)
    sample = a_sample(at, memstats(heap_mib * MIB), a_gc(live_after_gc_bytes=0), some_mappings(), GO_ARENAS)
    return replace(sample, origins={**sample.origins, Capability.MAPPINGS: Origin(Source.PROC, seen)})


def heap_mib(snapshot: Snapshot) -> float:
    assert isinstance(snapshot.residence, Residence)
    steps = {step.kind: step.size_bytes for step in snapshot.residence.steps}
    return steps[StepKind.RECENT] / MIB


def test_the_counters_are_those_of_when_the_mappings_were_read() -> None:
    memory, shown = Memory(1.0, ()), a_snapshot(seconds=1)
    shown = memory.add(shown, sample_at(0, 412, mapped_at=0))
    assert heap_mib(shown) == 412
    shown = memory.add(shown, sample_at(1, 500, mapped_at=0))
    assert heap_mib(shown) == 412
    assert heap_mib(memory.refreshed(shown)) == 412
    shown = memory.add(shown, sample_at(10, 480, mapped_at=10))
    assert heap_mib(shown) == 480


def test_while_there_are_no_mappings_it_says_why() -> None:
    memory, why = Memory(1.0, ()), Missing("the kernel shows it only to its owner")
    shown = memory.add(a_snapshot(seconds=1), sample_at(0, 412, mapped_at=0))
    lost = replace(sample_at(1, 412, mapped_at=0), mappings=why)
    assert memory.add(shown, replace(lost, origins={})).residence == why
    assert heap_mib(memory.add(shown, sample_at(30, 400, mapped_at=30))) == 400
