"""The log can be gone through, and what a person says of an alert reaches the session."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from memdash.analysis.verdict_words import finding
from memdash.model.finding import Figure, Finding, Severity
from memdash.model.verdict import Forecast, Grower
from memdash.units import MIB, Unit
from tests.fakes import NOON_S
from tests.ui.conftest import FINDINGS, MONO_S, Show, a_watch
from tests.verdicts import a_leak

OVER = Finding(
    rule="heap",
    severity=Severity.WARNING,
    at_s=NOON_S - 9,
    mono_s=MONO_S - 9,
    summary="HeapAlloc 600.0 MiB over 512.0 MiB",
    measured=Figure(600 << 20, Unit.BYTES),
    worst=Figure(700 << 20, Unit.BYTES),
    lasted_s=9.0,
    times=3,
    evidence={"metric": "HeapAlloc", "limit": 536870912.0},
)
LOG = (FINDINGS[0], OVER, *FINDINGS[1:])
WATCH = a_watch(findings=LOG)


async def test_an_entry_says_how_long_and_how_bad_it_was(show: Show) -> None:
    async with show(WATCH, 160, 45) as shown:
        (line,) = (line for line in shown.lines if "600.0 MiB over" in line)
        assert "● WARN  for 9.0 s   HeapAlloc" in line
        assert "512.0 MiB · worst 700.0 MiB · 3 times" in line
        assert any("was 25 s" in line for line in shown.lines)


async def test_the_alert_under_the_cursor_is_acknowledged_or_else_the_one_above(show: Show) -> None:
    async with show(WATCH) as shown:
        await shown.press("a", "5", "down", "a")
        assert [(finding.rule, seen) for finding, seen in shown.session.acknowledged] == [
            ("heap growth", True),
            ("heap", True),
        ]


async def test_what_is_acknowledged_gives_way_and_can_be_taken_back(show: Show) -> None:
    seen = (replace(LOG[0], acknowledged=True), *LOG[1:])
    async with show(a_watch(findings=seen)) as shown:
        assert "WARN HeapAlloc 600.0 MiB over" in shown.lines[0]
        assert "Alerts (1)" in shown.text
        assert "seen · live heap grows" in shown.text
        await shown.press("5", "a")
        assert [seen for _, seen in shown.session.acknowledged] == [False]


async def test_a_key_mutes_for_good_or_for_ten_minutes_and_undoes_it(show: Show) -> None:
    async with show(WATCH) as shown:
        await shown.press("5", "down", "x", "z")
        assert shown.session.mutes == [("heap", math.inf), ("heap", 600)]
        told = replace(FINDINGS[2], summary="heap muted for 1m30s")
        await shown.publish(replace(WATCH, muted={"heap": MONO_S + 90}, findings=(told, *LOG)))
        assert "muted · HeapAlloc" in shown.text
        assert "1 muted" in shown.text
        await shown.press("x")
        assert shown.session.mutes[-1] == ("heap", 0.0)
        await shown.press("enter")
        assert "its rule is muted for 1m30s more" in shown.text


async def test_what_happened_once_has_no_rule_to_be_muted(show: Show) -> None:
    async with show(WATCH) as shown:
        await shown.press("5", "G", "x")
        assert shown.session.mutes == []


async def test_the_log_can_be_narrowed_by_severity(show: Show) -> None:
    async with show(WATCH) as shown:
        await shown.press("5", "v")
        assert "baseline set" not in shown.text
        assert "only warnings and worse" in shown.text
        await shown.press("v")
        assert "HeapAlloc 600.0 MiB over" not in shown.text
        await shown.press("v")
        assert "HeapAlloc 600.0 MiB over" in shown.text
        assert "pause p99 12.4 ms" not in shown.text
        await shown.press("v")
        assert "baseline set" in shown.text
        await shown.press("slash", *"warn", "enter")
        assert "live heap grows" not in shown.text.split("Alerts")[1]
        assert "HeapAlloc 600.0 MiB over" in shown.text


async def test_an_entry_in_full_has_its_figures(show: Show) -> None:
    async with show(WATCH, 80, 24) as shown:
        await shown.press("5", "down", "enter")
        for words in ("rule: heap", "held for 9.0 s in all", "held 3 times", "worst 700.0 MiB", "limit: 512.0 MiB"):
            assert words in shown.text


async def test_the_keys_of_the_log_stand_below_while_it_is_in_use(show: Show) -> None:
    async with show(WATCH, 160, 45) as shown:
        assert " x " not in shown.lines[-1]
        await shown.press("5")
        assert "x mute" in shown.lines[-1]


async def test_without_an_alert_there_is_nothing_to_acknowledge(show: Show) -> None:
    async with show(a_watch(findings=FINDINGS[2:])) as shown:
        await shown.press("a")
        assert shown.session.acknowledged == []


@pytest.mark.parametrize("size", [(80, 24), (60, 12)])
async def test_a_narrow_log_keeps_what_was_found(show: Show, size: tuple[int, int]) -> None:
    async with show(WATCH, *size) as shown:
        await shown.press("5")
        assert "HeapAlloc 600.0" in shown.text


async def test_the_cursor_stays_on_what_was_muted(show: Show) -> None:
    async with show(WATCH) as shown:
        await shown.press("5", "x")
        told = replace(FINDINGS[2], summary="heap growth muted")
        await shown.publish(replace(WATCH, muted={"heap growth": math.inf}, findings=(told, *LOG)))
        await shown.press("x")
        assert shown.session.mutes == [("heap growth", math.inf), ("heap growth", 0.0)]


@pytest.mark.parametrize("columns", [80, 120])
async def test_what_leaks_is_named_in_full_before_when_it_hits_the_limit(show: Show, columns: int) -> None:
    verdict = a_leak(
        at_s=NOON_S - 9,
        forecast=Forecast("cgroup limit", 1 << 30, 450.0, 520.0),
        growers=(Grower("site", "go.etcd.io/etcd/storage/mvcc.(*store).Put", "kvstore.go:118", 61 * MIB),),
    )
    found = finding(verdict)
    assert found is not None
    async with show(a_watch(findings=(replace(found, lasted_s=245.0),)), columns, 40) as shown:
        assert any("mvcc.(*store).Put · cgroup limit in 7–9 min" in line for line in shown.lines)
        await shown.press("5")
        assert any("for 4m05s" in line and "+1.19 MiB/s: mvcc.(*store).Put ·" in line for line in shown.lines)
