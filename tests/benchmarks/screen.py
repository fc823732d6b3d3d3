"""What the dashboard costs, when its first frame stands, how soon it answers a key."""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence

from tests.benchmarks.result import Result
from tests.benchmarks.targets import allocating, idle, parked, stacks
from tests.benchmarks.terminal import Terminal, cpu_s, rss_bytes
from tests.live.target import GoTarget

__all__ = ["dashboard", "first_frame", "keys"]

_COLUMNS, _ROWS = 200, 50
_WARM_UP_S, _SPAN_S = 15.0, 60.0
_HELLO = (sys.executable, "-m", "tests.benchmarks.hello")
_FIGURE = re.compile(r"(?:Heap)?Alloc\s+\d[\d.]* [KMG]iB")


def _memdash(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "memdash", *words)


def _steady(argv: Sequence[str]) -> tuple[float, float]:
    """(percent of a core, MiB resident) of a program in a 200×50 terminal, after it has warmed up."""
    with Terminal(argv, _COLUMNS, _ROWS) as terminal:
        terminal.drain(_WARM_UP_S)
        before_s, began_s = cpu_s(terminal.pid), time.perf_counter()
        terminal.drain(_SPAN_S)
        percent = 100 * (cpu_s(terminal.pid) - before_s) / (time.perf_counter() - began_s)
        return percent, rss_bytes(terminal.pid) / 2**20


def dashboard() -> Iterator[Result]:
    """A steady minute at one and at ten samples a second, next to a page that only says hello."""
    hello_percent, hello_mib = _steady(_HELLO)
    yield Result("Textual page that says hello, 200×50", f"{hello_percent:.1f} % · {hello_mib:.0f} MiB", "", None)
    with allocating() as target:
        percent, mib = _steady(_memdash("--pid", str(target.pid)))
        yield Result("dashboard, 200×50, 1 Hz: CPU", f"{percent:.1f} % of a core", "≤ 2.3 %", percent <= 2.3)
        yield Result("dashboard, 200×50, 1 Hz: RSS", f"{mib:.0f} MiB", "≤ 45 MiB", mib <= 45)
        percent, _ = _steady(_memdash("--pid", str(target.pid), "--interval", "100ms"))
        yield Result("dashboard, 200×50, 10 Hz: CPU", f"{percent:.1f} % of a core", "≤ 6 %", percent <= 6)


def _shows_figure(lines: Sequence[str]) -> bool:
    return any(_FIGURE.search(line) for line in lines)


def _shows_dashboard(lines: Sequence[str]) -> bool:
    return _shows_figure(lines) and any("╭" in line for line in lines)


def _shows_hello(lines: Sequence[str]) -> bool:
    return any("hello world" in line for line in lines)


def first_frame() -> Iterator[Result]:
    """From exec to the frame with the target's real HeapAlloc, against hello's first frame; medians of paired runs."""
    hello, memdash, whole = [], [], []
    with idle() as target:
        for _ in range(9):
            with Terminal(_HELLO, _COLUMNS, _ROWS) as terminal:
                terminal.drain(1.5)
                hello.append(terminal.first_frame(_shows_hello))
            with Terminal(_memdash("--pid", str(target.pid)), _COLUMNS, _ROWS) as terminal:
                terminal.drain(2.5)
                memdash.append(terminal.first_frame(_shows_figure))
                whole.append(terminal.first_frame(_shows_dashboard))
    base_s, own_s = statistics.median(hello), statistics.median(memdash)
    ratio = own_s / base_s
    measured = f"{1e3 * own_s:.0f} ms = {ratio:.2f}× hello's {1e3 * base_s:.0f} ms"
    yield Result("exec to a frame with the real HeapAlloc", measured, "≤ 1.6×", ratio <= 1.6)
    whole_s = statistics.median(whole)
    yield Result("exec to the complete dashboard", f"{1e3 * whole_s:.0f} ms = {whole_s / base_s:.2f}×", "", None)


def keys() -> Iterator[Result]:
    """Time from a key to the next output, at random moments, while something large refreshes all the time."""
    with stacks(50_000) as target:
        yield _key_to_output(target, "50 000 stacks refreshing", ("buckets 5000", "gc"))
    with parked(100_000) as target:  # which a collection changes, all of them
        yield _key_to_output(target, "100 000 goroutines counted", ("chan 100", "gc"))


def _key_to_output(target: GoTarget, what: str, stir: Sequence[str]) -> Result:
    """``stir`` is what the target is told now and then, so that there is something to refresh."""

    def stirred(turn: int) -> None:
        if turn % 10 == 0:
            for command in stir:
                target.command(*command.split())

    with Terminal(_memdash("--pid", str(target.pid)), _COLUMNS, _ROWS) as terminal:
        terminal.drain(8.0)
        p50, p95 = terminal.waits([b"\t"], before=stirred)
    return Result(f"key to next output, {what}, p50 · p95", f"{p50:.0f} · {p95:.0f} ms", "p95 ≤ 50 ms", p95 <= 50)
