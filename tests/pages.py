"""Handmade mappings and arenas, and a watch over a process that has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from memdash.analysis.residence import residence_of
from memdash.model.capability import Capability, Source
from memdash.model.residence import Arenas, MappingGroup, MappingKind, Mappings
from memdash.model.sample import Instant, Origin
from memdash.model.snapshot import Snapshot
from memdash.model.target import Runtime
from memdash.units import MIB
from tests.fakes import a_gc, a_sample, a_snapshot, memstats

__all__ = ["GO_ARENAS", "a_group", "resident", "some_mappings"]

GO_ARENAS = Arenas(((0xC0_0000_0000, 0xC0_2400_0000),), 455 * MIB, 0)
"""576 MiB."""


def a_group(kind: MappingKind, rss_mib: float, name: str = "", start: int = 0, **changes: Any) -> MappingGroup:
    """So much resident memory of one kind, all of it private; with ``start`` a single mapping twice as large."""
    rss = round(rss_mib * MIB)
    is_anonymous = kind in (MappingKind.ANONYMOUS, MappingKind.MALLOC, MappingKind.STACK, MappingKind.RUNTIME)
    group = MappingGroup(
        kind=kind, name=name, pieces=1 if start else 4, size_bytes=2 * rss, rss_bytes=rss, pss_bytes=rss,
        private_bytes=rss, anonymous_bytes=rss if is_anonymous else 0, swap_bytes=0, start=start,
        end=start + 2 * rss if start else 0,
    )  # fmt: skip
    return group._replace(**changes)


def some_mappings(*more: MappingGroup, rss_mib: float = 0.0) -> Mappings:
    """Those of a Go server with C in it; ``rss_mib`` is what the kernel's count differs by."""
    groups = (
        a_group(MappingKind.STACK, 455, start=0xC0_0000_0000, end=0xC0_2400_0000),
        a_group(MappingKind.ANONYMOUS, 24, start=0x7F12_0000_0000),
        a_group(MappingKind.MALLOC, 12, "[heap]"),
        a_group(MappingKind.FILE, 11, "/srv/shop/catalogue.db"),
        a_group(MappingKind.PROGRAM, 9, "/srv/shop-server"),
        a_group(MappingKind.MALLOC, 8, start=0x7F10_0000_0000),
        a_group(MappingKind.SHARED, 4, "/dev/shm/prices"),  # noqa: S108 - nobody opens it
        a_group(MappingKind.LIBRARY, 2.5, "/usr/lib/x86_64-linux-gnu/libc.so.6"),
        a_group(MappingKind.STACK, 0.25, start=0x7F16_0000_0000),
        a_group(MappingKind.ANONYMOUS, 0.125),
        a_group(MappingKind.KERNEL, 0.0078125, "[vdso]"),
        *more,
    )
    ordered = tuple(sorted(groups, key=lambda group: -group.rss_bytes))
    counted = sum(group.rss_bytes for group in groups)
    return Mappings(ordered, counted + round(rss_mib * MIB), 214)


def resident(*facts: Any, runtime: Runtime = Runtime.GO, caveats: Iterable[str] = (), **changes: Any) -> Snapshot:
    """A watch with these mappings, arenas and counters, of 4 s ago; those of a Go server in place of others."""
    given = (memstats(), a_gc(), some_mappings(), GO_ARENAS, *facts)
    snapshot = a_snapshot(seconds=60)
    sample = replace(a_sample(snapshot.at, *given), **changes)
    read_at = Instant(snapshot.at.wall_s - 4, snapshot.at.mono_s - 4)
    origins = {**sample.origins, Capability.MAPPINGS: Origin(Source.PROC, read_at, tuple(caveats))}
    sample = replace(sample, origins=origins)
    target = replace(snapshot.target, runtime=runtime)
    return replace(snapshot, target=target, sample=sample, residence=residence_of(sample, runtime))
