"""A log as JSON, CSV and words: one line each, with the recipe's names, and nobody's words as formulas or escapes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import Any

import pytest

from memdash.exports.lines import CsvLines, JsonLines, Lines, WordLines
from memdash.model.capability import Capability
from memdash.model.finding import Finding, Severity
from memdash.model.metric import METRICS
from memdash.model.missing import Missing
from memdash.model.sample import Sample
from memdash.model.snapshot import Snapshot
from tests.fakes import NOON_S, a_sample, a_snapshot, memstats, some_threads

HOSTILE = '=cmd|"x"!A1\n\x1b[31m,\u202e\ud800'
ALERT = Finding(rule="heap", severity=Severity.WARNING, at_s=NOON_S, summary="HeapAlloc is large", evidence={"b": 1})


@pytest.fixture(scope="module")
def shown() -> Snapshot:
    moment = a_snapshot(5, findings=(ALERT,))
    return replace(moment, sample=a_sample(moment.at, memstats(300 << 20, LastGC=1_769_861_260_000_000_000)))


@pytest.fixture(scope="module")
def unread(shown: Snapshot) -> Snapshot:
    return replace(shown, sample=Sample.empty(shown.at, Missing("nothing reads it")))


def parsed(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_sample_has_the_names_of_the_recipe_and_of_the_document(shown: Snapshot) -> None:
    [line] = JsonLines().sample(shown)
    found = parsed(line)
    assert list(found)[:11] == [
        *("timestamp", "level", "event", "pid", "name"),
        *("alloc_mb", "sys_mb", "heap_mb", "gc_count", "last_gc", "pause_total_ns"),
    ]
    assert (found["alloc_mb"], found["heap_mb"], found["gc_count"]) == (300.0, 300.0, 4183)
    assert found["last_gc"] == "2026-01-31T12:07:40.000000Z"
    assert (found["level"], found["event"], found["alerts"], found["worst"]) == ("info", "sample", 1, "warning")
    assert found["system"]["rss_bytes"] == shown.sample.system.rss_bytes  # type: ignore[union-attr]
    assert found["gc"]["live_after_gc_bytes"] == 320 << 20
    assert not {"BySize", "PauseNs", "PauseEnd"} & found["memstats"].keys()
    assert len(line) < 6000


def test_rows_are_left_out_and_their_totals_are_there(shown: Snapshot) -> None:
    found = parsed(next(JsonLines().sample(replace(shown, sample=a_sample(shown.at, some_threads())))))
    assert found["tasks"]["total"] == 11
    assert found["sites"]["total"]["inuse_bytes"] > 0
    assert "rows" not in found["sites"]


def test_what_is_missing_is_null_and_the_start_says_why(unread: Snapshot) -> None:
    found = parsed(next(JsonLines().sample(unread)))
    assert [found[name] for name in ("alloc_mb", "gc_count", "last_gc", "memstats", "system")][:4] == [None] * 4
    start = parsed(next(JsonLines().start(unread)))
    assert start["event"] == "start"
    assert start["missing"]["memstats"] == "nothing reads it"
    assert start["target"]["runtime_version"] == "go1.27.3"


@pytest.mark.parametrize("last_gc", [0, 1 << 70])
def test_there_is_no_last_collection_that_no_calendar_has(shown: Snapshot, last_gc: int) -> None:
    found = parsed(next(JsonLines().sample(replace(shown, sample=a_sample(shown.at, memstats(LastGC=last_gc))))))
    assert found["last_gc"] is None


def test_findings_have_a_level(shown: Snapshot) -> None:
    lines = [next(JsonLines().finding(shown, ALERT, what)) for what in ("opened", "ended")]
    assert [(parsed(line)["level"], parsed(line)["what"]) for line in lines] == [
        ("warning", "opened"),
        ("info", "ended"),
    ]
    assert parsed(lines[0])["evidence"] == {"b": 1}


def test_csv_has_a_column_for_each_metric(shown: Snapshot, unread: Snapshot) -> None:
    lines = CsvLines()
    rows = list(csv.reader([*lines.head(), *lines.sample(shown), *lines.sample(unread)]))
    assert {len(row) for row in rows} == {9 + len(METRICS)}
    first = dict(zip(rows[0], rows[1], strict=True))
    assert (first["alloc_mb"], first["HeapAlloc"], first["GCCPUFraction"]) == ("300.0", str(300 << 20), "0.024")
    assert set(rows[2][3:]) == {""}


@pytest.mark.parametrize("lines", [JsonLines(), CsvLines(), WordLines()])
def test_each_is_one_harmless_line(shown: Snapshot, lines: Lines) -> None:
    hostile = replace(shown, target=replace(shown.target, name=HOSTILE * 10_000))
    alert = replace(ALERT, summary=HOSTILE)
    written = [
        *lines.sample(hostile),
        *lines.start(hostile),
        *lines.finding(hostile, alert, "opened"),
        *lines.end(NOON_S, HOSTILE, 1, 2),
    ]
    assert not any("\n" in line or "\x1b" in line or "\u202e" in line for line in written)
    assert all(len(line) < 20_000 for line in written if '"argv"' not in line)


def test_a_spreadsheet_takes_no_name_for_a_formula(shown: Snapshot) -> None:
    hostile = replace(shown, target=replace(shown.target, name="=1+1"))
    [row] = csv.reader(CsvLines().sample(hostile))
    assert row[2] == "'=1+1"


def test_words_are_for_a_person(shown: Snapshot, utc: None) -> None:
    [line] = WordLines().sample(shown)
    assert line.startswith("12:07:41  shop-server  heap 300.0 MiB · live 320.0 MiB · RSS ")
    assert list(WordLines().finding(shown, ALERT, "opened")) == ["12:07:41  shop-server  ● WARN HeapAlloc is large"]
    assert list(WordLines().end(NOON_S, "SIGTERM", 3, 0)) == ["12:07:41  SIGTERM: 3 samples"]


def test_what_fails_to_be_read_has_no_cell(shown: Snapshot) -> None:
    origins = dict(shown.sample.origins)
    origins[Capability.SYSTEM] = replace(origins[Capability.SYSTEM], failing="it is gone")
    lines = CsvLines()
    rows = list(
        csv.reader([*lines.head(), *lines.sample(replace(shown, sample=replace(shown.sample, origins=origins)))])
    )
    assert dict(zip(*rows, strict=True))["system.rss_bytes"] == ""
