"""Rules find what they should, and keep quiet while they cannot know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from memdash.analysis.rules import Growing, Over, default_rules
from memdash.model.finding import Finding, NotYet, Severity
from memdash.model.series import Timeline

Write = Callable[[Mapping[str, Sequence[float | None]]], Timeline]
MIB = 1 << 20
LIVE = "gc.live_after_gc_bytes"


def test_over_a_limit_for_a_time(written: Write) -> None:
    rule = Over("heap limit", "HeapAlloc", 512 * MIB, for_s=5.0)
    found = rule.check(written({"HeapAlloc": [600 * MIB] * 20}))
    assert isinstance(found, Finding)
    assert found.summary == "HeapAlloc 600.0 MiB over 512.0 MiB for 5.0 s"
    assert found.severity is Severity.WARNING
    assert found.evidence["value"] == 600 * MIB


def test_one_dip_below_the_limit_ends_it(written: Write) -> None:
    rule = Over("heap limit", "HeapAlloc", 512, for_s=5.0)
    assert rule.check(written({"HeapAlloc": [600] * 17 + [500, 600, 600]})) is None


@pytest.mark.parametrize("values", [[600, 600, 600], [600] * 9 + [None]])
def test_over_cannot_tell_yet(written: Write, values: list[float | None]) -> None:
    assert isinstance(Over("r", "HeapAlloc", 512, for_s=5.0).check(written({"HeapAlloc": values})), NotYet)


def test_a_gap_inside_is_not_held_against_it(written: Write) -> None:
    rule = Over("r", "HeapAlloc", 512, for_s=5.0)
    assert rule.check(written({"HeapAlloc": [600] * 10 + [None] + [600] * 2})) is None


def test_without_a_time_the_newest_sample_decides(written: Write) -> None:
    rule = Over("r", "gc.pause_p99_ns", 10_000_000)
    assert isinstance(rule.check(written({"gc.pause_p99_ns": [11_000_000] * 3})), Finding)
    assert rule.check(written({"gc.pause_p99_ns": [11_000_000, 9_000_000]})) is None


def test_steady_growth_is_found_with_its_rate(written: Write) -> None:
    found = Growing("growth", LIVE, MIB / 60).check(written({LIVE: [i * MIB / 10 for i in range(200)]}))
    assert isinstance(found, Finding)
    assert found.evidence["per_s"] == pytest.approx(MIB / 10, rel=0.05)
    assert "/min" in found.summary


def test_a_sawtooth_is_no_growth(written: Write) -> None:
    values = [100 * MIB + (i % 20) * 5 * MIB for i in range(200)]
    assert Growing("growth", LIVE, MIB / 60).check(written({LIVE: values})) is None


def test_a_plateau_after_a_rise_is_no_growth(written: Write) -> None:
    values = [min(i, 30) * MIB for i in range(150)]
    assert Growing("growth", LIVE, MIB / 60).check(written({LIVE: values})) is None


def test_growth_needs_its_whole_span(written: Write) -> None:
    assert isinstance(Growing("growth", LIVE, 1.0).check(written({LIVE: [1, 2, 3]})), NotYet)
    gappy: list[float | None] = [1.0] * 20 + [None] * 60 + [2.0] * 60
    assert isinstance(Growing("growth", LIVE, 1.0).check(written({LIVE: gappy})), NotYet)


def test_the_default_rules_have_names_of_their_own() -> None:
    names = [rule.name for rule in default_rules()]
    assert len(set(names)) == len(names) >= 4
