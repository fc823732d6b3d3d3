"""Where RSS comes from, as rows and words."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from memdash.model.capability import Capability
from memdash.model.malloc import Malloc
from memdash.model.missing import Missing
from memdash.model.residence import Arenas, MappingKind, StepKind
from memdash.model.snapshot import Snapshot
from memdash.model.target import Ending, Runtime
from memdash.tables.residence import (
    age_words,
    mapping_words,
    mappings_table,
    residence_table,
    step_paragraphs,
)
from memdash.tables.step_words import step_words
from memdash.tables.table import Span, Table, Tone
from memdash.units import MIB, clock_time
from tests.fakes import NOON_S, memstats
from tests.pages import GO_ARENAS, a_group, resident, some_mappings

CLOSED = Missing("the kernel shows the memory map of a process only to its owner", "run memdash as that user")


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def spans(snapshot: Snapshot) -> list[Span]:
    found = [row.cells[3].span for row in residence_table(snapshot).rows]
    return [span for span in found if span is not None]


def test_a_row_a_step_and_rss_at_last() -> None:
    rows = texts(residence_table(resident()))
    assert [row[:3] for row in rows] == [
        ["live heap", "320.0 MiB", "60.9 %"],
        ["new since last GC", "92.0 MiB", "17.5 %"],
        ["free in spans", "18.0 MiB", "3.4 %"],
        ["idle, not returned", "85.0 MiB", "16.2 %"],
        ["goroutine stacks", "21.0 MiB", "4.0 %"],
        ["runtime metadata", "24.1 MiB", "4.6 %"],
        ["not in RAM", "-81.0 MiB", "-15.4 %"],
        ["C heap (malloc)", "20.0 MiB", "3.8 %"],
        ["thread stacks", "256.0 KiB", "0 %"],
        ["program file", "9.00 MiB", "1.7 %"],
        ["shared libraries", "2.50 MiB", "0.5 %"],
        ["mapped files", "11.0 MiB", "2.1 %"],
        ["shared memory", "4.00 MiB", "0.8 %"],
        ["kernel pages", "8.00 KiB", "0 %"],
        ["RSS", "525.9 MiB", "100 %"],
    ]
    assert all(row[4] for row in rows)


def test_each_piece_of_the_bar_begins_where_the_one_before_ends() -> None:
    *steps, total = spans(resident())
    assert steps[0].start == 0
    assert all(one.end == pytest.approx(other.start) for one, other in pairwise(steps))
    assert steps[-1].end == pytest.approx(total.end) == total.mark
    assert max(span.end for span in steps) == pytest.approx(1)
    taken = [span for span in steps if span.end < span.start]
    assert len(taken) == 1


def test_what_is_estimated_says_so() -> None:
    snapshot = resident(some_mappings(a_group(MappingKind.ANONYMOUS, 64, start=1)))
    rows = {row.key: [cell.text for cell in row.cells] for row in residence_table(snapshot).rows}
    assert rows["anonymous_mappings"][1] == "~64.0 MiB"
    assert rows["anonymous_mappings"][4].startswith("estimated: ")
    assert "Estimated" in step_paragraphs(snapshot, "anonymous_mappings")[0]
    assert not rows["live_heap"][1].startswith("~")


def test_a_python_program_has_other_words() -> None:
    stats = memstats(HeapSmall=20 * MIB, HeapInuse=26 * MIB, HeapIdle=6 * MIB)
    malloc = Malloc(in_use_bytes=9 * MIB, mapped_bytes=0, free_bytes=MIB, trimmable_bytes=0)
    rows = texts(residence_table(resident(stats, malloc, runtime=Runtime.CPYTHON)))
    labels = [row[0] for row in rows]
    assert labels[:5] == ["small objects", "free in pools", "idle pools", "malloc, in use", "malloc, free"]


def test_without_the_runtimes_account_it_says_why() -> None:
    snapshot = resident(memstats=Missing("the layout is unknown"))
    table = residence_table(snapshot)
    assert table.footnote == "without what the runtime makes of it: the layout is unknown"
    assert "live_heap" not in [row.key for row in table.rows]


def test_without_mappings_it_says_why() -> None:
    snapshot = replace(resident(), residence=CLOSED)
    assert residence_table(snapshot).empty == mappings_table(snapshot).empty == CLOSED.words
    assert residence_table(snapshot).rows == mappings_table(snapshot).rows == ()
    assert step_paragraphs(snapshot, "live_heap") == ("", "")
    assert mapping_words(snapshot, "file /x 0") == "not mapped any more, or not among the largest"


@pytest.mark.parametrize("runtime", Runtime)
@pytest.mark.parametrize("kind", StepKind)
def test_every_step_has_its_words(kind: StepKind, runtime: Runtime) -> None:
    words = step_words(kind, runtime, -1)
    assert 0 < len(words.label) <= 18
    assert 0 < len(words.what) <= 63
    assert words.lowers.endswith(".")


def test_given_back_but_still_there() -> None:
    assert step_words(StepKind.NOT_RESIDENT, Runtime.GO, 1).label == "still in RAM"
    assert step_words(StepKind.NOT_RESIDENT, Runtime.GO, -1).tone is Tone.FAINT


def test_more_about_a_step() -> None:
    swapped = replace(GO_ARENAS, swapped_bytes=3 * MIB)
    assert isinstance(swapped, Arenas)
    snapshot = resident(swapped)
    what, lowers = step_paragraphs(snapshot, "runtime_metadata")
    assert "Spans 5.00 MiB, caches 15.2 KiB, collector 17.0 MiB, profiler 1.53 MiB, other 6.00 MiB." in what
    assert what.endswith("Of these 29.5 MiB of address space 24.1 MiB are in RAM.")
    assert lowers == "It grows with the heap at its largest and is not given back."
    what, _ = step_paragraphs(snapshot, "not_resident")
    assert what.endswith("Of 576.0 MiB of arenas 455.0 MiB are in RAM, 3.00 MiB in swap.")
    assert step_paragraphs(snapshot, "rss")[0].startswith("Resident set: ")
    assert step_paragraphs(snapshot, "gone") == ("", "")


def test_how_old_it_is_and_what_it_leaves_out() -> None:
    assert age_words(resident(caveats=("counted over 3 s while the program ran",))) == (
        "counted 4.0 s ago · counted over 3 s while the program ran"
    )
    ended = replace(resident(), ending=Ending(at_s=NOON_S, signal_number=9))
    counted_s = ended.sample.origins[Capability.MAPPINGS].at.wall_s
    assert age_words(ended) == f"ended: killed by SIGKILL · counted at {clock_time(counted_s)}"
    assert age_words(replace(resident(), sample=replace(resident().sample, origins={}))) == ""


def test_the_largest_mappings() -> None:
    rows = texts(mappings_table(resident()))
    assert rows[:4] == [
        ["455.0 MiB", "87", "", "455.0 MiB", "910.0 MiB", "Go heap", "c000000000-c024000000"],
        ["24.0 MiB", "5", "", "24.0 MiB", "48.0 MiB", "anonymous", "7f1200000000-7f1203000000"],
        ["12.0 MiB", "2", "", "12.0 MiB", "24.0 MiB", "malloc", "[heap]"],
        ["11.0 MiB", "2", "", "11.0 MiB", "22.0 MiB", "file", "/srv/shop/catalogue.db"],
    ]
    assert rows[-2][-1] == "4 smaller ones"
    assert len({row.key for row in mappings_table(resident()).rows}) == len(rows)


def test_swap_has_a_column_where_there_is_any() -> None:
    mappings = some_mappings(a_group(MappingKind.FILE, 1, "/x", swap_bytes=MIB))
    table = mappings_table(resident(mappings))
    assert "swap" in [column.key for column in table.columns]
    assert all(len(row.cells) == len(table.columns) for row in table.rows)
    assert "swap" not in [column.key for column in mappings_table(resident()).columns]


def test_all_there_is_to_say_about_a_mapping() -> None:
    snapshot = resident(some_mappings(a_group(MappingKind.FILE, 1, "/srv/[red]\x1b[2Jdb")))
    key = next(row.key for row in mappings_table(snapshot).rows if "[red]" in row.key)
    assert mapping_words(snapshot, key).splitlines()[:4] == [
        "/srv/[red]\\e[2Jdb",
        "file",
        "",
        "in RAM            1.00 MiB  RSS",
    ]
