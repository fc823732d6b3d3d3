"""What it takes to attach to a CPython program, to look at its collector, small objects and threads: CPU time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

from memdash.probes.cpython import CPYTHON
from memdash.probes.probe import Fit, Probe
from memdash.process.identity import identify
from memdash.sampling.budget import Budget
from tests.benchmarks.cost import cpu_ms
from tests.benchmarks.result import Result
from tests.live.pythons import Python, spread
from tests.live.target import PythonTarget

__all__ = ["cpython"]

_OBJECTS_PER_MB = 9_000
_TIMES = 20


def cpython() -> Iterator[Result]:
    """The oldest interpreter of this machine that memdash reads, whose pools are a quarter as large, and the newest."""
    for python in spread(2):
        yield from _measured(python)


def _measured(python: Python) -> Iterator[Result]:
    with PythonTarget(python.executable) as target, ExitStack() as opened:
        cost, probes = _attach(target.pid)
        for probe in probes.values():
            opened.callback(probe.close)
        name = f"CPython {target.version}"
        yield Result(f"{name}: detect to verified, first of all", f"{cost:.1f} ms CPU", "≤ 15 ms", cost <= 15)
        again = statistics.median(_attach(target.pid)[0] for _ in range(5))
        yield Result(f"{name}: detect to verified, median", f"{again:.1f} ms CPU", "≤ 15 ms", again <= 15)
        sample, cold = (_median_ms(probes["cpython.gc"], pause_s) for pause_s in (0.0, 0.05))
        yield Result(
            f"{name}: one GC sample, median: back to back · with caches as cold as they are at twenty a second",
            f"{sample:.3f} · {cold:.3f} ms CPU",
            "≤ 0.2 ms",
            cold <= 0.2,
        )
        held_mb = 0
        for size_mb in (0, 100, 800):
            target.command("keep", (size_mb - held_mb) * _OBJECTS_PER_MB)
            held_mb = size_mb
            yield _walk(name, probes["cpython.obmalloc"])
    with PythonTarget(python.executable, program="threads.py", arguments=["plain"]) as target, ExitStack() as opened:
        probes = _attach(target.pid)[1]
        for probe in probes.values():
            opened.callback(probe.close)
        target.command("wait", 100)
        while target.command("settled") != "True":
            time.sleep(0.1)
        threads = probes["cpython.threads"]
        first = cpu_ms(threads.read)
        yield Result(f"{name}: 100 threads of 20 frames, when they are first met", f"{first:.1f} ms CPU", "", None)
        sleeping = _median_ms(threads, 0.05)
        yield Result(f"{name}: the same while they sleep, median", f"{sleeping:.1f} ms CPU", "≤ 10 ms", sleeping <= 10)
        target.command("compute", 2)
        some_run = _median_ms(threads, 0.05)
        yield Result(f"{name}: while two of them run", f"{some_run:.1f} ms CPU", "≤ 10 ms", some_run <= 10)


def _attach(pid: int) -> tuple[float, dict[str, Probe]]:
    before = time.thread_time()
    target = identify(pid)
    if not isinstance(CPYTHON.fitness(target), Fit):
        raise SystemExit("the benchmark's own target does not fit")
    probes = {probe.name: probe for probe in CPYTHON.attach(target).probes}
    return 1e3 * (time.thread_time() - before), probes


def _median_ms(probe: Probe, pause_s: float) -> float:
    costs = []
    for _ in range(_TIMES):
        time.sleep(pause_s)
        costs.append(cpu_ms(probe.read))
    return statistics.median(costs)


def _walk(name: str, probe: Probe) -> Result:
    cost = _median_ms(probe, pause_s=0.01)
    budget = Budget(probe.cadence_s)
    budget.spent(0.0, cost / 1e3)
    share = cost / 10 / budget.cadence_s
    arenas = getattr(probe.read().facts[0], "HeapSys", 0)
    return Result(
        f"{name}: blocks and arenas of {arenas >> 20} MiB, and the share of a core that this takes",
        f"{cost:.2f} ms CPU every {budget.cadence_s:.1f} s · {share:.2f} %",
        "≤ 2 %",
        share <= 2,
    )
