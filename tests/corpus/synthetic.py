"""Made-up series: a heap of a program's shape, its collector and its load, from a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from memdash.units import MIB
from tests.corpus.recording import LIVE, Label, Recording
from tests.corpus.shapes import Program, programs

__all__ = ["synthetic"]

_SECONDS = 900
_STEPS = 4
"""Of one second."""


def _run(program: Program, name: str, label: Label, seed: int) -> Recording:
    chance = random.Random(seed)
    start_s = chance.random() * 50
    live = program.base_bytes + program.held(start_s)
    heap, allocated, cycles, wander = live, 0.0, 10, 0.0
    rss = heap
    times: list[float] = []
    columns: dict[str, list[float | None]] = {
        key: [] for key in (LIVE, "NumGC", "TotalAlloc", "system.rss_bytes", "tasks.total")
    }
    leaked = 0.0
    for second in range(_SECONDS):
        for step in range(_STEPS):
            now_s = start_s + (second + step / _STEPS)
            load = program.load(now_s) * max(chance.gauss(1, 0.1), 0.05)
            wander = 0.98 * wander + 0.2 * chance.gauss(0, 1)
            new = program.alloc_per_s * load / _STEPS
            allocated, heap = allocated + new, heap + new
            leaked += program.leak(now_s) / _STEPS
            if heap > 2 * live + 4 * MIB:
                cycles += 1
                spread = math.exp(program.noise * (0.7 * chance.gauss(0, 1) + 0.3 * wander))
                live = program.base_bytes + program.held(now_s) + leaked + program.flight_bytes * load * spread
                heap = live
            rss = max(rss * 0.9999, heap + 8 * MIB)
        times.append(float(second))
        tasks = 20 + 40 * load + program.tasks(now_s)
        row = (live, cycles, allocated, rss, tasks)
        for column, value in zip(columns.values(), row, strict=True):
            column.append(float(round(value)))
    return Recording(
        name=name,
        label=label,
        runtime="go",
        times_s=times,
        columns=columns,
        leaks_from_s=max(program.settled_s - start_s, 0.0),
    )


def synthetic(seeds: range) -> Iterator[Recording]:
    """Every kind for each seed."""
    for seed in seeds:
        for name, label, program in programs(seed, (8, 800), (0.05, 2)):
            yield _run(program, f"{name} {seed}", label, seed)
