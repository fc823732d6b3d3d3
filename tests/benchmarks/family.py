"""What it takes to look at a process tree, small among many processes, and large: CPU time of the reading thread."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

from memdash.probes.system.family import FamilyProbe
from memdash.process.identity import identify
from tests.benchmarks.cost import cpu_ms
from tests.benchmarks.result import Result

__all__ = ["family"]

_FORKS = """
import os, signal, sys
for _ in range(int(sys.argv[1])):
    if not os.fork():
        signal.pause()
print("ready", flush=True)
sys.stdin.read()
os.kill(0, signal.SIGKILL)
"""
_LOOKS = 20


def family() -> Iterator[Result]:
    """A master with four workers among 2 000 others, then one with 299."""
    with ExitStack() as others:
        others.enter_context(_Master(2000))
        yield _measured(4, "a tree of 5 among 2 000 other processes")
    yield _measured(299, "a tree of 300")


class _Master(ExitStack):
    """A program with so many workers, which end with it."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self._child = subprocess.Popen(
            [sys.executable, "-c", _FORKS, str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
        )
        self.callback(self._child.communicate)
        assert self._child.stdout is not None
        self._child.stdout.readline()
        self.pid = self._child.pid


def _measured(workers: int, what: str) -> Result:
    with _Master(workers) as master:
        probe = FamilyProbe(identify(master.pid))
        costs = []
        for _ in range(_LOOKS):
            time.sleep(0.05)
            costs.append(cpu_ms(probe.read))
    share = statistics.mean(costs) / 10 / probe.cadence_s
    return Result(
        f"{what}: first look · the median · share of a core",
        f"{costs[0]:.0f} · {statistics.median(costs):.1f} ms CPU · {share:.2f} %",
        "≤ 1 %",
        share <= 1,
    )
