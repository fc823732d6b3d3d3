"""What the flame graph costs: until it stands, and from a key to what it changes."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from memdash.pprof.encode import encode
from memdash.pprof.taken import TakenProfile
from memdash.ui.screens.profile.flame import FlameScreen
from memdash.ui.screens.profile.study import Lens, Moment, Study
from memdash.ui.widgets.box_cursor import BoxCursor
from tests.benchmarks.result import Result
from tests.benchmarks.terminal import Terminal
from tests.pprof.synthetic import heap_profile

__all__ = ["flames"]

_STACKS = 50_000
_COLUMNS, _ROWS = 200, 50
_TIMES = 7
_OPENS_MS, _KEY_MS = 300, 50
_KEYS = (b"j", b"j", b"\x1b[C", b"\r", b"j", b"\x1b[C", b"\x7f", b"k", b"h")


def flames() -> Iterator[Result]:
    """A flame graph of 50 000 stacks: opened, compared, zoomed, walked through."""
    now, then = (TakenProfile(heap_profile(stacks)) for stacks in (_STACKS, _STACKS * 9 // 10))
    plain, zoomed = _opened(now, None)
    yield Result(
        "flame graph of 50000 stacks, at hand: CPU", f"{plain:.0f} ms", f"≤ {_OPENS_MS} ms", plain <= _OPENS_MS
    )
    yield Result("a closer look at a branch of it: CPU", f"{zoomed:.0f} ms", "", None)
    compared, _ = _opened(now, then)
    yield Result("the same against a baseline: CPU", f"{compared:.0f} ms", "", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heap.pb.gz"
        path.write_bytes(encode(now.document))
        yield _keys(path)


def _opened(now: TakenProfile, then: TakenProfile | None) -> tuple[float, float]:
    """CPU milliseconds until the boxes have cells, and until a branch that is zoomed into has its own."""
    moment = Moment(lambda: now, None if then is None else lambda: then)
    whole, branch = [], []
    for _ in range(_TIMES):
        study = Study(lambda: moment, Lens(is_differential=then is not None))
        screen, sight = FlameScreen(study), study.sight(study.lens, None)
        began = time.process_time()
        chart = screen.build(sight)
        BoxCursor(chart.boxes).fit(_COLUMNS, _ROWS)
        whole.append(1e3 * (time.process_time() - began))
        screen._zoomed = (chart.path(chart.boxes.inner[1][0]),)
        began = time.process_time()
        BoxCursor(screen.build(sight).boxes).fit(_COLUMNS, _ROWS)
        branch.append(1e3 * (time.process_time() - began))
    return statistics.median(whole), statistics.median(branch)


def _keys(path: Path) -> Result:
    argv = (sys.executable, "-m", "memdash", "flame", str(path))
    with Terminal(argv, _COLUMNS, _ROWS) as terminal:
        if not terminal.drain(20.0, until=lambda data: b"colour a package" in data):
            raise SystemExit("the flame graph did not open")
        terminal.drain(1.0)
        p50, p95 = terminal.waits(_KEYS)
    return Result(
        "key to next output in it, p50 · p95", f"{p50:.0f} · {p95:.0f} ms", f"p95 ≤ {_KEY_MS} ms", p95 <= _KEY_MS
    )
