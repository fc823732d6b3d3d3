"""A judge who looks at every tick: how it makes up and changes its mind, and what may befall the history meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

import pytest

from memdash.analysis.judge import Judge
from memdash.model.finding import Severity
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.series import Series, Start, Timeline
from memdash.model.verdict import Verdict, VerdictKind
from memdash.sampling.history import History
from memdash.units import MIB
from tests.corpus.recording import LIVE, Label, Recording
from tests.fakes import NOON_S, a_gc, a_sample, a_system, memstats


def series(live_mib: Callable[[float], float], seconds: int, every_s: float = 3.0) -> Recording:
    """A collection at each sample, after which so much lives; NaN is a gap."""
    times_s = [index * every_s for index in range(int(seconds / every_s))]
    values = [live_mib(time_s) * MIB for time_s in times_s]
    columns: dict[str, list[float | None]] = {
        LIVE: [None if math.isnan(value) else value for value in values],
        "NumGC": [float(index) for index in range(len(times_s))],
    }
    return Recording(name="x", label=Label.STEADY, runtime="go", times_s=times_s, columns=columns)


def story(
    recording: Recording, system: Callable[[float], Sample] | None = None, age_s: float = math.inf
) -> list[tuple[float, Verdict, str]]:
    """Each change of the kind: when, to what, and what was said of it; of a program that old at first."""
    judge, told = Judge(), list[tuple[float, Verdict, str]]()
    for time_s, history in recording.watched():
        sample = Sample.empty(history.until, Missing("not read")) if system is None else system(time_s)
        verdict, changed = judge.look(history, sample, history.since.mono_s - age_s)
        if not told or verdict.kind is not told[-1][1].kind:
            told.append((time_s, verdict, changed))
    return told


def kinds(told: Iterable[tuple[float, Verdict, str]]) -> list[VerdictKind]:
    return [verdict.kind for _, verdict, _ in told]


def test_what_grows_from_its_start_on_is_called_a_leak_later() -> None:
    """A program fills its caches then, such as the log of a database up to its first snapshot."""
    fills = series(lambda t: 100 + min(t, 500) / 10 + t % 2 / 10, 700)
    leaks = series(lambda t: 100 + t / 10 + t % 2 / 10, 1500)
    assert VerdictKind.LEAK in kinds(story(fills))
    young = story(fills, age_s=20.0)
    assert VerdictKind.LEAK not in kinds(young)
    growing = next(verdict for _, verdict, _ in young if verdict.kind is VerdictKind.GROWING)
    assert growing.severity is Severity.INFO
    assert "a young program still, as of a cache that fills: " in growing.summary
    found_s = next(time_s for time_s, verdict, _ in story(leaks, age_s=20.0) if verdict.kind is VerdictKind.LEAK)
    assert 1200 <= found_s <= 1420
    assert next(time_s for time_s, verdict, _ in story(leaks, age_s=3600.0) if verdict.kind is VerdictKind.LEAK) < 300


def test_it_changes_its_mind_and_says_why() -> None:
    told = story(series(lambda t: 100 + max(min(t, 800) - 300, 0) / 10 + t % 2 / 10, 1100))
    assert kinds(told)[0] is VerdictKind.NOT_YET
    assert kinds(told)[1] is VerdictKind.PLATEAU
    assert VerdictKind.LEAK in kinds(told)
    assert kinds(told)[-1] is VerdictKind.PLATEAU
    (leak_s, leak, said) = next(row for row in told if row[1].kind is VerdictKind.LEAK)
    assert 540 <= leak_s <= 600
    assert said == "growing → leak: grows as fast as before"
    assert leak.at_s == pytest.approx(1_769_861_261 + leak_s)
    assert told[-1][2].startswith(("growing → plateau: ", "leak → plateau: "))


def test_a_passing_doubt_is_not_told() -> None:
    told = story(series(lambda t: 100 + t / 10 + (3 if 300 <= t < 310 else 0), 500))
    assert kinds(told) == [VerdictKind.NOT_YET, VerdictKind.GROWING, VerdictKind.LEAK]


def test_a_stopped_target_keeps_its_verdict() -> None:
    def system(time_s: float) -> Sample:
        stopped = 400 <= time_s < 800
        return a_sample(Instant(NOON_S + time_s, time_s), a_system(is_stopped=stopped, cgroup=Missing("no limit")))

    told = story(series(lambda t: 100 + min(t, 400) / 10, 800), system)
    assert kinds(told)[-1] is VerdictKind.LEAK


class Counted:
    """A history that tells what was asked of it."""

    def __init__(self, history: Timeline, looks: list[str]) -> None:
        self.since, self.until, self.baseline = history.since, history.until, history.baseline
        self._history = history
        self._looks = looks

    def series(self, key: str, span_s: float) -> Series:
        self._looks.append(key)
        return self._history.series(key, span_s)

    def start(self, key: str) -> Start | None:
        self._looks.append(key)
        return self._history.start(key)


def test_more_of_the_same_tick_is_not_looked_at() -> None:
    judge, looks = Judge(), list[str]()
    recording = series(lambda t: 100 + t / 10, 300)
    for _, history in recording.watched():
        sample = Sample.empty(history.until, Missing("not read"))
        first, _ = judge.look(history, sample)
        assert judge.look(Counted(history, looks), sample) == (first, "")
        assert not looks


def test_what_is_seen_over_long_is_not_gathered_at_each_tick() -> None:
    judge, looked_s = Judge(), list[float]()
    for time_s, history in series(lambda t: 100 + t % 2 / 10, 1000, every_s=1.0).watched():
        looks: list[str] = []
        judge.look(Counted(history, looks), Sample.empty(history.until, Missing("not read")))
        looked_s += [time_s] if looks else []
    assert [time_s for time_s in looked_s if time_s < 60] == list(range(60))
    assert {after - before for before, after in pairwise(looked_s) if before >= 900} == {8.0}


def test_a_gap_hides_nothing() -> None:
    told = story(series(lambda t: math.nan if 100 <= t < 200 else 100 + t / 10, 400))
    assert kinds(told)[-1] is VerdictKind.LEAK


def test_one_sample_an_hour_is_enough() -> None:
    told = story(series(lambda t: 100 + t / 36_000, 60 * 3600, every_s=3600.0))
    assert kinds(told)[-1] is VerdictKind.LEAK
    assert told[-1][0] <= 48 * 3600
    assert kinds(story(series(lambda t: 100 + t % 7200 / 36_000, 60 * 3600, every_s=3600.0)))[-1] in (
        VerdictKind.PLATEAU,
        VerdictKind.SAWTOOTH,
    )


def test_what_is_too_slow_for_a_quarter_of_an_hour_is_found_in_hours() -> None:
    """0.015 % a minute under noise of 0.5 %."""
    told = story(series(lambda t: 100 + t / 4000 + t % 420 * 0.0007 + t % 11 * 0.02, 4 * 3600, every_s=60.0))
    assert VerdictKind.LEAK in kinds(told)
    assert all(time_s > 900 for time_s, verdict, _ in told if verdict.kind is VerdictKind.LEAK)


def test_a_sawtooth_of_half_an_hour_is_known_after_its_first_teeth() -> None:
    told = story(series(lambda t: 100 + t % 1830 / 20, 4 * 3600, every_s=60.0))
    assert all(time_s < 1800 for time_s, verdict, _ in told if verdict.kind is VerdictKind.LEAK)


def restarted(after: Callable[[float], float]) -> Recording:
    """A leak up to second 500, then the counters of another program."""
    made = series(lambda t: 100 + t / 5 if t < 500 else after(t - 500), 1000)
    numbers = [float(index) if time_s < 500 else float(index) - 160 for index, time_s in enumerate(made.times_s)]
    return replace(made, columns={**made.columns, "NumGC": numbers})


def test_after_a_restart_only_the_new_program_counts() -> None:
    calm, leaky = story(restarted(lambda _: 60.0)), story(restarted(lambda t: 60 + t / 5))
    assert VerdictKind.LEAK in kinds(calm)
    assert kinds(calm)[-1] is VerdictKind.PLATEAU
    assert kinds(leaky)[-1] is VerdictKind.LEAK


def test_nonsense_from_a_source_is_no_growth() -> None:
    """Values that are no numbers, infinite or far from all others, now and then."""
    odd = {70: math.nan, 90: 1e12, 130: 0.0, 150: math.inf}
    told = story(series(lambda t: odd.get(int(t), 100.0 + t % 2 / 10), 600, every_s=1.0))
    assert VerdictKind.LEAK not in kinds(told)
    assert kinds(told)[-1] in (VerdictKind.PLATEAU, VerdictKind.SAWTOOTH)


def test_without_collections_nothing_is_known() -> None:
    history, judge = History(1.0), Judge()
    for second in range(0, 400, 4):
        at = Instant(NOON_S + second, 10_000.0 + second)
        sample = a_sample(at, memstats(100 * MIB + second * MIB, NumGC=0), a_gc(live_after_gc_bytes=Missing("no GC")))
        history.append(sample)
        verdict, _ = judge.look(history.view(), sample)
    assert verdict.kind is VerdictKind.NOT_YET


def test_a_clock_that_jumps_moves_nothing() -> None:
    """Wall time may jump; what is judged is on the other clock."""
    history, judge = History(1.0), Judge()
    for second in range(0, 300, 3):
        wall_s = NOON_S + second + (86_400 if second > 150 else 0)
        sample = a_sample(
            Instant(wall_s, 10_000.0 + second),
            memstats(300 * MIB, NumGC=second),
            a_gc(live_after_gc_bytes=100 * MIB + second * MIB),
        )
        history.append(replace(sample, system=Missing("no limits")))
        verdict, _ = judge.look(history.view(), replace(sample, system=Missing("no limits")))
    assert verdict.kind is VerdictKind.LEAK
    assert verdict.window_s < 300


def test_near_a_limit_less_patience_is_needed() -> None:
    def system(time_s: float) -> Sample:
        at, limit = Instant(NOON_S + time_s, time_s), a_gc(memory_limit_bytes=700 * MIB)
        of_go = memstats(100 * MIB, Sys=200 * MIB, HeapSys=190 * MIB)
        return a_sample(at, limit, of_go, a_system(rss_bytes=200 * MIB, cgroup=Missing("none")))

    told = story(series(lambda t: 100 + t, 90, every_s=1.0), system)
    assert kinds(told)[-1] is VerdictKind.LEAK
    assert told[-1][0] <= 70
    assert told[-1][1].forecast is not None
