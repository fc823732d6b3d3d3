"""What counts against which limit, and which limit is the nearest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from memdash.analysis.ceilings import counted, nearest, what_counts
from memdash.model.capability import Capability, Source
from memdash.model.gc import NO_LIMIT
from memdash.model.missing import Missing
from memdash.model.relief import Ceiling
from memdash.model.sample import Instant, Origin, Sample
from memdash.model.system import Cgroup
from memdash.units import MIB
from tests.fakes import a_gc, a_sample, a_system, memstats

AT = Instant(0.0, 0.0)
FOUND = Missing("no other was given")
NONE = Missing("none is set")


def a_cgroup(**changes: Any) -> Cgroup:
    cgroup = a_system().cgroup
    assert not isinstance(cgroup, Missing)
    return replace(cgroup, **changes)


def sample(**system: Any) -> Sample:
    """Sys less HeapReleased is 250 MiB of 1000, the cgroup 200 of 1000, the address space 300 of 1000."""
    stats = memstats(Sys=294 * MIB, HeapReleased=44 * MIB)
    usual: dict[str, Any] = {
        "cgroup": a_cgroup(usage_bytes=230 * MIB, inactive_file_bytes=30 * MIB, limit_bytes=1000 * MIB),
        "vms_bytes": 300 * MIB,
        "address_space_limit_bytes": 1000 * MIB,
        "rss_bytes": 180 * MIB,
    }
    return a_sample(AT, stats, a_gc(memory_limit_bytes=1000 * MIB), a_system(**(usual | system)))


def without(capability: Capability, found: Sample) -> Sample:
    """Its newest readings of this have failed."""
    old = Origin(Source.MEMORY, AT, failing="it is busy")
    return replace(found, origins={**found.origins, capability: old})


def test_the_nearest_is_the_one_of_which_most_is_in_use() -> None:
    assert nearest(sample(), FOUND) == Ceiling("RLIMIT_AS", 300 * MIB, 1000 * MIB)
    assert nearest(sample(address_space_limit_bytes=NONE), FOUND) == Ceiling("GOMEMLIMIT", 250 * MIB, 1000 * MIB)
    small = a_cgroup(usage_bytes=230 * MIB, inactive_file_bytes=30 * MIB, limit_bytes=500 * MIB)
    assert nearest(sample(cgroup=small), FOUND) == Ceiling("the cgroup limit", 200 * MIB, 500 * MIB)


@pytest.mark.parametrize(
    ("name", "used_mib", "what"),
    [
        ("GOMEMLIMIT", 250, "Sys less HeapReleased"),
        ("the cgroup limit", 200, "the cgroup's usage"),
        ("RLIMIT_AS", 300, "the address space"),
        ("the limit", 180, "RSS"),
    ],
)
def test_against_each_limit_counts_something_else(name: str, used_mib: int, what: str) -> None:
    assert (counted(sample(), name), what_counts(sample(), name)) == (used_mib * MIB, what)
    assert isinstance(counted(without(Capability.SYSTEM, sample()), "RLIMIT_AS"), Missing)


@pytest.mark.parametrize(("cache", "used"), [(30 * MIB, 200 * MIB), (NONE, 230 * MIB), (240 * MIB, 0)])
def test_page_cache_that_can_be_dropped_does_not_count(cache: int | Missing, used: int) -> None:
    cgroup = a_cgroup(usage_bytes=230 * MIB, inactive_file_bytes=cache, limit_bytes=200 * MIB)
    assert cgroup.used_bytes == used
    assert cgroup.used_ratio == used / (200 * MIB)


def test_a_limit_that_was_given_is_the_only_one_and_counts_rss() -> None:
    assert nearest(sample(), 900 * MIB) == Ceiling("the limit", 180 * MIB, 900 * MIB)


def test_of_a_server_that_only_its_runtime_tells_of_what_that_holds_counts() -> None:
    far = replace(sample(), system=NONE)
    assert nearest(far, 900 * MIB) == Ceiling("the limit", 250 * MIB, 900 * MIB)
    assert nearest(replace(far, memstats=NONE), 900 * MIB) == NONE


def test_old_figures_do_not_count() -> None:
    assert nearest(without(Capability.SYSTEM, sample()), FOUND) == Ceiling("GOMEMLIMIT", 250 * MIB, 1000 * MIB)
    assert nearest(without(Capability.MEMSTATS, sample(cgroup=NONE, address_space_limit_bytes=NONE)), FOUND) == Missing(
        "what is in use is not known now"
    )


def test_without_any_limit_one_is_asked_for() -> None:
    free = replace(sample(cgroup=NONE, address_space_limit_bytes=NONE), gc=a_gc(memory_limit_bytes=NO_LIMIT))
    found = nearest(free, FOUND)
    assert isinstance(found, Missing)
    assert "--limit" in found.hint
    assert isinstance(nearest(Sample.empty(AT, NONE), FOUND), Missing)


def test_a_limit_of_nothing_is_none() -> None:
    odd = sample(cgroup=a_cgroup(limit_bytes=0), address_space_limit_bytes=0)
    assert nearest(odd, FOUND) == Ceiling("GOMEMLIMIT", 250 * MIB, 1000 * MIB)
