"""When a collection is forced, and when not: once before the limit, twice at it, seldom where it brings nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from memdash.analysis.relief import Order, Reliever
from memdash.model.action import Action, Deed
from memdash.model.finding import Finding, NotYet, Severity
from memdash.model.missing import Maybe, Missing
from memdash.model.relief import OVER_LIMIT, GcAt
from memdash.model.sample import Instant, Sample
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_sample, a_system, memstats

NONE = Missing("none is set")
NO_WAY = Missing("its port is closed", "open it")
GC, TRIM = Action.FORCE_GC, Action.TRIM
WAY: dict[Action, Maybe[str]] = {GC: "runs runtime.GC"}
BOTH: dict[Action, Maybe[str]] = {GC: "runs gc.collect()", TRIM: "runs malloc_trim"}
LIMIT = 1000 * MIB


@dataclass
class Story:
    """A program under a limit of 1000 MiB whose collections free ``frees_mib``; ``done`` is all that was done to it.

    Its RSS is what it uses, or ``rss_mib``.
    """

    plan: GcAt = field(default_factory=lambda: GcAt(ratio=0.8))
    offers: dict[Action, Maybe[str]] = field(default_factory=lambda: WAY)
    frees_mib: int = 300
    used_mib: int = 100
    rss_mib: int = 0
    now_s: float = 0.0
    done: list[tuple[float, Action]] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    told: list[tuple[str, Severity]] = field(default_factory=list)
    finding: Finding | NotYet | None = None

    def __post_init__(self) -> None:
        self.reliever = Reliever(self.plan)

    def sample(self, **system: Any) -> Sample:
        stats = memstats(self.used_mib * MIB, Sys=self.used_mib * MIB, HeapReleased=0)
        kernel = a_system(cgroup=NONE, rss_bytes=(self.rss_mib or self.used_mib) * MIB, **system)
        return a_sample(Instant(NOON_S + self.now_s, self.now_s), stats, a_gc(memory_limit_bytes=LIMIT), kernel)

    def at(self, now_s: float, used_mib: int, **system: Any) -> None:
        """A moment comes, and all that is ordered is done."""
        self.now_s, self.used_mib = now_s, used_mib
        looked = self.reliever.look(self.sample(**system), self.offers)
        self.told += looked.told
        order = looked.order
        while order is not None:
            order = self.reliever.heard(self.does(order))
        self.finding = looked.finding

    def does(self, order: Order, outcome: Maybe[str] = "done") -> Deed:
        self.done.append((self.now_s, order.action))
        self.causes.append(order.cause)
        before = self.sample()
        if order.action is GC and not isinstance(outcome, Missing):
            self.used_mib -= self.frees_mib
        return Deed(
            action=order.action, outcome=outcome, took_s=0.1, before=before, after=self.sample(), cause=order.cause
        )

    @property
    def is_waiting(self) -> bool:
        return isinstance(self.finding, NotYet)

    @property
    def warned(self) -> str:
        return self.finding.summary if isinstance(self.finding, Finding) else ""


def test_below_its_share_nothing_is_done() -> None:
    story = Story()
    for second in range(100):
        story.at(second, 799)
    assert story.done == []
    assert story.finding is None


def test_at_its_share_there_is_one_collection_and_then_a_rest() -> None:
    story = Story(plan=GcAt(ratio=0.8, cooldown_s=30.0))
    for second in range(50):
        story.at(second, 825)
    assert story.done == [(0, GC), (30, GC)]
    assert story.causes[0] == "gc-at, 82 % of GOMEMLIMIT in use"
    assert story.reliever.standing.rounds == 2


def test_at_the_limit_there_are_two_in_a_row_and_the_rest_of_one_does_not_hold_them_up() -> None:
    story = Story()
    story.at(0, 850)
    story.at(1, 1000)
    story.at(2, 1000)
    story.at(3, 850)
    assert story.done == [(0, GC), (1, GC), (1, GC)]


def test_after_two_in_a_row_one_rests_as_well() -> None:
    story = Story()
    story.at(0, 1000)
    for second in range(1, 30):
        story.at(second, 900)
    assert story.done == [(0, GC), (0, GC)]


def test_memory_is_trimmed_after_a_collection_where_that_can_be_done() -> None:
    story = Story(offers=BOTH)
    story.at(0, 850)
    story.at(1, 1000)
    assert [action for _, action in story.done] == [GC, TRIM, GC, GC, TRIM]


def test_what_brings_nothing_is_done_less_and_less_often() -> None:
    story = Story(frees_mib=8)
    for second in range(3000):
        story.at(second, 900)
    assert [int(at_s) for at_s, _ in story.done] == [0, 60, 180, 420, 900, 1860, 2820]
    assert "the next not before 16m" in story.told[-1][0]
    assert story.reliever.standing.wait_s == 960
    story.frees_mib = 100
    story.at(4000, 900)
    assert story.reliever.standing.wait_s == 30
    story.at(4030, 900)
    assert [at_s for at_s, _ in story.done][-2:] == [4000, 4030]


def test_a_heap_that_is_freed_helps_nobody_while_what_counts_does_not_fall() -> None:
    story = Story(plan=GcAt(ratio=0.8, limit_bytes=LIMIT), frees_mib=59, rss_mib=1100)
    for second in range(200):
        story.at(second, 400)
    assert [at_s for at_s, _ in story.done] == [0, 0, 60, 60, 180, 180]
    came = "2 forced collections freed 118.0 MiB, but RSS did not fall: forcing does not lower it"
    assert (f"gc-at: {came}; the next not before 1m00s", Severity.INFO) in story.told
    assert story.warned == f"1.07 GiB in use, over the limit of 1000 MiB: {came}"


def test_what_is_given_back_soon_after_has_helped() -> None:
    story = Story(plan=GcAt(ratio=0.8, limit_bytes=LIMIT), frees_mib=59, rss_mib=900)
    story.at(0, 400)
    assert story.reliever.standing.wait_s == 60
    story.rss_mib = 850
    story.at(4, 400)
    assert story.reliever.standing.wait_s == 30
    for second in range(5, 31):
        story.at(second, 400)
    assert [at_s for at_s, _ in story.done] == [0, 30]
    assert not any("forced" in words for words, _ in story.told)


def test_of_what_was_given_back_soon_after_nobody_says_that_it_was_not() -> None:
    story = Story(plan=GcAt(ratio=0.8, limit_bytes=LIMIT), frees_mib=59, rss_mib=1100)
    story.at(0, 400)
    story.rss_mib = 1050
    for second in (4, 5):
        story.at(second, 400)
    assert story.warned == "1.03 GiB in use, over the limit of 1000 MiB: 2 forced collections freed 118.0 MiB"


def test_what_came_before_it_was_done_is_not_what_it_freed() -> None:
    story = Story(frees_mib=0, used_mib=900)
    order = story.reliever.look(story.sample(), WAY).order
    assert order is not None
    story.used_mib = 950
    story.reliever.heard(story.does(order))
    assert story.reliever.standing.wait_s == 60


def test_what_falls_although_none_could_be_forced_is_no_help_of_it() -> None:
    story = Story(used_mib=900)
    order = story.reliever.look(story.sample(), WAY).order
    assert order is not None
    story.reliever.heard(story.does(order, Missing("it is busy")))
    story.at(1, 700)
    assert story.reliever.standing.wait_s == 60


def test_one_percent_is_of_what_is_in_use() -> None:
    story = Story(frees_mib=9)
    story.at(0, 900)
    assert story.reliever.standing.wait_s == 30


def test_one_that_fails_is_followed_by_none_and_counts_as_one_that_brought_nothing() -> None:
    story = Story()
    looked = story.reliever.look(replace(story.sample(), memstats=memstats(Sys=1001 * MIB, HeapReleased=0)), WAY)
    assert looked.order is not None
    assert story.reliever.heard(story.does(looked.order, Missing("it is busy"))) is None
    assert (story.reliever.standing.wait_s, story.reliever.standing.rounds) == (60, 0)
    story.at(20, 1001)
    assert [words for words, _ in story.told] == ["gc-at: no collection was forced; the next not before 1m00s"]
    assert story.done == [(0, GC)]
    assert story.warned.endswith("over GOMEMLIMIT of 1000 MiB: force GC failed: it is busy")


def test_what_a_person_forces_counts_as_one() -> None:
    story = Story()
    story.at(0, 500)
    story.reliever.heard(replace(story.does(Order(GC, "")), cause=""))
    story.done.clear()
    for second in range(1, 40):
        story.at(second, 850)
    assert story.done == [(30, GC)]


def test_what_is_still_over_after_a_while_is_a_warning_until_it_is_not() -> None:
    story = Story(frees_mib=0)
    for second in (0, 1, 4):
        story.at(second, 1200)
        assert story.is_waiting
    story.at(5, 1200)
    assert story.warned == "1.17 GiB in use, over GOMEMLIMIT of 1000 MiB: 2 forced collections freed nothing"
    assert isinstance(story.finding, Finding)
    assert (story.finding.rule, story.finding.severity) == (OVER_LIMIT, Severity.WARNING)
    assert story.finding.evidence["used_bytes"] == 1200 * MIB
    story.at(6, 999)
    assert (story.warned, story.is_waiting) == ("", False)


def test_what_failed_in_the_middle_is_told_with_what_was_done_before() -> None:
    story = Story(frees_mib=0)
    story.used_mib = 1200
    first = story.reliever.look(story.sample(), WAY).order
    assert first is not None
    second = story.reliever.heard(story.does(first))
    assert second is not None
    assert story.reliever.heard(story.does(second, Missing("it is busy"))) is None
    story.at(5, 1200)
    assert story.warned.endswith(": 1 forced collection freed nothing, then force GC failed: it is busy")
    assert story.reliever.standing.rounds == 1


def test_rounds_that_free_something_and_follow_each_other_fast_hide_nothing() -> None:
    story = Story(plan=GcAt(ratio=0.8, cooldown_s=2.0), frees_mib=20)
    for second in range(5):
        story.at(second, 1200)
        assert story.is_waiting
    for second in range(5, 30):
        story.at(second, 1200)
        assert story.warned.endswith(": 2 forced collections freed 40.0 MiB")
    assert len(story.done) == 30
    story.at(30, 900)
    assert (story.warned, story.is_waiting) == ("", False)


def test_a_round_that_hangs_hides_nothing_that_was_found_before() -> None:
    story = Story(frees_mib=0)
    story.at(0, 1200)
    story.at(5, 1200)
    assert story.warned
    story.now_s = 60
    looked = story.reliever.look(story.sample(), WAY)
    assert looked.order is not None
    assert isinstance(looked.finding, Finding)


def test_without_a_way_nothing_is_done_and_that_is_told_once() -> None:
    story = Story(offers={GC: NO_WAY})
    for second in range(20):
        story.at(second, 850)
    assert story.done == []
    assert story.told == [("gc-at 80 % cannot be done: Its port is closed. Open it", Severity.WARNING)]
    assert story.finding is None
    story.at(20, 1000)
    assert story.warned.endswith(": no collection can be forced: its port is closed")


def test_a_way_that_comes_in_time_is_not_missed_and_one_that_goes_is() -> None:
    story = Story(offers={})
    story.at(0, 500)
    story.at(2, 500)
    story.offers = WAY
    story.at(3, 500)
    assert story.told == [("gc-at 80 % of GOMEMLIMIT of 1000 MiB: armed, 500.0 MiB (50 %) in use", Severity.INFO)]
    story.offers = {GC: NO_WAY}
    for second in range(4, 10):
        story.at(second, 500)
    assert [words for words, _ in story.told][1:] == ["gc-at 80 % cannot be done: Its port is closed. Open it"]


def test_a_way_that_comes_and_goes_is_told_of_less_and_less_often() -> None:
    story = Story()
    for second in range(0, 7200, 5):
        story.offers = WAY if second // 20 % 2 else {GC: NO_WAY}
        story.at(second, 500)
    assert 2 <= len(story.told) < 10
    for second in range(7200, 7200 + 86_400, 60):
        story.offers = WAY if second // 1800 % 2 else {GC: NO_WAY}
        story.at(second, 500)
    assert len(story.told) < 40


def test_after_a_long_time_as_it_was_a_change_is_told_at_once_again() -> None:
    story = Story()
    for second in range(0, 600, 5):
        story.offers = WAY if second // 10 % 2 else {GC: NO_WAY}
        story.at(second, 500)
    for second in range(600, 4300, 5):
        story.offers = WAY
        story.at(second, 500)
    story.told.clear()
    story.offers = {GC: NO_WAY}
    for second in (4300, 4303):
        story.at(second, 500)
    assert [severity for _, severity in story.told] == [Severity.WARNING]


def test_over_the_limit_nobody_is_said_to_be_unable_before_that_is_sure() -> None:
    story = Story(offers={GC: NO_WAY})
    story.at(0, 1100)
    assert story.is_waiting
    story.at(3, 1100)
    assert story.warned


def test_without_a_limit_that_is_told() -> None:
    reliever, told = Reliever(GcAt(ratio=0.8)), list[tuple[str, Severity]]()
    for second in range(10):
        at = Instant(NOON_S + second, float(second))
        sample = a_sample(at, memstats(), a_gc(memory_limit_bytes=NONE), a_system(cgroup=NONE))
        told += reliever.look(sample, WAY).told
    ((words, severity),) = told
    assert words.startswith("gc-at 80 % cannot be done: No memory limit of this process is known. Give one: --limit")
    assert severity is Severity.WARNING


def test_a_stopped_program_is_asked_for_nothing() -> None:
    story = Story()
    story.at(0, 900, is_stopped=True)
    assert story.done == []
    story.at(1, 900)
    assert story.done == [(1, GC)]


def test_nothing_more_is_ordered_while_one_is_under_way() -> None:
    story = Story()
    story.used_mib = 900
    assert story.reliever.look(story.sample(), WAY).order is not None
    assert story.reliever.look(story.sample(), WAY).order is None


@pytest.mark.parametrize("action", [Action.LOAD_AGENT, Action.FIND_LEAKS, TRIM])
def test_what_else_is_done_to_it_does_not_matter(action: Action) -> None:
    story = Story()
    seen = story.sample()
    story.reliever.heard(Deed(action=action, outcome="done", took_s=0.1, before=seen, after=seen))
    story.at(1, 900)
    assert story.done == [(1, GC)]
