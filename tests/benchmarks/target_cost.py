"""What being watched costs the target: its own operations per CPU second, with memdash and without, in turns."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

from tests.benchmarks.result import Result
from tests.benchmarks.targets import allocating
from tests.benchmarks.terminal import Terminal, cpu_s
from tests.live.target import GoTarget

__all__ = ["target_cost"]

_TURN_S = 5.0
_PAIRS = 8


def _speed(target: GoTarget, idle: Terminal) -> float:
    """Operations per CPU second of the target over one turn; ``idle`` is drained meanwhile."""
    operations, cpu = int(target.command("ops")), cpu_s(target.pid)
    idle.drain(_TURN_S)
    return (int(target.command("ops")) - operations) / (cpu_s(target.pid) - cpu)


def target_cost() -> Iterator[Result]:
    """Median of the ratios of neighbouring turns."""
    for words, interval in (("1 Hz", "1s"), ("10 Hz", "100ms")):
        ratios = []
        with allocating() as target:
            watch = (sys.executable, "-m", "memdash", "--pid", str(target.pid), "--interval", interval)
            for _ in range(_PAIRS):
                with Terminal(("sleep", "1000"), 80, 24) as nothing:
                    without = _speed(target, nothing)
                with Terminal(watch, 200, 50) as memdash:
                    memdash.drain(2.0)
                    ratios.append(_speed(target, memdash) / without)
        ratio = statistics.median(ratios)
        yield Result(
            f"target's operations per CPU second, watched at {words}",
            f"{ratio:.3f}× (from {min(ratios):.3f} to {max(ratios):.3f})",
            "≥ 0.99×",
            ratio >= 0.99,
        )
