"""What one report costs."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from tests.benchmarks.result import Result
from tests.benchmarks.targets import idle

__all__ = ["child_cpu_s", "report"]


def child_cpu_s(argv: Sequence[str], env: Mapping[str, str] | None = None) -> float:
    """The CPU time of a command, with all that it starts; ``env`` takes the place of our environment."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, env=env, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report() -> Iterator[Result]:
    """CPU of the whole command, next to an interpreter that does nothing."""
    nothing = statistics.median(child_cpu_s((sys.executable, "-c", "pass")) for _ in range(9))
    with idle() as target:
        command = (sys.executable, "-m", "memdash", "report", "--json", "--pid", str(target.pid))
        cost = statistics.median(child_cpu_s(command) for _ in range(9))
    measured = f"{cost:.2f} s CPU (an empty interpreter: {nothing:.2f} s)"
    yield Result("memdash report --json", measured, "≤ 0.2 s", cost <= 0.2)
