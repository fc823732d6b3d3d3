"""What a watch remembers, and what it makes of a rule that goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from memdash.analysis.judge import Judge
from memdash.analysis.rules import parse_rule
from memdash.model.finding import Finding, TransitionKind
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.sample import Instant, Sample
from memdash.model.series import Timeline
from memdash.model.verdict import Verdict, VerdictKind
from memdash.session.memory import Memory
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_profile, a_sample, a_snapshot, a_system, memstats


@dataclass(frozen=True)
class Broken:
    """memdash's own code goes wrong in it."""

    name: str = "broken"
    cooldown_s: float = 30.0

    def check(self, history: Timeline, _held: Finding | None = None, /) -> Finding | None:
        raise ZeroDivisionError("by zero")


def test_a_rule_that_goes_wrong_is_told_once_and_costs_no_other() -> None:
    memory, shown = Memory(1.0, (Broken(), parse_rule("HeapAlloc > 1", "heap"))), a_snapshot(1)
    for second in range(3):
        shown = memory.add(shown, a_sample(Instant(NOON_S + second, 20_000.0 + second)))
    assert sorted(finding.rule for finding in shown.findings) == ["heap", "memdash"]
    (told,) = (finding.summary for finding in shown.findings if finding.rule == "memdash")
    assert told == "the rule broken cannot check: a defect of memdash: ZeroDivisionError: by zero"


def leaking(second: int) -> Sample:
    """A collection a second, after which 1 MiB more lives; the site of it grows with every tenth."""
    return a_sample(
        Instant(NOON_S + second, 20_000.0 + second),
        memstats(300 * MIB, NumGC=second),
        a_gc(live_after_gc_bytes=100 * MIB + second * MIB, memory_limit_bytes=Missing("none is set")),
        a_system(cgroup=Missing("no limit"), host_available_bytes=64 << 30),
        a_profile(1 + second // 10 / 100),
    )


def test_a_leak_is_in_the_snapshot_and_in_the_log_with_what_grew_most() -> None:
    memory, shown = Memory(1.0, ()), a_snapshot(1)
    for second in range(300):
        shown = memory.add(shown, leaking(second))
    assert shown.verdict is not None
    assert shown.verdict.kind is VerdictKind.LEAK
    assert [grower.name for grower in shown.verdict.growers] == ["cart.(*Store).Add", "session.New"]
    assert shown.worst is not None
    assert shown.worst.summary == shown.verdict.summary
    told = [finding.summary for finding in shown.findings if finding.rule == "memdash"]
    assert told[0] == "growing → leak: grows as fast as before"


def test_what_a_warm_up_filled_does_not_stand_for_a_leak_that_came_later() -> None:
    """A cache took 500 MiB in the first minute; what leaks since then has not come to as much yet."""
    cache, leak = Frame("cache.Fill", "/src/cache.go", 1), Frame("leak.Add", "/src/leak.go", 1)
    memory, shown = Memory(1.0, ()), a_snapshot(1)
    for second in range(480):
        filled, leaked = min(second, 60) * 500 * MIB // 60, max(second - 120, 0) * MIB
        sites = tuple(
            Site((frame,), Usage(size, size >> 10, size, size >> 10))
            for frame, size in ((cache, filled), (leak, leaked))
        )
        sample = leaking(second)
        live = replace(sample.gc, live_after_gc_bytes=100 * MIB + filled + leaked)  # type: ignore[arg-type]
        shown = memory.add(shown, replace(sample, gc=live, sites=Profile(sites, 524_288, True)))
    assert shown.verdict is not None
    assert shown.verdict.kind is VerdictKind.LEAK
    assert [grower.name for grower in shown.verdict.growers] == ["leak.Add"]


def test_growth_in_all_counts_from_the_baseline_that_was_set() -> None:
    memory, shown = Memory(1.0, (parse_rule("heap growth > 50MiB", "grown"),)), a_snapshot(1)
    for second in range(60):
        shown = memory.add(shown, leaking(second))
    assert [finding.rule for finding in shown.findings if finding.ended_at_s is None] == ["grown"]
    memory.mark(shown.at)
    for second in range(60, 105):
        shown = memory.add(shown, leaking(second))
    assert not [finding.rule for finding in shown.findings if finding.ended_at_s is None]


def test_a_judge_that_goes_wrong_is_told_and_costs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: object) -> tuple[Verdict, str]:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(Judge, "look", look)
    memory, shown = Memory(1.0, (parse_rule("HeapAlloc > 1", "heap"),)), a_snapshot(1)
    for second in range(3):
        shown = memory.add(shown, leaking(second))
    assert shown.verdict is None
    assert sorted(finding.rule for finding in shown.findings) == ["heap", "memdash"]


def test_what_alerts_have_done_is_in_one_snapshot() -> None:
    memory, shown = Memory(1.0, (parse_rule("HeapAlloc > 1", "heap"),)), a_snapshot(1)
    seen = []
    for second in range(3):
        shown = memory.add(shown, leaking(second))
        seen += [(second, transition.kind, transition.finding.rule) for transition in shown.transitions]
    assert seen == [(0, TransitionKind.OPENED, "heap")]
    assert memory.refreshed(shown).transitions == ()


def test_what_is_muted_or_acknowledged_does_not_stand_in_the_header() -> None:
    rules = (parse_rule("HeapAlloc > 1", "heap"), parse_rule("system.threads > 1 critical", "threads"))
    memory = Memory(1.0, rules)
    shown = memory.add(a_snapshot(1), leaking(0))
    assert [finding.rule for finding in shown.alerts] == ["threads", "heap"]
    memory.acknowledge(shown.alerts[0], seen=True)
    shown = memory.refreshed(shown)
    assert shown.worst is not None
    assert shown.worst.rule == "heap"
    memory.mute(shown.at, "heap", 5)
    shown = memory.refreshed(shown)
    assert shown.worst is not None
    assert (shown.worst.rule, shown.findings[0].summary) == ("threads", "heap muted for 5.0 s")
    memory.mute(shown.at, "heap", 0)
    shown = memory.refreshed(shown)
    assert shown.worst is not None
    assert (shown.worst.rule, shown.findings[0].summary) == ("heap", "heap counts again")


def test_a_rule_may_end_later_than_it_begins() -> None:
    memory, shown = Memory(1.0, (parse_rule("HeapAlloc > 500MiB clear 400MiB", "heap"),)), a_snapshot(1)
    held = []
    for second, mib in enumerate((450, 501, 450, 401, 400, 450)):
        at = Instant(NOON_S + second, 20_000.0 + second)
        shown = memory.add(shown, a_sample(at, memstats(mib * MIB)))
        held.append(bool(shown.alerts))
    assert held == [False, True, True, True, False, False]
    assert shown.findings[0].worst is not None
    assert shown.findings[0].worst.words == "501.0 MiB"
