"""What one report costs, and a log."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from memdash.units import MIB
from tests.benchmarks.result import Result
from tests.benchmarks.targets import idle
from tests.benchmarks.terminal import cpu_s, rss_bytes

__all__ = ["child_cpu_s", "log", "report"]

_SETTLED_S, _LOG_S = 10.0, 120.0


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


def log() -> Iterator[Result]:
    """A log at 1 Hz, once it has attached: what it takes while it runs for months beside its target."""
    with idle() as target:
        command = (sys.executable, "-m", "memdash", "log", "-i", "1s", str(target.pid))
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                time.sleep(_SETTLED_S)
                before_s, began_s = cpu_s(process.pid), time.monotonic()
                time.sleep(_LOG_S)
                share = (cpu_s(process.pid) - before_s) / (time.monotonic() - began_s)
                held = rss_bytes(process.pid)
            finally:
                process.terminate()
    measured = f"{share:.2%} of a core · {held / MIB:.1f} MiB"
    yield Result("memdash log at 1 Hz: CPU · RSS", measured, "≤ 0.3 % · 25 MiB", share <= 0.003 and held <= 25 * MIB)
