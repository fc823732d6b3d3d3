"""The invariants: all hold on what adds up, and each failure refuses what it guards."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from memdash.errors import LayoutRefused
from memdash.model.capability import Capability
from memdash.probes.go import GO
from memdash.probes.go.counters import CounterReader
from memdash.probes.go.program import Program
from memdash.probes.go.verify import MODIFIED, verify
from memdash.probes.invariants import Check, refuse_if_failed
from tests.probes.go.runtime import FakeRuntime

pytestmark = pytest.mark.usefixtures("looks_at_once")

Damage = Callable[[FakeRuntime], object]

DAMAGES: dict[str, tuple[Damage, set[Capability]]] = {
    "the two accounts of the heap in use agree": (
        lambda runtime: runtime.set("gcController", "gcControllerState", "heapInUse", 8192),
        {Capability.MEMSTATS, Capability.GC},
    ),
    "the two accounts of released memory agree": (
        lambda runtime: runtime.heap("released", 4096),
        {Capability.MEMSTATS, Capability.GC},
    ),
    "committed memory adds up": (
        lambda runtime: runtime.heap("committed", 4096),
        {Capability.MEMSTATS, Capability.GC},
    ),
    "the heap in use is whole pages": (
        lambda runtime: runtime.set("gcController", "gcControllerState", "heapInUse", 100),
        {Capability.MEMSTATS, Capability.GC},
    ),
    "arenas hold all of the heap": (
        lambda runtime: runtime.arenas((0xC0_0000_0000, 0xC0_0040_0000)),
        {Capability.ARENAS},
    ),
    "every P has its number": (
        lambda runtime: runtime.set(runtime.p[1], "p", "id", 5, size=4),
        {Capability.MEMSTATS, Capability.GC},
    ),
    "the two counts of collections agree": (
        lambda runtime: runtime.set("work", "workType", "cycles", 7, size=4),
        set(),
    ),
    "the collector's share of CPU is a share": (
        lambda runtime: runtime.set("memstats", "mstats", "gc_cpu_fraction", 0x4010_0000_0000_0000),
        {Capability.MEMSTATS, Capability.GC},
    ),
    "the pauses add up": (
        lambda runtime: runtime.set("memstats", "mstats", "pause_total_ns", 5),
        {Capability.MEMSTATS, Capability.GC},
    ),
    "live bytes do not exceed HeapAlloc": (
        lambda runtime: runtime.set("gcController", "gcControllerState", "totalAlloc", 5),
        {Capability.MEMSTATS, Capability.GC},
    ),
    "goroutines are in known states": (
        lambda runtime: runtime.set(runtime.goroutines[0], "g", "atomicstatus", 77, size=4),
        {Capability.TASKS},
    ),
    "every goroutine has its number": (
        lambda runtime: [runtime.goroutine(["main.wait"], goid=7) for _ in range(2)],
        {Capability.TASKS},
    ),
    "goroutines wait for known reasons": (
        lambda runtime: runtime.goroutine(["main.wait"], waitreason=200),
        {Capability.TASKS},
    ),
    "goroutines wait on their own stacks": (
        lambda runtime: runtime.set(runtime.goroutine(["main.wait"]), "g", "stack", 1 << 63),
        {Capability.TASKS},
    ),
    "spans begin at pages": (
        lambda runtime: runtime.set(runtime.spans[0], "mspan", "startAddr", 4096),
        {Capability.MEMSTATS, Capability.GC, Capability.OBJECTS},
    ),
    "spans hold objects of their size": (
        lambda runtime: runtime.objects(2, 3, elemsize=32),
        {Capability.OBJECTS},
    ),
    "profile records hash as they say": (
        lambda runtime: runtime.set(runtime.bucket(16, [1]), "bucket", "hash", 1),
        {Capability.SITES},
    ),
    "the program states the version it was built with": (
        lambda runtime: runtime.text(runtime.addresses["buildVersion"], "go1.18.1"),
        set(GO.capabilities),
    ),
}
OF_GOROUTINES = {name for name, (_, guarded) in DAMAGES.items() if guarded == {Capability.TASKS}}


def checked(program: Program) -> dict[str, Check]:
    return {check.name: check for check in verify(program, CounterReader(program))}


def test_all_hold_when_everything_adds_up(runtime: FakeRuntime) -> None:
    runtime.bucket(16, [1, 2, 3])
    checks = checked(runtime.program)
    assert len(checks) >= 14
    assert {name: check.why for name, check in checks.items() if not check.holds} == {}
    for capability in Capability:
        refuse_if_failed(tuple(checks.values()), capability, MODIFIED)


@pytest.mark.parametrize("name", DAMAGES)
def test_each_tells_and_refuses_what_it_guards(runtime: FakeRuntime, name: str) -> None:
    damage, guarded = DAMAGES[name]
    damage(runtime)
    checks = checked(runtime.program)
    assert not checks[name].holds
    assert checks[name].why
    assert checks[name].guards == guarded
    for capability in guarded:
        with pytest.raises(LayoutRefused, match=name):
            refuse_if_failed((checks[name],), capability, MODIFIED)
    for capability in set(Capability) - guarded:
        refuse_if_failed((checks[name],), capability, MODIFIED)


def test_a_pointer_to_nowhere_fails_its_checks_and_no_others(runtime: FakeRuntime) -> None:
    runtime.word("allgptr", 8)
    failed = [check for check in checked(runtime.program).values() if not check.holds]
    assert {check.name for check in failed} == OF_GOROUTINES
    assert all("not mapped" in check.why for check in failed)


def test_a_program_has_at_least_one_goroutine(runtime: FakeRuntime) -> None:
    runtime.word("allglen", 0)
    assert {check.name for check in checked(runtime.program).values() if not check.holds} == OF_GOROUTINES


def test_variables_that_were_not_located_are_not_checked(runtime: FakeRuntime) -> None:
    optional = {"work", "buildVersion", "mbuckets", "allglen", "allgptr"}
    fewer = {name: address for name, address in runtime.addresses.items() if name not in optional}
    assert all(check.holds for check in checked(replace(runtime.program, addresses=fewer)).values())
