"""What a look into a profile file costs, next to ``go tool pprof``: CPU time, in turns on the same file."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from memdash.pprof.decode import decode
from memdash.pprof.encode import encode
from memdash.pprof.flame import flame
from memdash.pprof.view import Options, View
from memdash.probes.go.layouts.toolchains import installed
from tests.benchmarks.headless import child_cpu_s
from tests.benchmarks.result import Result
from tests.pprof.synthetic import heap_profile

__all__ = ["profiles"]

_PAIRS = 7
_GOALS = {10_000: 0.8, 50_000: 1.0}
_FLAME_MS = 300


def profiles() -> Iterator[Result]:
    """Top of 10 000 and of 50 000 stacks, as commands; a flame of 50 000, as the dashboard would open it."""
    with tempfile.TemporaryDirectory() as folder:
        for stacks, goal in _GOALS.items():
            path = Path(folder) / f"{stacks}.pb.gz"
            path.write_bytes(encode(heap_profile(stacks)))
            yield _top(path, stacks, goal)
        yield _flame(path.read_bytes())


def _top(path: Path, stacks: int, goal: float) -> Result:
    toolchain = installed()
    if toolchain is None:
        raise SystemExit("there is no Go toolchain to compare with: install the extra dev")
    theirs = (str(toolchain.root / "bin/go"), "tool", "pprof", "-top", str(path))
    mine = (sys.executable, "-m", "memdash", "top", str(path))
    child_cpu_s(theirs)  # which builds the tool, the first time
    pairs = [(child_cpu_s(mine), child_cpu_s(theirs)) for _ in range(_PAIRS)]
    ratio = statistics.median(ours / other for ours, other in pairs)
    ours, other = (statistics.median(costs) for costs in zip(*pairs, strict=True))
    measured = f"{ours:.2f} s CPU = {ratio:.2f}× go tool pprof's {other:.2f} s"
    return Result(f"memdash top of {stacks} stacks", measured, f"≤ {goal:.1f}×", ratio <= goal)


def _flame(content: bytes) -> Result:
    document = decode(content)
    costs = []
    for _ in range(_PAIRS):
        before = time.process_time()
        flame(View(document, Options()))
        costs.append(1e3 * (time.process_time() - before))
    cost = statistics.median(costs)
    return Result(
        "flame of 50000 stacks, of a profile at hand", f"{cost:.0f} ms CPU", f"≤ {_FLAME_MS} ms", cost <= _FLAME_MS
    )
