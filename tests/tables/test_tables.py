"""Tables say what a snapshot says, and why when it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.model.capability import Capability, Source
from memdash.model.finding import Finding, Severity, mark
from memdash.model.gc import NO_LIMIT, OFF
from memdash.model.gc_trend import Course, GcTrend, Tendency
from memdash.model.memstats import MemStats
from memdash.model.metric import METRICS, METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.relief import Ceiling
from memdash.model.sample import Instant, Origin
from memdash.model.snapshot import Snapshot, State
from memdash.model.system import Cgroup
from memdash.model.target import Ending, Runtime, Target
from memdash.tables.alerts import alerts_table, entry_lines, entry_of
from memdash.tables.gc import gc_table, mean_pause
from memdash.tables.headline import headline
from memdash.tables.heap_chart import HeapLimit, heap_chart, heap_limits
from memdash.tables.memstats import memstats_table
from memdash.tables.sites import Measure, SiteOrder, sites_table
from memdash.tables.table import DASH, Cell, Table, Tone
from memdash.tables.vitals import gc_line
from memdash.units import MIB
from tests.fakes import NOON_S, a_family, a_gc, a_relief, a_snapshot, a_system

UNREADABLE = Missing("pid 7 belongs to root", "run memdash with sudo")


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return a_snapshot()


def without(snapshot: Snapshot, *parts: str) -> Snapshot:
    origins = {c: o for c, o in snapshot.sample.origins.items() if c.value not in parts}
    gone = dict.fromkeys(parts, UNREADABLE)
    groups = UNREADABLE if "sites" in parts else snapshot.groups
    return replace(snapshot, sample=replace(snapshot.sample, origins=origins, **gone), groups=groups)  # type: ignore[arg-type]  # names checked by the callers


def column(table: Table, key: str) -> list[str]:
    index = [c.key for c in table.columns].index(key)
    return [row.cells[index].text for row in table.rows]


@pytest.mark.parametrize("make", [memstats_table, gc_table, sites_table, alerts_table])
def test_every_row_has_a_cell_a_column_and_a_key_of_its_own(snapshot: Snapshot, make: object) -> None:
    assert callable(make)
    table = make(snapshot)
    assert all(len(row.cells) == len(table.columns) for row in table.rows)
    assert len({row.key for row in table.rows}) == len(table.rows)
    assert sum(c.width == 0 for c in table.columns) == 1


def test_memstats_shows_every_scalar_field_of_go(snapshot: Snapshot) -> None:
    shown = set(column(memstats_table(snapshot), "name"))
    elsewhere = {"HeapSmall", "LastGC", "EnableGC", "DebugGC", "BySize", "PauseNs", "PauseEnd"}
    assert set(MemStats.__slots__) - elsewhere <= shown


def test_figures_fit_their_columns(snapshot: Snapshot) -> None:
    for table in (memstats_table(snapshot), sites_table(snapshot)):
        for index, spec in enumerate(table.columns):
            if spec.width and spec.right:
                assert all(len(row.cells[index].text) <= spec.width for row in table.rows), spec.key


def test_without_a_runtime_the_kernels_rows_stay(snapshot: Snapshot) -> None:
    names = column(memstats_table(without(snapshot, "memstats", "gc")), "name")
    assert "HeapAlloc" not in names
    assert names[0] == "RSS"


def test_a_single_missing_figure_is_a_dash_with_its_reason(snapshot: Snapshot) -> None:
    broken = replace(snapshot.sample, system=a_system(fds=Missing("not allowed", "use sudo")))
    table = memstats_table(replace(snapshot, sample=broken))
    row = next(row for row in table.rows if row.key == "system.fds")
    assert row.cells[1].text == DASH
    assert row.cells[1].note == "Not allowed. Use sudo"


def test_no_cgroup_limit_means_no_row_for_it(snapshot: Snapshot) -> None:
    system = snapshot.sample.system
    assert not isinstance(system, Missing)
    assert isinstance(system.cgroup, Cgroup)
    free = replace(system, cgroup=replace(system.cgroup, limit_bytes=Missing("no limit is set")))
    names = column(memstats_table(replace(snapshot, sample=replace(snapshot.sample, system=free))), "name")
    assert "cgroup limit" not in names
    assert "cgroup used" not in names
    assert "cgroup" in names


def test_gc_settings_and_rate(snapshot: Snapshot) -> None:
    cells = {row.key: row.cells[1].text for row in gc_table(snapshot).rows}
    assert cells["NumGC"] == "4 183  +2 forced"
    assert cells["rate"] == "5.0 /min"
    assert cells["GOGC · limit"] == "100 · 900.0 MiB"
    off = a_gc(gogc=OFF, memory_limit_bytes=NO_LIMIT, last_cycle=Missing("in progress"))
    cells = {r.key: r.cells[1].text for r in gc_table(replace(snapshot, sample=replace(snapshot.sample, gc=off))).rows}
    assert cells["GOGC · limit"] == "off · no limit"
    assert cells["last cycle"] == DASH


def test_gc_tells_which_way_it_goes(snapshot: Snapshot) -> None:
    trend = GcTrend(
        collections_per_s=Tendency(0.05, 0.1, 800.0, Course.RISES),
        pause_ns=Tendency(200_000.0, 90_000.0, 800.0, Course.FALLS),
        cpu_ratio=Tendency(0.02, 0.09, 800.0, Course.RISES),
        allocated_bytes_per_s=Tendency(1000.0, 143e6, 800.0, Course.RISES),
    )
    cells = {row.key: row.cells[1].text for row in gc_table(replace(snapshot, gc_trend=trend)).rows}
    assert cells["rate"] == "5.0 /min  ↑ from 3.0"
    assert cells["alloc rate"] == "142.0 MiB/s  ↑ from 1000 B/s"
    assert cells["pause total"].endswith("  ↓ each 90.0 µs")
    assert cells["GC CPU"].endswith("  lately 9.0 %  ↑")


def test_that_collections_are_forced_at_a_limit_is_in_view(snapshot: Snapshot) -> None:
    assert "gc-at" not in [row.key for row in gc_table(snapshot).rows]
    armed = replace(snapshot, relief=a_relief())
    cell = next(row.cells[1] for row in gc_table(armed).rows if row.key == "gc-at")
    assert (cell.text, cell.tone) == ("80 % · in use 62 %", Tone.PLAIN)
    assert cell.note == "558.0 MiB of GOMEMLIMIT, 900.0 MiB, in use; done 2 times, 1m00s apart at least"
    assert headline(armed).armed == "gc-at 80 %"
    assert gc_line(armed).endswith(" · CPU 2.4 % · gc-at 80 % · in use 62 %")
    assert gc_line(snapshot).endswith(" · CPU 2.4 % · next at 486.0 MiB")
    near = replace(snapshot, relief=a_relief(ceiling=Ceiling("GOMEMLIMIT", 899 * MIB, 900 * MIB)))
    cell = next(row.cells[1] for row in gc_table(near).rows if row.key == "gc-at")
    assert (cell.text, cell.tone) == ("80 % · in use 99 %", Tone.WARNING)


def test_that_they_cannot_be_forced_is_in_view_with_why(snapshot: Snapshot) -> None:
    why = Missing("nobody can", "start it")
    for relief in (a_relief(way=why), a_relief(ceiling=why)):
        stuck = replace(snapshot, relief=relief)
        cell = next(row.cells[1] for row in gc_table(stuck).rows if row.key == "gc-at")
        assert (cell.text, cell.tone, cell.note) == ("80 % · cannot", Tone.WARNING, "Nobody can. Start it")
        assert headline(stuck).armed == "gc-at cannot"
    assert headline(snapshot).armed == ""


def test_a_table_without_data_says_why_and_what_helps(snapshot: Snapshot) -> None:
    poor = without(snapshot, "gc", "sites")
    for table in (gc_table(poor), sites_table(poor)):
        assert table.rows == ()
        assert table.empty == "Pid 7 belongs to root. Run memdash with sudo"


def test_sites_by_each_measure_add_up(snapshot: Snapshot) -> None:
    for measure in Measure:
        table = sites_table(snapshot, measure)
        keys = [each.key for each in table.columns]
        assert sum(float(row.cells[keys.index("share")].sort) for row in table.rows) == pytest.approx(100)
        figures = [float(row.cells[0].sort) for row in table.rows]
        assert figures == sorted(figures, reverse=True)
        assert table.rows[0].cells[keys.index("bar")].bar == 1


def test_sites_say_how_far_off_the_sampling_may_be(snapshot: Snapshot) -> None:
    """188.2 MiB by one sample in 512 KiB are some 376 samples: 1 in √376."""
    table = sites_table(snapshot)
    at = [each.key for each in table.columns].index("error")
    assert table.rows[0].cells[at].text == "5 %"
    profile = snapshot.sample.sites
    assert not isinstance(profile, Missing)
    exact = replace(snapshot, sample=replace(snapshot.sample, sites=replace(profile, sample_rate_bytes=1)))
    assert "error" not in [each.key for each in sites_table(exact).columns]


def test_of_a_master_without_sites_no_keys_are_told_that_a_report_does_not_have() -> None:
    shown = a_snapshot()
    master = replace(shown, groups=(), sample=replace(shown.sample, family=a_family(2)))
    assert sites_table(master).empty == "no sites yet"


def test_a_measure_that_the_profile_does_not_know_says_why(snapshot: Snapshot) -> None:
    profile = snapshot.sample.sites
    assert not isinstance(profile, Missing)
    profile = replace(profile, no_alloc=Missing("what has been freed is forgotten"))
    poor = replace(snapshot, sample=replace(snapshot.sample, sites=profile))
    assert sites_table(poor, Measure.ALLOC_SPACE).empty == "What has been freed is forgotten"
    assert sites_table(poor, Measure.INUSE_OBJECTS).rows


def test_sites_sort_and_reverse(snapshot: Snapshot) -> None:
    names = column(sites_table(snapshot, order=SiteOrder.FUNCTION), "function")
    assert names == sorted(names)
    assert column(sites_table(snapshot, order=SiteOrder.FUNCTION, reverse=True), "function") == names[::-1]
    assert column(sites_table(snapshot, order=SiteOrder.CHANGE), "change")[:2] == ["+56.5 MiB", "+22.5 MiB"]


def test_sites_filter_by_function_or_file(snapshot: Snapshot) -> None:
    assert column(sites_table(snapshot, wanted="STORE"), "function") == ["cart.(*Store).Add"]
    assert column(sites_table(snapshot, wanted="session.go"), "function") == ["session.New"]
    nothing = sites_table(snapshot, wanted="nowhere")
    assert (nothing.rows, nothing.empty) == ((), "no site matches 'nowhere'")


def test_alerts_newest_first_with_glyph_word_and_length() -> None:
    log = (
        Finding(rule="b", severity=Severity.CRITICAL, at_s=NOON_S, summary="cgroup used 98.0 %"),
        Finding(
            rule="a", severity=Severity.WARNING, at_s=NOON_S - 60, ended_at_s=NOON_S - 18, summary="slow", lasted_s=42
        ),
    )
    table = alerts_table(a_snapshot(5, log))
    assert [row.cells[1].text for row in table.rows] == ["▲ CRIT", "● WARN"]
    assert table.rows[1].cells[2].text == "was 42 s"
    assert table.rows[0].cells[1].tone is Tone.CRITICAL
    assert [row.cells[3].text for row in alerts_table(a_snapshot(5, log), "crit").rows] == ["cgroup used 98.0 %"]


def test_alerts_are_found_by_their_rule_whatever_its_case() -> None:
    log = [Finding(rule="HeapAlloc > 1GiB", severity=Severity.INFO, at_s=NOON_S, summary="much")]
    assert len(alerts_table(a_snapshot(5, log), "heapALLOC >").rows) == 1
    assert not alerts_table(a_snapshot(5, log), "HeapIdle").rows


def test_a_mark_is_no_finding() -> None:
    marked = mark(Instant(NOON_S, 5.0), "deploy")
    row = alerts_table(a_snapshot(5, [marked])).rows[0]
    assert [row.cells[1].text, row.cells[3].text] == ["◆ MARK", "deploy"]
    assert entry_lines(a_snapshot(5, [marked]), marked)[0] == "◆ MARK  deploy"


def test_an_alert_keeps_its_key_when_others_are_dropped_before_and_after_it() -> None:
    log = [Finding(rule="a", severity=Severity.INFO, at_s=NOON_S + second, summary=str(second)) for second in range(5)]
    twice = replace(log[2], summary="again")
    before = alerts_table(a_snapshot(5, (*log[:2:-1], twice, *log[2::-1]))).rows
    after = alerts_table(a_snapshot(5, (log[4], twice, log[2], log[0]), findings_dropped=2)).rows
    keys = {row.cells[3].text: row.key for row in before}
    assert len(set(keys.values())) == 6
    assert all(keys[row.cells[3].text] == row.key for row in after)
    assert entry_of(a_snapshot(5, (twice, log[2])), keys["again"]) == twice


def test_an_alert_keeps_its_key_when_newer_ones_arrive() -> None:
    old = Finding(rule="a", severity=Severity.INFO, at_s=NOON_S, summary="old")
    new = Finding(rule="b", severity=Severity.INFO, at_s=NOON_S + 1, summary="new")
    before = alerts_table(a_snapshot(5, (old,))).rows[0].key
    after = alerts_table(a_snapshot(5, (new, old))).rows
    assert after[1].key == before != after[0].key


def test_the_headline_of_each_state(snapshot: Snapshot) -> None:
    live = headline(snapshot)
    assert (live.word, live.runtime, live.source, live.uptime) == ("live", "go1.27.3", "read from memory", "up 3h12m")
    ended = headline(replace(snapshot, state=State.ENDED, ending=Ending(at_s=NOON_S, signal_number=9, oom_killed=True)))
    assert ended.detail == "killed by SIGKILL (out of memory)"
    refused = headline(replace(without(snapshot, "memstats", "gc", "sites", "system", "smaps"), state=State.REFUSED))
    assert refused.detail == "pid 7 belongs to root"
    origin = replace(snapshot.sample.origins[Capability.SITES], failing="too slow")
    late = replace(snapshot.sample, origins={**snapshot.sample.origins, Capability.SITES: origin})
    assert headline(replace(snapshot, sample=late)).detail == "late: sites"
    native = replace(snapshot.target, runtime=Runtime.NATIVE, runtime_version="")
    assert headline(replace(without(snapshot, "memstats"), target=native)).source == "system view"


def test_the_chart_marks_collections_and_keeps_its_range(snapshot: Snapshot) -> None:
    chart = heap_chart(snapshot.history, 300, 60)
    assert len(chart.gc_columns) == pytest.approx(25, abs=1)
    assert all(line.known and len(line.columns) == 60 for line in chart.lines)
    assert chart.low_bytes < chart.high_bytes


def test_every_metric_reads_and_explains_itself(snapshot: Snapshot, newest_python_snapshot: Snapshot) -> None:
    assert len(METRICS_BY_KEY) == len(METRICS)
    for metric in METRICS:
        shown = newest_python_snapshot if metric.explanation.startswith("CPython: ") else snapshot
        sample = replace(shown.sample, family=a_family())
        assert isinstance(metric.read(sample), (int, float)), metric.key
        assert metric.explanation.endswith(".")
        poor = without(snapshot, metric.capability.value)
        assert metric.read(poor.sample) == UNREADABLE


def test_the_headline_of_a_server_names_its_source_and_no_process(snapshot: Snapshot) -> None:
    target = Target.at_url("http://shop:6060/", "shop:6060")
    asked = {c: Origin(Source.ENDPOINT, snapshot.at) for c in (Capability.MEMSTATS, Capability.GC)}
    head = headline(replace(snapshot, target=target, sample=replace(snapshot.sample, origins=asked)))
    assert (head.name, head.pid, head.runtime, head.source, head.uptime) == (
        "shop:6060", "", "go", "asked over HTTP", "",
    )  # fmt: skip


def test_the_headline_says_when_an_endpoint_fills_what_memory_does_not_tell(snapshot: Snapshot) -> None:
    origins = {
        Capability.MEMSTATS: Origin(Source.MEMORY, snapshot.at),
        Capability.SITES: Origin(Source.ENDPOINT, snapshot.at),
    }
    assert headline(replace(snapshot, sample=replace(snapshot.sample, origins=origins))).source == "memory + endpoint"
    origins[Capability.MEMSTATS] = Origin(Source.GOPS, snapshot.at)
    assert headline(replace(snapshot, sample=replace(snapshot.sample, origins=origins))).source == "asked through gops"


def test_settings_that_a_source_does_not_tell_are_not_said_to_be_off(snapshot: Snapshot) -> None:
    untold = Missing("MemStats do not tell it")
    shown = replace(snapshot, sample=replace(snapshot.sample, gc=a_gc(gogc=untold, memory_limit_bytes=untold)))
    row = next(row for row in gc_table(shown).rows if row.key == "GOGC · limit")
    assert (row.cells[1].text, row.cells[1].note) == (DASH, untold.words)


def test_the_mean_pause_takes_a_collection() -> None:
    def cell(**changes: object) -> Cell:
        shown = a_snapshot(seconds=2)
        return mean_pause(replace(shown, sample=replace(shown.sample, gc=a_gc(**changes)))).cells[1]

    assert cell(count=4, pause_total_ns=1_000_000).text == "250 µs"
    assert cell(count=0, pause_total_ns=0).note == "There has been no collection yet"
    assert cell(count=4, pause_total_ns=Missing("not timed")).note == "Not timed"
    assert cell(count=Missing("not counted"), pause_total_ns=1).text == DASH


def test_limits_are_those_that_are_set() -> None:
    shown = a_snapshot(seconds=2)
    assert heap_limits(shown) == (HeapLimit("GOMEMLIMIT", 900 << 20), HeapLimit("cgroup limit", 1 << 30))
    none = replace(shown.sample, gc=a_gc(memory_limit_bytes=NO_LIMIT), system=Missing("closed"))
    assert heap_limits(replace(shown, sample=none)) == ()
