"""The limits that a process lives under, each with what counts against it.

What is in use is measured as whoever enforces the limit does:

- GOMEMLIMIT: Sys less HeapReleased, by its definition in runtime/debug.SetMemoryLimit.
- the cgroup's: its usage less the page cache that can be dropped at once, which is near what the OOM killer sees.
- RLIMIT_AS: the address space, touched or not. Go gives none of it back, so that collections only keep it from growing.
- one that a person named: RSS, which is what they see elsewhere; of a server that is known by its URL alone, what its
  runtime holds: Sys less HeapReleased.
"""

from __future__ import annotations

from collections.abc import Iterator

from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.relief import Ceiling
from memdash.model.sample import Sample

__all__ = ["GOMEMLIMIT", "ceilings", "counted", "host_memory", "nearest", "what_counts"]

GOMEMLIMIT = "GOMEMLIMIT"
_NAMED, _CGROUP, _ADDRESS_SPACE = "the limit", "the cgroup limit", "RLIMIT_AS"
_HELD = "Sys less HeapReleased"
_COUNTS = {GOMEMLIMIT: _HELD, _CGROUP: "the cgroup's usage", _ADDRESS_SPACE: "the address space"}

_NO_LIMIT = Missing("no memory limit of this process is known", "give one: --limit 900MiB")
_UNKNOWN = Missing("what is in use is not known now")


def nearest(sample: Sample, limit_bytes: Maybe[int]) -> Maybe[Ceiling]:
    """The limit of which the greatest part is in use, or ``limit_bytes`` alone where that is given.

    Of fresh readings only: an old one would have a collection forced for what has long been freed.
    """
    if not isinstance(limit_bytes, Missing):
        used = _resident(sample)
        return used if isinstance(used, Missing) else Ceiling(_NAMED, used, limit_bytes)
    found = list(ceilings(sample))
    known = [ceiling for ceiling in found if not isinstance(ceiling, Missing)]
    return max(known, key=lambda ceiling: ceiling.ratio) if known else next(iter(found), _NO_LIMIT)


def counted(sample: Sample, name: str) -> Maybe[int]:
    """How much counts against the limit of that name, which ``nearest`` found before."""
    if name == _NAMED:
        return _resident(sample)
    found = (each for each in ceilings(sample) if not isinstance(each, Missing))
    return next((each.used_bytes for each in found if each.name == name), _UNKNOWN)


def what_counts(sample: Sample, name: str) -> str:
    """What that is called: ``RSS``."""
    return _COUNTS.get(name, _HELD if isinstance(sample.system, Missing) else "RSS")


def ceilings(sample: Sample) -> Iterator[Maybe[Ceiling]]:
    """All that are set. Missing stands for a limit against which nobody knows now what counts."""
    gc, system = sample.gc, sample.system
    if not isinstance(gc, Missing) and not isinstance(gc.memory_limit_bytes, Missing):
        yield from _ceiling(GOMEMLIMIT, _held_by_runtime(sample), gc.memory_limit_bytes)
    if isinstance(system, Missing):
        return
    is_fresh = sample.is_fresh(Capability.SYSTEM)
    if not isinstance(system.cgroup, Missing):
        used = system.cgroup.used_bytes if is_fresh else _UNKNOWN
        yield from _ceiling(_CGROUP, used, system.cgroup.limit_bytes)
    mapped = system.vms_bytes if is_fresh else _UNKNOWN
    yield from _ceiling(_ADDRESS_SPACE, mapped, system.address_space_limit_bytes)


def host_memory(sample: Sample) -> Iterator[Maybe[Ceiling]]:
    """That of all processes together: a wall as well, but no collection of this one is forced for it."""
    system = sample.system
    if isinstance(system, Missing) or isinstance(system.host_total_bytes, Missing):
        return
    total, available = system.host_total_bytes, system.host_available_bytes
    if isinstance(available, Missing) or not sample.is_fresh(Capability.SYSTEM):
        yield from _ceiling("host memory", _UNKNOWN, total)
    else:
        yield from _ceiling("host memory", total - available, total)


def _ceiling(name: str, used: Maybe[int], limit: Maybe[int]) -> Iterator[Maybe[Ceiling]]:
    if not isinstance(limit, Missing) and limit > 0:
        yield used if isinstance(used, Missing) else Ceiling(name, used, limit)


def _resident(sample: Sample) -> Maybe[int]:
    system = sample.system
    if isinstance(system, Missing) or isinstance(system.rss_bytes, Missing) or not sample.is_fresh(Capability.SYSTEM):
        return _held_by_runtime(sample)
    return system.rss_bytes


def _held_by_runtime(sample: Sample) -> Maybe[int]:
    stats = sample.memstats
    if isinstance(stats, Missing):
        return stats
    if (
        isinstance(stats.Sys, Missing)
        or isinstance(stats.HeapReleased, Missing)
        or not sample.is_fresh(Capability.MEMSTATS)
    ):
        return _UNKNOWN
    return stats.Sys - stats.HeapReleased
