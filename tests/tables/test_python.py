"""The tables of a CPython target."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.model.gc import GcStats
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.tables.gc import gc_table
from memdash.tables.memstats import memstats_table
from memdash.tables.table import DASH, Table, Tone
from memdash.tables.vitals import figures_line, gc_line


def texts(table: Table) -> dict[str, str]:
    return {row.key: row.cells[1].text for row in table.rows}


def with_gc(snapshot: Snapshot, **changes: object) -> Snapshot:
    gc = snapshot.sample.gc
    assert isinstance(gc, GcStats)
    return replace(snapshot, sample=replace(snapshot.sample, gc=replace(gc, **changes)))  # type: ignore[arg-type]  # names checked by dataclasses


def test_generations_stand_where_go_has_targets_and_settings(python_snapshot: Snapshot) -> None:
    shown = texts(gc_table(python_snapshot))
    assert list(shown) == ["NumGC", "rate", "last", "phase", "to next GC", "gen 0", "gen 1", "gen 2", "freed"]
    assert shown["NumGC"] == "4 506"
    assert shown["gen 0"] == "4 100 · 312 of 700"
    assert shown["gen 2"] == "34 · 2 of 10"
    assert shown["freed"] == "91 021"
    assert (shown["phase"], shown["last"]) == ("idle", "0.8 s ago")
    assert shown["rate"].endswith("/min")


def test_the_bar_fills_towards_the_next_young_collection(python_snapshot: Snapshot) -> None:
    bars = {row.key: row.cells[1].bar for row in gc_table(python_snapshot).rows}
    assert bars["to next GC"] == pytest.approx(312 / 700)
    gc = python_snapshot.sample.gc
    assert isinstance(gc, GcStats)
    off = replace(gc.generations[0], threshold=0)
    table = gc_table(with_gc(python_snapshot, generations=(off, *gc.generations[1:])))
    assert {row.key: row.cells[1].bar for row in table.rows}["to next GC"] is None


def test_pauses_and_tracked_objects_show_where_cpython_keeps_them(newest_python_snapshot: Snapshot) -> None:
    shown = texts(gc_table(newest_python_snapshot))
    assert shown["GC objects"] == "3 204 118"
    assert (shown["pause p50"], shown["pause max"], shown["pause total"]) == ("129 µs", "139 µs", "710.0 ms")
    assert list(shown)[-1] == "pauses"


def test_what_cannot_be_freed_is_a_warning(python_snapshot: Snapshot) -> None:
    gc = python_snapshot.sample.gc
    assert isinstance(gc, GcStats)
    stuck = replace(gc.generations[2], uncollectable=7)
    table = gc_table(with_gc(python_snapshot, generations=(*gc.generations[:2], stuck)))
    cell = next(row.cells[1] for row in table.rows if row.key == "uncollectable")
    assert (cell.text, cell.tone) == ("7", Tone.WARNING)


def test_a_generation_without_counts_has_dashes(python_snapshot: Snapshot) -> None:
    gc = python_snapshot.sample.gc
    assert isinstance(gc, GcStats)
    why = Missing("it collects in increments")
    rows = tuple(
        replace(row, name=name, count=why, threshold=why) for row, name in zip(gc.generations, "abc", strict=True)
    )
    shown = texts(gc_table(with_gc(python_snapshot, generations=rows)))
    assert shown["gen b"] == f"372 · {DASH} of {DASH}"
    assert shown["to next GC"] == ""


def test_memstats_has_the_rows_that_cpython_can_fill(
    python_snapshot: Snapshot, newest_python_snapshot: Snapshot
) -> None:
    names = [row.cells[0].text for row in memstats_table(python_snapshot).rows]
    assert names[:6] == ["HeapAlloc", "HeapObjects", "HeapInuse", "HeapIdle", "HeapSys", "RSS"]
    assert names[6:9] == ["NumGC", "full GCs", "GC freed"]
    assert not {"Sys", "TotalAlloc", "MSpanSys", "NextGC", "GC objects", "PauseTotalNs"} & set(names)
    newest = [row.cells[0].text for row in memstats_table(newest_python_snapshot).rows]
    assert newest[:4] == ["HeapAlloc", "HeapSmall", "malloc", "HeapObjects"]
    assert newest[12:14] == ["GC objects", "PauseTotalNs"]
    assert all(row.cells[1].text != DASH for row in memstats_table(newest_python_snapshot).rows)


def test_figures_are_explained_in_cpythons_terms(python_snapshot: Snapshot) -> None:
    notes = {row.key: row.cells[0].note for row in memstats_table(python_snapshot).rows}
    assert "larger ones come from malloc" in notes["HeapAlloc"]
    assert "sys.getallocatedblocks()" in notes["HeapObjects"]
    assert "Resident set" in notes["system.rss_bytes"]


def test_a_figure_that_could_not_be_read_stays_with_its_reason(python_snapshot: Snapshot) -> None:
    memstats = python_snapshot.sample.memstats
    assert isinstance(memstats, MemStats)
    broken = replace(memstats, HeapAlloc=Missing("not in use", "start it without PYTHONMALLOC"))
    table = memstats_table(replace(python_snapshot, sample=replace(python_snapshot.sample, memstats=broken)))
    cell = next(row.cells[1] for row in table.rows if row.key == "HeapAlloc")
    assert cell.text == DASH
    assert "PYTHONMALLOC" in cell.note


def test_the_lines_for_small_screens(python_snapshot: Snapshot, newest_python_snapshot: Snapshot) -> None:
    assert figures_line(python_snapshot) == "HeapAlloc 60.0 MiB · RSS 533.0 MiB"
    assert gc_line(python_snapshot).startswith("GC 4 506 · ")
    assert "p99" not in gc_line(python_snapshot)
    assert "p99 139 µs" in gc_line(newest_python_snapshot)
