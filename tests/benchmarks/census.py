"""What it takes to count a million live objects by type, and how long the screen's thread waits meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from memdash.model.objects import Objects
from memdash.probes.cpython import CPYTHON
from memdash.probes.probe import Probe
from memdash.process.identity import identify
from tests.benchmarks.result import Result
from tests.live import target as live
from tests.live.pythons import Python, spread
from tests.live.target import LiveTarget

__all__ = ["census"]

_PROGRAM = Path(live.__file__).parent / "programs/python/objects.py"
_EACH = 23_000
"""Of thirty kinds; with what they refer to a million objects."""

_NAP_S = 0.001


def census() -> Iterator[Result]:
    """Every interpreter of this machine that memdash reads."""
    for python in spread():
        yield _measured(python)


def _measured(python: Python) -> Result:
    with LiveTarget([python.executable, _PROGRAM]) as target:
        target.command("all", _EACH)
        probes = CPYTHON.attach(identify(target.pid)).probes
        try:
            probe = next(probe for probe in probes if probe.name == "cpython.census")
            objects, first_s, _ = _round(probe)
            _, again_s, waited_s = _round(probe)
        finally:
            for probe in probes:
                probe.close()
        per_million_s = again_s * 1e6 / objects.total.objects
        return Result(
            f"CPython {target.version}: {objects.total.objects / 1e6:.2f} M objects by type, the first time · again · "
            "per million · what another thread waits, at most 99 times of 100",
            f"{first_s:.2f} · {again_s:.2f} · {per_million_s:.2f} s CPU · {1e3 * waited_s:.0f} ms",
            "≤ 0.8 s a million, ≤ 50 ms",
            per_million_s <= 0.8 and waited_s <= 0.05,
        )


def _round(probe: Probe) -> tuple[Objects, float, float]:
    """One census as fast as it goes: CPU seconds, and by how much another thread oversleeps, but for one in 100."""
    done, late_s = threading.Event(), [0.0]

    def nap() -> None:
        while not done.is_set():
            before_s = time.monotonic()
            time.sleep(_NAP_S)
            late_s.append(time.monotonic() - before_s - _NAP_S)

    other = threading.Thread(target=nap)
    other.start()
    before_s = time.thread_time()
    try:
        while not (reading := probe.read()).facts:
            pass
        spent_s = time.thread_time() - before_s
    finally:
        done.set()
        other.join()
    (objects,) = reading.facts
    if not isinstance(objects, Objects):
        raise SystemExit("the census counted something else")
    return objects, spent_s, sorted(late_s)[int(0.99 * len(late_s))]
