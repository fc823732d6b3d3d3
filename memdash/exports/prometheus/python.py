"""The names of client_python's collectors of its interpreter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from memdash.exports.prometheus.family import Family, Row, Type, label, readable
from memdash.model.capability import Capability
from memdash.model.gc import Generation
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.model.target import Runtime

__all__ = ["PYTHON"]


def _by_generation(figure: Callable[[Generation], int]) -> Callable[[Snapshot], Iterator[Row]]:
    """A counter for each generation, by its number, as gc.get_stats() has them."""

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        gc = snapshot.sample.gc
        if isinstance(gc, Missing) or not readable(snapshot, Capability.GC):
            return
        for number, generation in enumerate(gc.generations):
            yield Row(figure(generation), {"generation": str(number)})

    return rows


def _info(snapshot: Snapshot) -> Iterator[Row]:
    if snapshot.target.runtime is Runtime.CPYTHON and snapshot.target.runtime_version:
        version = label(snapshot.target.runtime_version.removeprefix("cpython "))
        parts = re.match(r"(\d+)\.(\d+)\.(\w+)", version)
        numbers = dict(zip(("major", "minor", "patchlevel"), parts.groups(), strict=True)) if parts else {}
        yield Row(1, {"implementation": "CPython", "version": version} | numbers)


PYTHON = (
    Family(
        "python_gc_objects_collected_total",
        "Objects collected during gc",
        Type.COUNTER,
        _by_generation(lambda generation: generation.collected),
    ),
    Family(
        "python_gc_objects_uncollectable_total",
        "Uncollectable objects found during GC",
        Type.COUNTER,
        _by_generation(lambda generation: generation.uncollectable),
    ),
    Family(
        "python_gc_collections_total",
        "Number of times this generation was collected",
        Type.COUNTER,
        _by_generation(lambda generation: generation.collections),
    ),
    Family("python_info", "Python platform information", Type.GAUGE, _info),
)
