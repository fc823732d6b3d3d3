"""What it takes to read half a million traces of tracemalloc, and what that costs the program that made them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from memdash.model.profile import Profile
from memdash.probes.cpython import CPYTHON
from memdash.probes.cpython.traces import PART_TRACES
from memdash.probes.probe import Probe
from memdash.process.identity import identify
from tests.benchmarks.result import Result
from tests.benchmarks.terminal import cpu_s
from tests.live import target as live
from tests.live.pythons import Python, spread
from tests.live.target import LiveTarget

__all__ = ["tracemalloc"]

_PROGRAM = Path(live.__file__).parent / "programs/python/leaking.py"
_LEAKED = 120_000
_TURN_S = 3.0
_PAIRS = 10


def tracemalloc() -> Iterator[Result]:
    """The oldest interpreter of this machine that memdash reads, and the newest."""
    for python in spread(2):
        yield from _measured(python)


def _measured(python: Python) -> Iterator[Result]:
    with LiveTarget([python.executable, _PROGRAM]) as target:
        target.command("start", 1)
        target.command("leak", _LEAKED)
        probes = CPYTHON.attach(identify(target.pid)).probes
        try:
            probe = next(probe for probe in probes if probe.name == "cpython.sites")
            traces, whole_ms = _cost_ms(probe, until=lambda pending: not pending)
            part_ms = statistics.median(_cost_ms(probe, until=lambda _: True)[1] for _ in range(10))
            name = f"CPython {target.version}"
            yield Result(
                f"{name}: all of {traces} traces, one part of {PART_TRACES} again",
                f"{whole_ms:.0f} · {part_ms:.0f} ms CPU",
                "≤ 100 ms a part",
                part_ms <= 100,
            )
            ratios = _ratios(target, probe)
            ratio = statistics.median(ratios)
            yield Result(
                f"{name}: its operations per CPU second, its {traces} traces read once a second",
                f"{ratio:.3f}× (from {min(ratios):.3f} to {max(ratios):.3f})",
                "≥ 0.99×",
                ratio >= 0.99,
            )
        finally:
            for probe in probes:
                probe.close()


def _cost_ms(probe: Probe, until: Callable[[str], bool]) -> tuple[int, float]:
    """Traces, and CPU time until a reading with a profile satisfies ``until``."""
    before_s = time.thread_time()
    while True:
        reading = probe.read()
        for profile in reading.facts:
            assert isinstance(profile, Profile)
            if until(reading.pending):
                return profile.total.inuse_objects, 1e3 * (time.thread_time() - before_s)


def _ratios(target: LiveTarget, probe: Probe) -> list[float]:
    """Of neighbouring turns, with reading and without."""

    def watch() -> None:
        probe.read()
        _wait()

    target.command("run", "work")
    try:
        return [_speed(target, watch) / _speed(target, _wait) for _ in range(_PAIRS)]
    finally:
        target.command("rest")


def _wait() -> None:
    time.sleep(1.0)


def _speed(target: LiveTarget, meanwhile: Callable[[], object]) -> float:
    """Operations per CPU second of the target over one turn."""
    operations, cpu, until_s = int(target.command("done")), cpu_s(target.pid), time.monotonic() + _TURN_S
    while time.monotonic() < until_s:
        meanwhile()
    return (int(target.command("done")) - operations) / (cpu_s(target.pid) - cpu)
