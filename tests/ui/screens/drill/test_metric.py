"""One figure of the memory or the collector in full."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.tables.gc import METRIC_OF_ROW, gc_table
from memdash.tables.row_metric import metric_figures
from memdash.ui.screens.drill.course import course_ticks
from memdash.units import Unit
from tests.fakes import a_snapshot
from tests.ui.conftest import Show, a_watch
from tests.ui.screens.conftest import followed


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 45)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_figure_has_labels_a_course_and_its_meaning(show: Show, size: tuple[int, int]) -> None:
    async with show(followed(a_watch()), *size) as shown:
        await shown.press("1", "enter")
        await shown.built()
        labels = [words[0] for line in shown.lines if (words := line.strip("│ ").split())]
        assert [label for label in ("now", "per", "change", "least", "most") if label in labels] == [
            "now", "per", "change", "least", "most",
        ]  # fmt: skip
        assert "Course" in shown.text
        assert "What it is" in shown.text
        assert "Bytes of heap objects" in shown.text


async def test_a_row_of_the_collector_that_is_no_figure_says_what_it_means(show: Show) -> None:
    rows = [row.key for row in gc_table(a_watch()).rows]
    async with show(followed(a_watch()), 160, 45) as shown:
        await shown.press("3", *["down"] * rows.index("GOGC · limit"), "enter")
        await shown.built()
        assert "GOMEMLIMIT." in shown.text


def test_what_is_not_known_says_why() -> None:
    shown = a_snapshot(5)
    assert isinstance(shown.sample.memstats, MemStats)
    memstats = replace(shown.sample.memstats, Sys=Missing("it was torn"))
    lines = {
        line.label: line
        for line in metric_figures("Sys", replace(shown, sample=replace(shown.sample, memstats=memstats)))
    }
    assert lines["now"].first == "–"
    assert lines["now"].more == "It was torn"


def test_a_counter_has_no_extremes() -> None:
    labels = [line.label for line in metric_figures("TotalAlloc", a_watch())]
    assert labels == ["now", "per second", "change"]


def test_the_name_in_rules_is_told_where_it_is_another() -> None:
    told = {line.label: line.text for line in metric_figures("gc.live_after_gc_bytes", a_watch())}
    assert told["in rules"].startswith("gc.live_after_gc_bytes")


def test_rows_of_the_collector_lead_to_metrics_that_there_are() -> None:
    rows = {row.key for row in gc_table(a_watch()).rows}
    assert {"NumGC", "next target", "pause p99", "pauses"} <= METRIC_OF_ROW.keys() & rows
    for key in METRIC_OF_ROW.values():
        assert metric_figures(key, a_watch())


@pytest.mark.parametrize(
    ("unit", "values", "words"),
    [
        (Unit.NANOSECONDS, (73_960.0, 73_980.0, 74_000.0, 74_100.0), ["74.0 µs", "74.1 µs"]),
        (Unit.COUNT, (16.5, 17.0, 17.5), ["17"]),
        (Unit.BYTES, (1024.0, 2048.0), ["1 KiB", "2 KiB"]),
    ],
)
def test_an_axis_says_nothing_twice(unit: Unit, values: tuple[float, ...], words: list[str]) -> None:
    assert [text for _, text in course_ticks(values, unit)] == words
