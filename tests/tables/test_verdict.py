"""The verdict where there is little room."""

from __future__ import annotations

from memdash.model.finding import Finding, Severity
from memdash.model.verdict import VerdictKind
from memdash.tables.verdict import alert_words, calm_words
from tests.fakes import NOON_S, a_snapshot
from tests.verdicts import a_leak


def test_a_leak_is_called_by_its_name() -> None:
    of_verdict = Finding(
        rule="heap growth", severity=Severity.CRITICAL, at_s=NOON_S, summary=a_leak().summary, evidence={"kind": "leak"}
    )
    other = Finding(rule="gc pause", severity=Severity.WARNING, at_s=NOON_S, summary="GC pause 12 ms over 10 ms: why")
    assert alert_words(of_verdict) == "▲ LEAK +1.19 MiB/s"
    assert alert_words(other) == "● WARN GC pause 12 ms over 10 ms"


def test_calm_words_are_for_what_is_no_alert() -> None:
    plateau = a_leak(kind=VerdictKind.PLATEAU, why="holds its level")
    assert calm_words(a_snapshot(1, verdict=plateau)) == "✓ plateau"
    assert calm_words(a_snapshot(1)) == ""
    assert calm_words(a_snapshot(1, verdict=a_leak(kind=VerdictKind.NOT_YET))) == ""
    alert = Finding(rule="gc pause", severity=Severity.WARNING, at_s=NOON_S, summary="GC pause")
    assert calm_words(a_snapshot(1, [alert], verdict=plateau)) == ""
