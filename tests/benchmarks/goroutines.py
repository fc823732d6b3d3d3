"""What a census of goroutines takes, and a count of objects: CPU time of the reading thread."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from memdash.probes.go import GO
from memdash.probes.probe import Probe
from memdash.process.identity import identify
from tests.benchmarks.cost import cpu_ms
from tests.benchmarks.result import Result
from tests.benchmarks.targets import idle, parked

__all__ = ["goroutines", "objects"]

_TIMES = 5


def _probe(pid: int, name: str) -> Probe:
    return next(probe for probe in GO.attach(identify(pid)).probes if probe.name == name)


def goroutines() -> Iterator[Result]:
    """Parked in three ways; what the runtime has not noted yet has its stack read again, what it has noted does not.

    The goal is for all but the first, which a watch takes once.
    """
    for number, goal_ms in ((1_000, None), (10_000, None), (100_000, 150.0)):
        with parked(number) as target:
            probe = _probe(target.pid, "go.goroutines")
            first = cpu_ms(probe.read)
            cpu_ms(probe.read)
            unnoted = statistics.median(cpu_ms(probe.read) for _ in range(_TIMES))
            for _ in range(2):
                target.command("gc")
            changed = cpu_ms(probe.read)
            rest = statistics.median(cpu_ms(probe.read) for _ in range(_TIMES))
            probe.close()
        yield Result(
            f"census of {number} goroutines: first · before a collection noted them · just noted · at rest",
            f"{first:.0f} · {unnoted:.1f} · {changed:.0f} · {rest:.1f} ms CPU",
            f"≤ {goal_ms:.0f} ms" if goal_ms else "",
            max(unnoted, changed, rest) <= goal_ms if goal_ms else None,
        )


def objects() -> Iterator[Result]:
    """By size class and type, in a small heap and in one of many objects that say their type."""
    for number in (0, 100_000):
        with idle() as target:
            target.command("trees", number)
            probe = _probe(target.pid, "go.objects")
            cost = statistics.median(cpu_ms(probe.read) for _ in range(_TIMES))
            probe.close()
        yield Result(f"objects by size and type, {number} of which say theirs", f"{cost:.1f} ms CPU", "", None)
