"""A gate hears the snapshots of a session, leaves the warm-up out, and judges what came after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from memdash.analysis.budget import Budget
from memdash.analysis.budgets import NoLeak, NoNewTasks, budget_of
from memdash.analysis.rules import parse_rule
from memdash.errors import Defect
from memdash.model.capability import Capability, Source
from memdash.model.check import Checked, Command, Judgement, Outcome
from memdash.model.finding import NOTES, Finding, Severity
from memdash.model.malloc import Malloc
from memdash.model.missing import Maybe, Missing, known
from memdash.model.sample import Instant, Origin, Sample
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Ending, Silence, Target
from memdash.model.tasks import Tasks
from memdash.session.gate import Gate
from memdash.session.memory import Memory
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_sample, a_snapshot, a_system, a_thread, memstats


@pytest.fixture(scope="module")
def first() -> Snapshot:
    return replace(a_snapshot(1), state=State.ATTACHING)


def sampled(second: int, heap_mib: float, tasks: int = 3) -> Sample:
    """A Go program that collects every second."""
    live = round(heap_mib * MIB)
    return a_sample(
        Instant(NOON_S + second, 5000.0 + second),
        memstats(live, NumGC=100 + second),
        a_gc(live_after_gc_bytes=live, count=100 + second),
        Tasks((a_thread("Worker.run", "in futex", tasks),)),
    )


def watched(
    first: Snapshot, budgets: Sequence[Budget], heaps: Sequence[float], *, warm_up_s: float, for_s: float | None = None
) -> Gate:
    """One whose program had so many MiB at each second."""
    gate = Gate(first, budgets, warm_up_s=warm_up_s, for_s=for_s)
    gate.take(first)
    for second, heap in enumerate(heaps):
        shown = replace(first, state=State.LIVE, sample=sampled(second, heap), at=Instant(NOON_S, 5000.0 + second))
        gate.take(shown)
        gate.take(replace(shown, interval_s=1.0))  # published again, for somebody has set a baseline
    return gate


def most(text: str) -> Budget:
    return budget_of(parse_rule(text))


def only(checked: Checked) -> Judgement:
    (judgement,) = checked.judgements
    return judgement


def test_nothing_of_the_warm_up_counts(first: Snapshot) -> None:
    heaps = [900] * 10 + [100] * 20
    found = only(watched(first, [most("HeapAlloc > 512MiB")], heaps, warm_up_s=10).checked(strict=False))
    assert found.outcome is Outcome.PASSED
    assert found.value is not None
    assert found.value.words == "100.0 MiB"
    early = only(watched(first, [most("HeapAlloc > 512MiB")], heaps, warm_up_s=9).checked(strict=False))
    assert early.outcome is Outcome.FAILED


def test_what_goes_wrong_in_it_ends_it_and_is_no_judgement(first: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no such thing")

    gate = watched(first, [most("HeapAlloc > 512MiB")], [100] * 5, warm_up_s=0)
    assert not gate.over.is_set()
    monkeypatch.setattr(Memory, "add", broken)
    gate.take(replace(first, state=State.LIVE, sample=sampled(5, 100), at=Instant(NOON_S, 5005.0)))
    assert gate.over.is_set()
    with pytest.raises(Defect, match="no such thing"):
        gate.checked(strict=False)


def test_it_is_over_after_its_time(first: Snapshot) -> None:
    gate = watched(first, [most("HeapAlloc > 512MiB")], [100] * 31 + [900] * 10, warm_up_s=10, for_s=20)
    assert gate.over.is_set()
    checked = gate.checked(strict=False)
    assert checked.passed
    assert (checked.samples, checked.watched_s) == (21, 20.0)
    assert not watched(first, [], [100] * 30, warm_up_s=10, for_s=20).over.is_set()


def test_growth_is_since_the_warm_up_and_names_the_sites_of_that_time(first: Snapshot) -> None:
    gate = watched(first, [most("heap.live_bytes growth > 8MiB")], [*range(10, 60)], warm_up_s=20)
    found = only(gate.checked(strict=False))
    assert found.outcome is Outcome.FAILED
    assert found.value is not None
    assert found.value.value == 24 * MIB  # the lowest of the first fifth to that of the last


def test_a_rule_is_watched_from_then_on(first: Snapshot) -> None:
    rule = most("HeapAlloc > 512MiB for 2s")
    heaps = [900] * 10 + [100] * 10
    assert only(watched(first, [rule], heaps, warm_up_s=10).checked(strict=False)).outcome is Outcome.PASSED
    heaps += [900] * 5 + [100] * 10
    assert only(watched(first, [rule], heaps, warm_up_s=10).checked(strict=False)).outcome is Outcome.FAILED


def test_what_broke_a_limit_has_broken_it_though_another_source_tells_less(first: Snapshot) -> None:
    """As of a CPython whose agent goes: from then on HeapAlloc leaves out what malloc holds."""
    gate = Gate(first, [most("HeapAlloc > 512MiB")], warm_up_s=0, for_s=None)
    for second, heap in enumerate([900] * 5 + [100] * 10):
        sample = sampled(second, heap)
        source = Source.AGENT if heap > 100 else Source.MEMORY
        told = replace(sample, origins={**sample.origins, Capability.MEMSTATS: Origin(source, sample.at)})
        gate.take(replace(first, state=State.LIVE, sample=told, at=sample.at))
    found = only(gate.checked(strict=False))
    assert found.outcome is Outcome.FAILED
    assert found.value is not None
    assert found.value.words == "900.0 MiB"
    assert "HeapAlloc 900.0 MiB over 512.0 MiB" in found.why


def of_a_python(second: int, heap_mib: float, malloc_mib: float | None) -> Sample:
    """One whose small objects are a MiB; its agent tells malloc's part, while there is one."""
    in_use: Maybe[int] = (
        Missing("only memdash's agent can tell that") if malloc_mib is None else round(malloc_mib * MIB)
    )
    malloc = Malloc(in_use_bytes=in_use, mapped_bytes=in_use, free_bytes=in_use, trimmable_bytes=in_use)
    sample = a_sample(Instant(NOON_S + second, 5000.0 + second), memstats(round(heap_mib * MIB), HeapSmall=MIB), malloc)
    source = Source.MEMORY if malloc_mib is None else Source.AGENT
    return replace(sample, origins={**sample.origins, Capability.MEMSTATS: Origin(source, sample.at)})


@pytest.mark.parametrize("warm_up_s", [0, 8])
def test_small_objects_are_not_taken_for_the_heap_once_the_agent_has_gone(first: Snapshot, warm_up_s: float) -> None:
    rules = ["HeapAlloc > 50MiB", "HeapAlloc < 5MiB", "HeapAlloc > 900MiB for 2s", "HeapSmall > 50MiB"]
    gate = Gate(first, [*map(most, rules), NoLeak()], warm_up_s=warm_up_s, for_s=None)
    for second in range(20):
        sample = of_a_python(second, 20, 19) if second < 8 else of_a_python(second, 1, None)
        gate.take(replace(first, state=State.LIVE, sample=sample, at=sample.at))
    checked = gate.checked(strict=False)
    found = {judgement.name: judgement for judgement in checked.judgements}
    assert found.pop("HeapSmall at most 50MiB").outcome is Outcome.PASSED
    assert {judgement.outcome for judgement in found.values()} == {Outcome.UNKNOWN}
    del found["no leak"]
    assert all("memdash's agent has gone" in judgement.why for judgement in found.values())
    if not warm_up_s:
        assert found["HeapAlloc at most 50MiB"].why.startswith("not known for the last 12 s: ")
    assert not checked.passed


def test_an_agent_that_goes_as_the_program_ends_leaves_what_it_told(first: Snapshot) -> None:
    gate = Gate(first, [most("HeapAlloc > 50MiB")], warm_up_s=0, for_s=None)
    for second in range(60):
        sample = of_a_python(second, 20, 19) if second < 56 else of_a_python(second, 1, None)
        gate.take(replace(first, state=State.LIVE, sample=sample, at=sample.at))
    found = only(gate.checked(strict=False))
    assert (found.outcome, found.value and found.value.words) == (Outcome.PASSED, "20.0 MiB")


def test_what_begins_without_an_allocator_had_no_agent(first: Snapshot) -> None:
    """A Python that is read before it has any arena tells nothing of its heap."""
    gate = Gate(first, [most("HeapAlloc > 50MiB")], warm_up_s=0, for_s=None)
    for second in range(9):
        sample = of_a_python(second, 1, None)
        if not second:
            stats, none = known(sample.memstats, memstats(0)), Missing("the allocator is not in use")
            sample = replace(sample, memstats=replace(stats, HeapAlloc=none, Alloc=none, HeapSmall=none))
        gate.take(replace(first, state=State.LIVE, sample=sample, at=sample.at))
    found = only(gate.checked(strict=False))
    assert (found.outcome, found.value and found.value.words) == (Outcome.PASSED, "1.00 MiB")


def test_where_no_agent_ever_was_what_is_left_out_is_named(first: Snapshot) -> None:
    gate = Gate(first, [most("HeapAlloc > 50MiB"), most("HeapAlloc > 50MiB for 2s")], warm_up_s=0, for_s=None)
    for second in range(9):
        sample = of_a_python(second, 1, None)
        gate.take(replace(first, state=State.LIVE, sample=sample, at=sample.at))
    for found in gate.checked(strict=False).judgements:
        assert found.outcome is Outcome.PASSED
        assert found.why.endswith(", without malloc's part")


def test_tasks_that_come_and_stay(first: Snapshot) -> None:
    gate = Gate(first, [NoNewTasks()], warm_up_s=0, for_s=None)
    for second in range(30):
        gate.take(replace(first, state=State.LIVE, sample=sampled(second, 100, tasks=3 + second)))
    assert only(gate.checked(strict=False)).outcome is Outcome.FAILED


def test_what_ended_within_the_warm_up_was_not_judged(first: Snapshot) -> None:
    gate = watched(first, [most("HeapAlloc > 512MiB")], [900] * 5, warm_up_s=10)
    gate.take(replace(first, state=State.ENDED, ending=Ending(at_s=NOON_S, exit_code=0)))
    assert gate.over.is_set()
    checked = gate.checked(strict=False)
    assert checked.since is None
    assert only(checked).why == "nothing was seen after the warm-up of 10 s"
    assert checked.cut_short == f"{only(checked).why}: shop-server (pid 41287) exited with code 0"
    assert not checked.passed
    assert checked.shown.ending is not None


def test_what_was_seen_before_the_end_counts(first: Snapshot) -> None:
    gate = watched(first, [most("HeapAlloc > 512MiB")], [100] * 9 + [900], warm_up_s=0)
    gate.take(replace(first, state=State.ENDED, ending=Ending(at_s=NOON_S, signal_number=9)))
    checked = gate.checked(strict=False, command=Command(("server",), 137))
    assert only(checked).outcome is Outcome.FAILED
    assert checked.shown.state is State.ENDED
    assert checked.command is not None
    assert checked.command.failed


def lapsing(first: Snapshot, seconds: int, lapsed: range, **changes: Any) -> Gate:
    """One that hears of changed snapshots for some of its seconds."""
    gate = Gate(first, [most("HeapAlloc > 512MiB")], warm_up_s=0, for_s=None)
    for second in range(seconds):
        sample = sampled(second, 100)
        if second in lapsed and "sample" in changes:
            sample = replace(sample, **changes["sample"])
        others = {key: value for key, value in changes.items() if key != "sample"} if second in lapsed else {}
        gate.take(replace(first, state=State.LIVE, sample=sample, at=sample.at, **others))
    return gate


SILENT = {"silence": Silence(NOON_S, "connection refused")}
STOPPED = {"sample": {"system": a_system(is_stopped=True)}}


@pytest.mark.parametrize(("changes", "words"), [(SILENT, "did not answer"), (STOPPED, "was stopped")])
def test_time_in_which_nothing_can_be_seen_does_not_count(first: Snapshot, changes: dict[str, Any], words: str) -> None:
    checked = lapsing(first, 21, range(12, 21), **changes).checked(strict=False)
    assert not checked.passed
    assert checked.cut_short == f"shop-server (pid 41287) {words} for 9.0 s of 20 s"
    assert (checked.samples, checked.watched_s, checked.lapsed_s) == (12, 11.0, 9.0)
    assert only(checked).outcome is Outcome.PASSED
    never = lapsing(first, 21, range(21), **changes).checked(strict=False)
    assert (never.samples, never.watched_s, only(never).why) == (0, 0.0, "nothing was seen")
    assert not never.passed


def test_a_short_lapse_in_between_is_told_and_does_not_fail(first: Snapshot) -> None:
    checked = lapsing(first, 41, range(12, 14), **SILENT).checked(strict=False)
    assert checked.passed
    assert (checked.samples, checked.lapsed_s) == (39, 2.0)
    assert not lapsing(first, 41, range(12, 19), **SILENT).checked(strict=False).passed
    assert not lapsing(first, 41, range(40, 41), **SILENT).checked(strict=False).passed


def test_a_server_that_answers_with_errors_alone_tells_nothing(first: Snapshot) -> None:
    """It is there, and what it told before is carried on."""
    server = replace(first, target=Target.at_url("http://127.0.0.1:1/", "127.0.0.1:1"))
    at = sampled(11, 100).at
    failing = {Capability.MEMSTATS: Origin(Source.ENDPOINT, at, failing="it answers 500")}
    checked = lapsing(server, 21, range(12, 21), sample={"origins": failing}).checked(strict=False)
    assert checked.cut_short == "127.0.0.1:1 (http://127.0.0.1:1/) told nothing for 9.0 s of 20 s"


def test_a_server_that_hangs_is_noticed_before_a_time_out(first: Snapshot) -> None:
    """What it told before is carried on meanwhile, and is no sample."""
    server = replace(first, target=Target.at_url("http://127.0.0.1:1/", "127.0.0.1:1"))
    old = {Capability.MEMSTATS: Origin(Source.ENDPOINT, sampled(11, 100).at)}
    checked = lapsing(server, 21, range(12, 21), sample={"origins": old}).checked(strict=False)
    assert checked.cut_short == "127.0.0.1:1 (http://127.0.0.1:1/) did not answer for 9.0 s of 20 s"
    assert checked.watched_s == 11.0
    assert lapsing(server, 21, range(12, 15), sample={"origins": old}).checked(strict=False).passed


def test_what_is_not_read_any_more_has_kept_to_nothing(first: Snapshot) -> None:
    """A process is there, but not all that reads it may still do."""
    failing = {Capability.MEMSTATS: Origin(Source.MEMORY, sampled(11, 100).at, failing="it was unmapped")}
    found = only(lapsing(first, 21, range(12, 21), sample={"origins": failing}).checked(strict=False))
    assert (found.outcome, found.why) == (Outcome.UNKNOWN, "not read for the last 9.0 s: it was unmapped")
    late = only(lapsing(first, 21, range(20, 21), sample={"origins": failing}).checked(strict=False))
    assert late.outcome is Outcome.UNKNOWN


def test_one_sample_is_not_enough(first: Snapshot) -> None:
    checked = watched(first, [most("HeapAlloc > 512MiB")], [100] * 11, warm_up_s=10).checked(strict=False)
    assert only(checked).why == checked.cut_short == "only one sample was seen after the warm-up of 10 s"
    assert not checked.passed
    assert not replace(checked, judgements=()).passed


def test_strict_takes_no_verdict_for_a_failure(first: Snapshot) -> None:
    unjudged = Judgement(name="no leak", outcome=Outcome.UNKNOWN, why="too early", required=False)
    checked = watched(first, [], [100] * 3, warm_up_s=0).checked(strict=False)
    assert replace(checked, judgements=(unjudged,)).passed
    assert not replace(checked, judgements=(unjudged,), strict=True).passed
    assert not replace(checked, judgements=(replace(unjudged, required=True),)).passed


def test_what_was_done_after_the_warm_up_is_in_the_result(first: Snapshot) -> None:
    """It stands in the log of the session, which knows nothing of a warm-up."""

    def deed(second: int, summary: str) -> Finding:
        figures: dict[str, float | str] = {"action": "force GC", "freed_bytes": 5.0}
        at_s, mono_s = NOON_S + second - 3600 * (second > 15), 5000.0 + second  # the clock was set back meanwhile
        return Finding(rule=NOTES, severity=Severity.OK, at_s=at_s, mono_s=mono_s, summary=summary, evidence=figures)

    gate = watched(first, [], [100] * 20, warm_up_s=10)
    note = replace(deed(12, "a note"), evidence={})
    log = (deed(18, "second"), note, deed(11, "first"), deed(5, "in the warm-up"))
    gate.take(replace(first, state=State.LIVE, sample=sampled(20, 100), findings=log))
    assert [found.summary for found in gate.checked(strict=False).deeds] == ["first", "second"]


def test_tasks_that_cannot_be_read_are_not_judged(first: Snapshot) -> None:
    gate = Gate(first, [NoNewTasks()], warm_up_s=0, for_s=None)
    why = Missing("it has none")
    for second in range(30):
        gate.take(replace(first, state=State.LIVE, sample=replace(sampled(second, 100), tasks=why)))
    found = only(gate.checked(strict=False))
    assert (found.outcome, found.why) == (Outcome.UNKNOWN, "It has none")


def test_a_level_is_looked_for_between_samples_too(first: Snapshot) -> None:
    gate = Gate(first, [budget_of(parse_rule("HeapAlloc > 512MiB"))], warm_up_s=0, for_s=None)
    for tick, heap in enumerate([100, 100, 900, 100, 100]):
        at = Instant(NOON_S + tick / 5, 5000.0 + tick / 5)
        gate.take(replace(first, state=State.LIVE, sample=a_sample(at, memstats(heap * MIB))))
    assert only(gate.checked(strict=False)).outcome is Outcome.FAILED
