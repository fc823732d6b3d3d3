"""The log is bounded, each trouble is one entry, and nothing is lost silently."""

from __future__ import annotations

from memdash.analysis.alerts import AlertLog
from memdash.model.finding import Finding, NotYet, Severity


def found(at_s: float, summary: str = "HeapAlloc over", rule: str = "heap") -> Finding:
    return Finding(rule=rule, severity=Severity.WARNING, at_s=at_s, summary=summary)


def test_a_lasting_trouble_is_one_entry_kept_up_to_date() -> None:
    log = AlertLog()
    for second in range(5):
        log.observe(second, {"heap": found(second, f"HeapAlloc {second}")})
    (entry,) = log.entries
    assert (entry.at_s, entry.ended_at_s, entry.summary) == (0, None, "HeapAlloc 4")


def test_it_gets_its_end_and_a_quick_return_reopens_it() -> None:
    log = AlertLog(rearm_s=30)
    log.observe(0, {"heap": found(0)})
    log.observe(10, {"heap": None})
    assert log.entries[0].ended_at_s == 10
    log.observe(20, {"heap": found(20)})
    assert [(e.at_s, e.ended_at_s) for e in log.entries] == [(0, None)]
    log.observe(30, {"heap": None})
    log.observe(100, {"heap": found(100)})
    assert [e.at_s for e in log.entries] == [100, 0]


def test_not_knowing_leaves_it_open() -> None:
    log = AlertLog()
    log.observe(0, {"heap": found(0)})
    log.observe(1, {"heap": NotYet("a gap")})
    assert log.entries[0].ended_at_s is None


def test_the_oldest_go_first_and_are_counted() -> None:
    log = AlertLog(capacity=3)
    for second in range(10):
        log.note(found(second))
    assert [e.at_s for e in log.entries] == [9, 8, 7]
    assert log.dropped == 7


def test_an_open_entry_that_was_dropped_starts_anew() -> None:
    log = AlertLog(capacity=2)
    log.observe(0, {"heap": found(0)})
    log.note(found(1, rule="memdash"))
    log.note(found(2, rule="memdash"))
    log.observe(3, {"heap": found(3)})
    assert log.entries[0].at_s == 3
    assert log.entries[0].ended_at_s is None
