"""What agents answer, and what none would."""

import re

import pytest

from memdash.errors import BadAnswer
from memdash.model.gc import Pause
from memdash.model.missing import Missing
from memdash.probes.gops.answers import goroutines, memory, text, version

MEMSTATS = """\
alloc: 1.44MB (1511000 bytes)
total-alloc: 16384.00PB (18446744073709551615 bytes)
sys: 8.28MB (8683536 bytes)
lookups: 0
mallocs: 9870
frees: 4321
heap-alloc: 1.44MB (1511000 bytes)
heap-sys: 3.75MB (3932160 bytes)
heap-idle: 1000 bytes
heap-in-use: 2.20MB (2301952 bytes)
heap-released: 0 bytes
heap-objects: 5549
stack-in-use: 256.00KB (262144 bytes)
stack-sys: 256.00KB (262144 bytes)
mspan-in-use: 41.56KB (42560 bytes)
mspan-sys: 47.81KB (48960 bytes)
mcache-in-use: 2.34KB (2400 bytes)
mcache-sys: 15.23KB (15600 bytes)
buck-hash-sys: 3.83KB (3921 bytes)
other-sys: 781.77KB (800535 bytes)
gc-sys: 2.13MB (2234568 bytes)
next-gc: when heap-alloc >= 4.00MB (4194304 bytes)
last-gc: 2026-01-31 12:07:41.123456789 +0000 UTC
gc-pause-total: 1.234567ms
gc-pause: 45678
gc-pause-end: 1769861261123456789
num-gc: 27
num-forced-gc: 3
gc-cpu-fraction: 5.1e-05
enable-gc: true
debug-gc: false
"""


def changed(name: str, value: str) -> str:
    return re.sub(f"(?m)^{name}: .*$", f"{name}: {value}", MEMSTATS)


def test_figures_are_exact_and_the_rest_is_missing() -> None:
    stats, gc = memory(MEMSTATS)
    assert (stats.Alloc, stats.TotalAlloc, stats.HeapIdle, stats.HeapReleased) == (1_511_000, 2**64 - 1, 1000, 0)
    assert (stats.NextGC, stats.NumGC, stats.NumForcedGC, stats.Frees) == (4_194_304, 27, 3, 4321)
    assert (stats.PauseTotalNs, stats.LastGC) == (1_234_567, 1_769_861_261_123_456_789)
    assert (stats.GCCPUFraction, stats.EnableGC, stats.DebugGC) == (5.1e-05, True, False)
    assert all(isinstance(value, Missing) for value in (stats.BySize, stats.PauseNs, stats.PauseEnd))
    assert (gc.count, gc.forced, gc.next_target_bytes) == (27, 3, 4_194_304)
    assert gc.pauses == (Pause(1_769_861_261.123456789, 45678),)
    assert all(isinstance(value, Missing) for value in (gc.live_after_gc_bytes, gc.pause_p99_ns, gc.phase, gc.gogc))


def test_before_the_first_collection() -> None:
    before = re.sub("(?m)^(num-gc|gc-pause|gc-pause-end): .*$", r"\1: 0", changed("last-gc", "-"))
    stats, gc = memory(before)
    assert (stats.NumGC, stats.LastGC, stats.PauseNs, stats.PauseEnd) == (0, 0, (), ())
    assert gc.pauses == ()
    assert isinstance(gc.last_at_s, Missing)


def test_of_a_single_collection_everything_is_told() -> None:
    stats, gc = memory(changed("num-gc", "1"))
    assert (stats.PauseNs, gc.pause_p50_ns) == ((45678,), 45678)


def test_the_goal_of_a_collector_that_is_off_is_none() -> None:
    stats, gc = memory(changed("next-gc", "when heap-alloc >= 16384.00PB (18446744073709551615 bytes)"))
    assert stats.NextGC == 2**64 - 1
    assert isinstance(gc.next_target_bytes, Missing)


@pytest.mark.parametrize(
    ("written", "ns"),
    [
        ("0s", 0),
        ("7ns", 7),
        ("1.5µs", 1500),
        ("999.999999ms", 999_999_999),
        ("2.003s", 2_003_000_000),
        ("1m0.5s", 60_500_000_000),
        ("2562047h47m16.854775807s", 2**63 - 1),
    ],
)
def test_a_duration_of_go_is_exact(written: str, ns: int) -> None:
    assert memory(changed("gc-pause-total", written))[0].PauseTotalNs == ns


def test_what_an_older_agent_does_not_tell_is_missing() -> None:
    stats, gc = memory(MEMSTATS.replace("num-forced-gc: 3\n", "").replace("gc-pause-end: 1769861261123456789\n", ""))
    assert isinstance(stats.NumForcedGC, Missing)
    assert isinstance(stats.LastGC, Missing)
    assert gc.pauses == ()


@pytest.mark.parametrize(
    "told",
    [
        "",
        "\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        MEMSTATS[:200],
        MEMSTATS[: MEMSTATS.index("debug-gc")],
        MEMSTATS + MEMSTATS,
        changed("alloc", "1.44MB"),
        changed("alloc", "1.44MB (-1 bytes)"),
        changed("alloc", f"1.44MB ({2**64} bytes)"),
        changed("alloc", f"1.44MB ({'9' * 5000} bytes)"),
        changed("alloc", "\x1b[31m1 bytes"),
        changed("num-gc", "many"),
        changed("num-gc", "٣"),
        changed("gc-cpu-fraction", "NaN"),
        changed("gc-cpu-fraction", "+Inf"),
        changed("gc-cpu-fraction", "-0.1"),
        changed("gc-pause-total", "5"),
        changed("gc-pause-total", "-5s"),
        changed("gc-pause-total", "1.5ns"),
        changed("gc-pause-total", "9" * 4000 + "s"),
        changed("enable-gc", "yes"),
    ],
)
def test_nonsense_is_refused(told: str) -> None:
    with pytest.raises(BadAnswer, match="no sense"):
        memory(told)


def test_what_is_no_text_is_refused() -> None:
    assert text("1.5µs\n".encode()) == "1.5µs\n"
    with pytest.raises(BadAnswer, match="no sense"):
        text(b"\xff\xfe\n")


def test_goroutines_are_counted_as_one_group() -> None:
    (task,) = goroutines("goroutines: 12\nOS threads: 8\nGOMAXPROCS: 2\nnum CPU: 2\n").groups
    assert (task.count, task.stack) == (12, ())
    for told in ("", "goroutines: 12\n", "num CPU: 2\n", "goroutines: -1\nnum CPU: 2\n"):
        with pytest.raises(BadAnswer):
            goroutines(told)


def test_a_version_says_that_it_is_an_agent() -> None:
    assert version("go1.27.3\n") == "go1.27.3"
    assert version("devel go1.28-abc Tue Nov 1 2026\n").startswith("devel")
    for told in (
        "",
        "go1.27.3",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "go1.\x1b[2J\n",
        "go1.27\ngo1.27\n",
        "go1." + "7" * 200 + "\n",
    ):
        with pytest.raises(BadAnswer):
            version(told)
