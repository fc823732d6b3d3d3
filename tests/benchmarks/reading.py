"""What it takes to attach, to sample MemStats, to refresh a profile: CPU time of the reading thread."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Iterator

from memdash.probes.go import GO
from memdash.probes.probe import Fit, Probe
from memdash.process.identity import identify
from tests.benchmarks.cost import cpu_ms
from tests.benchmarks.result import Result
from tests.benchmarks.targets import huge_program, idle, stacks

__all__ = ["attach", "profile", "sample"]


def _attached(pid: int) -> dict[str, Probe]:
    target = identify(pid)
    fit = GO.fitness(target)
    if not isinstance(fit, Fit):
        raise SystemExit(f"the benchmark's own target does not fit: {fit.why}")
    return {probe.name: probe for probe in GO.attach(target).probes}


def _attach_ms(pid: int) -> float:
    """The median of five: the first one also pays for reading the layout file and warming the page cache."""
    times = []
    for _ in range(5):
        before = time.thread_time()
        probes = _attached(pid)
        times.append(1e3 * (time.thread_time() - before))
        for probe in probes.values():
            probe.close()
    return statistics.median(times)


def attach() -> Iterator[Result]:
    """Detect to verified."""
    with idle() as target:
        cost = _attach_ms(target.pid)
    yield Result("attach, stripped program of 7 MB", f"{cost:.1f} ms CPU", "≤ 50 ms", cost <= 50)
    with subprocess.Popen([huge_program()], stdout=subprocess.PIPE) as huge:
        assert huge.stdout is not None
        huge.stdout.readline()
        cost = _attach_ms(huge.pid)
        huge.kill()
    yield Result("attach, stripped program of 500 000 functions", f"{cost:.1f} ms CPU", "≤ 300 ms", cost <= 300)


def sample() -> Iterator[Result]:
    """One MemStats and GC sample, with caches as cold as they are at ten a second."""
    with idle() as target:
        probes = _attached(target.pid)
        costs = []
        for _ in range(100):
            time.sleep(0.05)
            costs.append(cpu_ms(probes["go.memstats"].read))
        for probe in probes.values():
            probe.close()
    median = statistics.median(costs)
    yield Result("one MemStats + GC sample, median", f"{median:.2f} ms CPU", "≤ 1 ms", median <= 1)


def profile() -> Iterator[Result]:
    """Refresh of a heap profile while the target goes on allocating through a tenth of its stacks."""
    for number, goal_ms in ((10_000, 25.0), (50_000, None)):
        with stacks(number) as target:
            probes = _attached(target.pid)
            reader = probes["go.heap_profile"]
            first = cpu_ms(reader.read)
            costs = []
            for _ in range(10):
                target.command("buckets", number // 10)
                target.command("gc")
                target.command("gc")
                costs.append(cpu_ms(reader.read))
            still = statistics.median(cpu_ms(reader.read) for _ in range(10))
            for probe in probes.values():
                probe.close()
        refresh = statistics.median(costs)
        yield Result(
            f"profile of {number} stacks: first read · refresh with a tenth changed · refresh at rest",
            f"{first:.0f} · {refresh:.1f} · {still:.1f} ms CPU",
            f"refresh ≤ {goal_ms:.0f} ms" if goal_ms else "",
            refresh <= goal_ms if goal_ms else None,
        )
