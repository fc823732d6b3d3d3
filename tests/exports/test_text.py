import io
import re
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from memdash.analysis.objects import count_by_type, object_groups
from memdash.exports.text import TEXT, lines, table_lines
from memdash.model.capability import Capability
from memdash.model.finding import Finding, Severity
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.tables.table import Cell, Column, Row, Table
from tests.fakes import NOON_S, a_family, a_snapshot, a_target, memstats, some_objects
from tests.pages import resident

pytestmark = pytest.mark.usefixtures("utc")


class TextFile(SingleFileSnapshotExtension):
    file_extension = "txt"


def text(*snapshots: Snapshot) -> str:
    out = io.BytesIO()
    TEXT.write(snapshots, out)
    return out.getvalue().decode()


def test_the_whole_report(snapshot: SnapshotAssertion) -> None:
    growth = Finding(
        rule="heap growth", severity=Severity.WARNING, at_s=NOON_S - 30, summary="live after GC grows +5.72 MiB/min"
    )
    report = text(a_snapshot(seconds=60, findings=[growth]))
    assert report.encode() == snapshot(extension_class=TextFile)


def test_what_the_log_has_dropped_is_told() -> None:
    assert "Alerts (1 234 older ones dropped)" in text(a_snapshot(seconds=2, findings_dropped=1234)).splitlines()


def test_a_missing_figure_says_why() -> None:
    shown = a_snapshot(seconds=2)
    shown = replace(shown, sample=replace(shown.sample, memstats=memstats(Lookups=Missing("not kept by this Go"))))
    line = next(line for line in text(shown).splitlines() if "Lookups" in line)
    assert "–" in line
    assert line.endswith("(Not kept by this Go)")


def test_objects_are_told_where_they_are_counted() -> None:
    assert "Live objects by type" not in text(a_snapshot(seconds=2))
    groups = object_groups(count_by_type(some_objects()), count_by_type(some_objects(0.8)), {})
    told = text(a_snapshot(seconds=2, objects=groups))
    assert re.search(r"Live objects by type\n +bytes +% .*type\n +61\.7 MiB +59 +367 513 .* dict\n", told)


def test_what_is_to_be_known_of_the_figures_stands_at_their_head() -> None:
    shown = a_snapshot(seconds=2)
    origin = shown.sample.origins[Capability.SITES]
    origins = {
        **shown.sample.origins,
        Capability.SITES: replace(origin, caveats=("allocated since 12:04:31", "estimated")),
    }
    report = text(replace(shown, sample=replace(shown.sample, origins=origins)))
    assert "\nTop allocation sites (allocated since 12:04:31; estimated)\n" in report


def test_what_was_not_read_at_all_comes_with_the_way_out() -> None:
    why = Missing("the heap profiler is not linked in", "import net/http/pprof")
    report = text(a_snapshot(seconds=2, missing={Capability.SITES: why}))
    assert "  sites: the heap profiler is not linked in\n    try: import net/http/pprof\n" in report


def test_the_words_of_the_target_cannot_steer_the_terminal() -> None:
    hostile = "\x1b[31mx\n\u202ey"
    shown = a_snapshot(seconds=2, target=a_target(name=hostile, argv=(hostile,)))
    assert isinstance(shown.groups, tuple)
    frame = Frame(hostile, f"/{hostile}", 1)
    report = text(replace(shown, groups=tuple(replace(group, frame=frame) for group in shown.groups)))
    assert "\x1b" not in report
    assert "\u202e" not in report
    assert r"\e[31mx\n\u202ey" in report


def test_reports_are_parted_by_an_empty_line() -> None:
    one = text(a_snapshot(seconds=2))
    assert text(a_snapshot(seconds=2), a_snapshot(seconds=2)) == f"{one}\n{one}"


def test_columns_are_as_wide_as_their_widest_cell_and_drawings_are_left_out() -> None:
    columns = (Column("a", "name", 4), Column("b", "bar", 9), Column("c", "size", 2, right=True))
    rows = (
        Row("1", (Cell("x"), Cell(bar=0.5), Cell("7"))),
        Row("2", (Cell("longer"), Cell(bar=0.1), Cell("1024"))),
    )
    assert list(table_lines(Table("T", columns, rows))) == ["name    size", "x          7", "longer  1024"]


def test_an_empty_table_says_so() -> None:
    assert list(table_lines(Table("T", (Column("a", "", 0),), (), "nothing yet"))) == ["nothing yet"]


def test_a_process_tree_has_a_section_where_there_is_one() -> None:
    snapshot = a_snapshot(3)
    sample = replace(snapshot.sample, family=a_family(2))
    told = list(lines(replace(snapshot, sample=sample)))
    start = told.index("Process tree, 3 processes · PSS 999.0 MiB · RSS 1.69 GiB")
    assert told[start + 1 : start + 5] == [
        "       pid        RSS        PSS  state     process",
        "  ●  41287  533.0 MiB  400.0 MiB  sleeping  shop-server --port 8080",
        "     41301  600.0 MiB  300.0 MiB  sleeping    shop-server --worker 0",
        "     41302  599.0 MiB  299.0 MiB  sleeping    shop-server --worker 1",
    ]
    alone = replace(snapshot.sample, family=a_family(0))
    assert "Process tree" not in "\n".join(lines(replace(snapshot, sample=alone)))


def test_where_rss_comes_from() -> None:
    report = text(resident(caveats=("only the first 9 mappings were counted",)))
    section = report.split("\nWhere RSS comes from (")[1].split("\n\n")
    assert section[0].splitlines()[:3] == [
        "counted 4.0 s ago · only the first 9 mappings were counted)",
        "                          bytes   of RSS",
        "  live heap           320.0 MiB   60.9 %  objects that the last collection found reachable",
    ]
    assert section[0].splitlines()[-1].startswith("  RSS                 525.9 MiB    100 %")
    assert section[1].splitlines()[0] == "Largest mappings"
    assert "455.0 MiB  87  455.0 MiB  910.0 MiB  Go heap        c000000000-c024000000" in section[1]


def test_without_a_look_at_the_mappings_there_is_no_such_section() -> None:
    assert "Where RSS comes from" not in text(a_snapshot(seconds=2))


def test_where_the_runtime_cannot_be_read_the_report_says_why() -> None:
    report = text(resident(memstats=Missing("the layout is unknown")))
    assert "  without what the runtime makes of it: the layout is unknown" in report
