"""Rules find what they should, and keep quiet while they cannot know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import pytest

from memdash.analysis.rules import PiledUp, default_rules, parse_rule
from memdash.model.finding import Finding, NotYet, Severity
from memdash.model.sample import Instant
from memdash.model.series import Timeline
from memdash.units import MIB
from tests.analysis.conftest import Written

Write = Callable[[Mapping[str, Sequence[float | None]]], Timeline]


def test_over_a_limit_for_a_time(written: Write) -> None:
    rule = parse_rule("HeapAlloc > 512MiB for 5s")
    found = rule.check(written({"HeapAlloc": [600 * MIB] * 20}))
    assert isinstance(found, Finding)
    assert found.summary == "HeapAlloc 600.0 MiB over 512.0 MiB for 5.0 s"
    assert found.severity is Severity.WARNING
    assert found.evidence["value"] == 600 * MIB


def test_one_dip_below_the_limit_ends_it(written: Write) -> None:
    rule = parse_rule("HeapAlloc > 512 for 5s")
    assert rule.check(written({"HeapAlloc": [600] * 17 + [500, 600, 600]})) is None


@pytest.mark.parametrize("values", [[600, 600, 600], [600] * 9 + [None]])
def test_over_cannot_tell_yet(written: Write, values: list[float | None]) -> None:
    assert isinstance(parse_rule("HeapAlloc > 512 for 5s").check(written({"HeapAlloc": values})), NotYet)


def test_a_gap_inside_is_not_held_against_it(written: Write) -> None:
    rule = parse_rule("HeapAlloc > 512 for 5s")
    assert rule.check(written({"HeapAlloc": [600] * 10 + [None] + [600] * 2})) is None


def test_without_a_time_the_newest_sample_decides(written: Write) -> None:
    rule = parse_rule("gc.pause_p99 > 10ms")
    assert isinstance(rule.check(written({"gc.pause_p99_ns": [11_000_000] * 3})), Finding)
    assert rule.check(written({"gc.pause_p99_ns": [11_000_000, 9_000_000]})) is None


def cycles(live: Sequence[float]) -> dict[str, Sequence[float | None]]:
    """A collection every two seconds, after which so much lives."""
    return {
        "NumGC": [float(second // 2) for second in range(2 * len(live))],
        "heap.live_bytes": [live[second // 2] for second in range(2 * len(live))],
    }


def test_fast_growth_is_found_with_its_rate(written: Write) -> None:
    found = parse_rule("heap growth > 1MiB/min").check(written(cycles([i * MIB / 5 for i in range(100)])))
    assert isinstance(found, Finding)
    assert found.evidence["per_s"] == pytest.approx(MIB / 10, rel=0.05)
    assert found.summary.startswith("live heap +6.00 MiB/min over 1.00 MiB/min: live heap after each GC rose by ")


def test_growth_below_the_rate_is_none(written: Write) -> None:
    rule = parse_rule("heap growth > 1MiB/s")
    assert rule.check(written(cycles([i * MIB / 5 for i in range(100)]))) is None
    assert rule.check(written(cycles([100 * MIB + (i % 10) * 5 * MIB for i in range(100)]))) is None


def test_growth_needs_half_its_span(written: Write) -> None:
    assert isinstance(parse_rule("heap growth > 1/s").check(written(cycles([1, 2, 3]))), NotYet)
    assert isinstance(parse_rule("heap growth > 1/s").check(written({"HeapAlloc": [1, 2, 3]})), NotYet)


def test_growth_in_all_counts_from_the_first_value(written: Write) -> None:
    history = written(cycles([(100 + min(i, 65)) * MIB for i in range(100)]))
    found = parse_rule("heap growth > 64MiB").check(history)
    assert isinstance(found, Finding)
    assert found.evidence["value"] == 165 * MIB
    assert found.summary == (
        "live heap growth +65.0 MiB over 64.0 MiB: live heap after each GC was 100.0 MiB and is 165.0 MiB"
    )
    assert parse_rule("heap growth > 65MiB").check(history) is None
    assert isinstance(parse_rule("heap growth > 1").check(written(cycles([1]))), NotYet)


def test_growth_in_all_counts_from_the_baseline(written: Write) -> None:
    history = written(cycles([(100 + min(i, 65)) * MIB for i in range(100)]))
    history.baseline = history.until._replace(mono_s=history.until.mono_s - 100)  # type: ignore[misc]
    found = parse_rule("heap growth > 10MiB").check(history)
    assert isinstance(found, Finding)
    assert found.evidence["before"] == 149 * MIB


def test_what_is_in_use_for_a_moment_is_no_growth_in_all(written: Write) -> None:
    assert parse_rule("heap growth > 10MiB").check(written(cycles([100 * MIB] * 50 + [150 * MIB] * 2))) is None


def test_the_default_rules_have_names_of_their_own() -> None:
    names = [rule.name for rule in default_rules()]
    assert len(set(names)) == len(names) >= 3


def found_by_default(name: str, history: Timeline) -> Finding | NotYet | None:
    return next(rule for rule in default_rules() if rule.name == name).check(history)


@pytest.mark.parametrize(("pause_ms", "is_found"), [(20, False), (150, False), (1200, True)])
def test_one_pause_must_be_very_long(written: Write, pause_ms: float, is_found: bool) -> None:
    history = written({"gc.pause_recent_ns": [pause_ms * 1e6] * 20})
    assert isinstance(found_by_default("gc pause", history), Finding) is is_found


@pytest.mark.parametrize(("pause_ms", "is_found"), [(20, False), (60, True)])
def test_pauses_that_are_long_as_a_rule_need_not_be_so_long(written: Write, pause_ms: float, is_found: bool) -> None:
    history = written({"gc.pause_p50_ns": [pause_ms * 1e6] * 60})
    assert isinstance(found_by_default("gc pauses", history), Finding) is is_found


@pytest.mark.parametrize(("stopped_ms_per_s", "is_found"), [(50, False), (150, True)])
def test_many_short_pauses_are_found_by_their_sum(written: Write, stopped_ms_per_s: float, is_found: bool) -> None:
    history = written({"PauseTotalNs": [second * stopped_ms_per_s * 1e6 for second in range(120)]})
    assert isinstance(found_by_default("gc stops", history), Finding) is is_found


PILE = PiledUp("pile", least=50, share=0.5, for_s=60.0)


def test_tasks_that_pile_up_and_stay_are_found(written: Write) -> None:
    found = PILE.check(written({"tasks.total": [20] * 40 + [80] * 62}))
    assert isinstance(found, Finding)
    assert found.summary == "tasks pile up: 20 at first, for 1m00s now no fewer than 80"
    assert (found.evidence["before"], found.evidence["value"]) == (20, 80)


@pytest.mark.parametrize(
    "numbers",
    [[20] * 60 + [80] * 40, [20] * 40 + [80] * 40 + [60] + [80] * 30, [1000] * 40 + [1400] * 70, [1] * 20 + [80] * 90],
    ids=["for a while", "with a dip", "few beside what there was", "it starts"],
)
def test_a_burst_of_tasks_is_no_pile(written: Write, numbers: Sequence[float]) -> None:
    assert PILE.check(written({"tasks.total": numbers})) is None


@pytest.mark.parametrize("numbers", [[20] * 10, [None] * 90])
def test_a_pile_cannot_be_told_yet(written: Write, numbers: Sequence[float | None]) -> None:
    assert isinstance(PILE.check(written({"tasks.total": numbers})), NotYet)


def test_a_pile_since_a_mark_is_found_however_early(written: Write) -> None:
    watch = cast("Written", written({"tasks.total": [5] * 40 + [20] * 3 + [80] * 62}))
    watch.baseline = Instant(watch.until.wall_s - 64, watch.until.mono_s - 64)
    assert isinstance(PILE.check(watch), Finding)


@pytest.mark.parametrize(("files", "severity"), [(18, Severity.INFO), (17, Severity.WARNING), (None, Severity.WARNING)])
def test_a_pile_that_came_with_connections_is_no_warning(
    written: Write, files: float | None, severity: Severity
) -> None:
    opened = [10.0 if files else None] * 40 + [files] * 62
    found = PILE.check(written({"tasks.total": [20.0] * 40 + [84.0] * 62, "system.fds": opened}))
    assert isinstance(found, Finding)
    assert found.severity is severity
    assert found.summary.endswith(", with 8 open files more: they may serve connections") is (severity is Severity.INFO)
