"""A target with the probes of memdash attached, and what a Go target says of itself in the same terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Self, TypeVar

from memdash.model.gc import GcStats
from memdash.model.memstats import MemStats, SizeClass
from memdash.model.objects import Objects
from memdash.model.profile import Profile
from memdash.model.tasks import Tasks
from memdash.probes.go import GO
from memdash.probes.probe import ProbeEntry
from memdash.process.identity import identify
from tests.live.target import LiveTarget

__all__ = ["MOVED_BY_ASKING", "Watched", "differences", "own_memstats"]

MOVED_BY_ASKING = frozenset(
    {"GCSys", "OtherSys", "HeapSys", "HeapIdle", "HeapInuse", "HeapReleased", "StackInuse", "StackSys", "Sys"}
)
"""Accounts between which memory moves when a Go target flushes its caches to tell its MemStats."""

Fact = TypeVar("Fact", MemStats, GcStats, Profile, Tasks, Objects)


class Watched:
    """Attaches as memdash does; a context manager that detaches."""

    def __init__(self, target: LiveTarget, entry: ProbeEntry = GO) -> None:
        self.attachment = entry.attach(identify(target.pid))

    def memstats(self) -> MemStats:
        return self._read(MemStats)

    def gc(self) -> GcStats:
        return self._read(GcStats)

    def objects(self) -> Objects:
        return self._read(Objects)

    def profile(self) -> Profile:
        return self._read(Profile)

    def tasks(self) -> Tasks:
        return self._read(Tasks)

    def _read(self, kind: type[Fact]) -> Fact:
        for probe in self.attachment.probes:
            reading = probe.read()
            while reading.pending and not reading.facts:
                reading = probe.read()
            for fact in reading.facts:
                if isinstance(fact, kind):
                    return fact
        raise AssertionError(f"no probe reads {kind.__name__}: {self.attachment.missing}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for probe in self.attachment.probes:
            probe.close()


def own_memstats(told: Mapping[str, Any]) -> MemStats:
    """What the target's ReadMemStats said, with the rings of pauses unrolled newest first."""
    cycles = told["NumGC"]
    rows = tuple(SizeClass(row["Size"], row["Mallocs"], row["Frees"]) for row in told["BySize"])
    rings = {name: _newest_first(told[name], cycles) for name in ("PauseNs", "PauseEnd")}
    return MemStats(**{**told, **rings, "BySize": rows})


def _newest_first(ring: Sequence[int], cycles: int) -> tuple[int, ...]:
    """Cycle number n, counted from 1, is at (n - 1) % 256."""
    return tuple(ring[(number - 1) % len(ring)] for number in range(cycles, max(cycles - len(ring), 0), -1))


def differences(ours: MemStats, theirs: MemStats) -> dict[str, tuple[object, object]]:
    """The fields that are not equal."""
    pairs = {field.name: (getattr(ours, field.name), getattr(theirs, field.name)) for field in fields(MemStats)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
