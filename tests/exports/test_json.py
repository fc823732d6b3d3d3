import io
import json
import math
from dataclasses import fields, replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from memdash.exports.json import JSON, document
from memdash.model.finding import Figure, Finding, Severity
from memdash.model.gc import GcStats
from memdash.model.gc_trend import Course, GcTrend, Tendency
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.snapshot import Snapshot, State
from memdash.model.system import SystemStats
from memdash.model.target import Ending
from memdash.model.verdict import Forecast, Grower, Slope
from memdash.units import MIB, Unit
from tests.fakes import NOON_S, a_family, a_gc, a_relief, a_snapshot, a_system, a_target, memstats
from tests.pages import GO_ARENAS, resident, some_mappings
from tests.verdicts import a_leak

pytestmark = pytest.mark.usefixtures("utc")

GROWTH = Finding(
    rule="heap growth",
    severity=Severity.WARNING,
    at_s=NOON_S - 30,
    summary="live after GC grows +5.72 MiB/min",
    evidence={"metric": "gc.live_after_gc_bytes", "per_s": 100_000.0},
)


def changed(snapshot: Snapshot, **facts: Any) -> Snapshot:
    return replace(snapshot, sample=replace(snapshot.sample, **facts))


def test_the_whole_document(snapshot: SnapshotAssertion) -> None:
    assert document(a_snapshot(seconds=60, findings=[GROWTH])) == snapshot(extension_class=JSONSnapshotExtension)


def test_the_course_of_the_collector() -> None:
    rises = Tendency(0.2, 0.6, 800.0, Course.RISES)
    unknown = Missing("it is not counted")
    trend = GcTrend(collections_per_s=rises, pause_ns=unknown, cpu_ratio=unknown, allocated_bytes_per_s=rises)
    found = document(a_snapshot(seconds=2, gc_trend=trend))
    assert found["gc_trend"]["collections_per_s"] == {
        "before": 0.2,
        "now": 0.6,
        "window_s": 800.0,
        "course": "rises",
    }
    assert found["gc_trend"]["pause_ns"] is None
    assert found["missing"]["gc_trend.pause_ns"] == "it is not counted"


def test_the_verdict_with_its_interval_and_its_forecast() -> None:
    leak = a_leak(
        slope=Slope(2.0, 1.0, math.inf),
        forecast=Forecast("cgroup limit", 1 << 30, 450.0, 520.0),
        growers=(Grower("site", "cart.(*Store).Add", "store.go:118", 61 << 20),),
    )
    found = json.loads(json.dumps(document(a_snapshot(seconds=2, verdict=leak))))["verdict"]
    assert found["kind"] == "leak"
    assert found["slope"] == {"per_s": 2.0, "low_per_s": 1.0, "high_per_s": None}
    assert found["forecast"] == {
        "limit": "cgroup limit", "limit_bytes": 1 << 30, "soonest_s": 450.0, "latest_s": 520.0,
    }  # fmt: skip
    assert found["growers"][0]["change"] == 61 << 20
    assert found["summary"] == leak.summary


def test_that_collections_are_forced_before_a_limit_and_why_they_cannot_be() -> None:
    found = document(a_snapshot(seconds=2, relief=a_relief()))
    assert found["relief"] == {
        "gc_at": 0.8, "limit": {"name": "GOMEMLIMIT", "used_bytes": 558 * MIB, "limit_bytes": 900 * MIB},
        "way": "runs runtime.GC", "rounds": 2, "wait_s": 60.0,
    }  # fmt: skip
    found = document(a_snapshot(seconds=2, relief=a_relief(way=Missing("nobody can"), ceiling=Missing("none is set"))))
    assert (found["relief"]["way"], found["relief"]["limit"]) == (None, None)
    assert (found["missing"]["relief.way"], found["missing"]["relief.limit"]) == ("nobody can", "none is set")


def test_every_field_of_the_model_is_in_the_document() -> None:
    found = document(a_snapshot(seconds=2))
    assert list(found["memstats"]) == [field.name for field in fields(MemStats)]
    elsewhere = {"pauses", "last_at_s"}
    assert {field.name for field in fields(GcStats)} - elsewhere <= set(found["gc"])
    assert {field.name for field in fields(SystemStats)} <= set(found["system"])
    assert {"pss_bytes", "uss_bytes"} <= set(found["system"])


def test_what_is_missing_is_null_with_its_reason() -> None:
    why = Missing("the profiler is not linked in", "import net/http/pprof")
    shown = changed(
        a_snapshot(seconds=2),
        sites=why,
        memstats=memstats(TotalAlloc=Missing("a GC was running")),
        gc=a_gc(last_at_s=Missing("no collection yet")),
        smaps=Missing("not permitted"),
        system=a_system(psi=Missing("the kernel keeps none")),
    )
    found = document(shown)
    assert found["sites"] is None
    assert found["memstats"]["TotalAlloc"] is None
    assert found["gc"]["last_at"] is None
    assert found["system"]["uss_bytes"] is None
    assert (
        found["missing"]
        | {
            "sites": "the profiler is not linked in",
            "memstats.TotalAlloc": "a GC was running",
            "gc.last_at": "no collection yet",
            "system.uss_bytes": "not permitted",
            "system.psi": "the kernel keeps none",
        }
        == found["missing"]
    )


@pytest.mark.parametrize("part", ["memstats", "gc", "system", "sites"])
def test_a_missing_part_is_null_as_a_whole(part: str) -> None:
    found = document(changed(a_snapshot(seconds=2), **{part: Missing("no")}))
    assert found[part] is None
    assert found["missing"][part] == "no"


def test_sites_that_share_a_stack_are_one_row_and_the_largest_comes_first() -> None:
    small, large = (Frame("main.small", "/src/a.go", 1),), (Frame("main.large", "/src/a.go", 9),)
    sites = (
        Site(small, Usage(10, 1, 20, 2)),
        Site(large, Usage(60, 1, 60, 1)),
        Site(large, Usage(40, 2, 50, 3)),
    )
    found = document(changed(a_snapshot(seconds=2), sites=Profile(sites, 512, True)))["sites"]
    assert [(row["stack"][0]["function"], row["inuse_bytes"]) for row in found["rows"]] == [
        ("main.large", 100),
        ("main.small", 10),
    ]
    assert found["total"] == {"inuse_bytes": 110, "inuse_objects": 4, "alloc_bytes": 130, "alloc_objects": 6}


def test_a_row_says_how_far_off_a_sampled_figure_may_be() -> None:
    sites = (Site((Frame("shop.add", "/srv/shop.py", 1),), Usage(1 << 20, 1 << 14, 1 << 20, 1 << 14)),)
    for rate_bytes, error in ((64 << 10, 0.25), (1, 0.0)):
        found = document(changed(a_snapshot(seconds=2), sites=Profile(sites, rate_bytes, True)))["sites"]
        assert found["rows"][0]["inuse_error"] == pytest.approx(error, rel=0.01)


def test_figures_that_a_profile_does_not_know_are_null_with_the_reason() -> None:
    sites = (Site((Frame("shop.add", "/srv/shop.py", 1),), Usage(10, 1, 0, 0)),)
    profile = Profile(sites, 1, True, no_alloc=Missing("what has been freed is forgotten"), peak_bytes=20)
    found = document(changed(a_snapshot(seconds=2), sites=profile))
    assert found["sites"]["total"] == {
        "inuse_bytes": 10,
        "inuse_objects": 1,
        "alloc_bytes": None,
        "alloc_objects": None,
    }
    (row,) = found["sites"]["rows"]
    assert (row["inuse_bytes"], row["alloc_bytes"], row["alloc_objects"]) == (10, None, None)
    assert found["sites"]["peak_bytes"] == 20
    assert found["missing"]["sites.total.alloc_bytes"] == "what has been freed is forgotten"


def test_an_ending_is_told() -> None:
    gone = a_snapshot(seconds=2, state=State.ENDED, ending=Ending(at_s=NOON_S, signal_number=9, oom_killed=True))
    found = document(gone)
    assert found["state"] == "ended"
    assert found["ending"] == {
        "at": "2026-01-31T12:07:41.000000Z",
        "exit_code": None,
        "signal": 9,
        "oom_killed": True,
        "words": "killed by SIGKILL (out of memory)",
    }


def test_each_snapshot_is_one_line_of_plain_ascii_whatever_the_target_calls_itself() -> None:
    hostile = a_snapshot(seconds=2, target=a_target(name="\x1b[2J\nü\udcff", argv=("a\nb",)))
    out = io.BytesIO()
    JSON.write([hostile, hostile], out)
    first, second = out.getvalue().splitlines()
    assert first.isascii()
    assert b"\x1b" not in first
    assert json.loads(second)["target"]["argv"] == ["a\nb"]


def test_a_number_that_json_does_not_know_is_missing() -> None:
    found = document(changed(a_snapshot(seconds=2), gc=a_gc(cpu_fraction=float("nan"))))
    assert found["gc"]["cpu_fraction"] is None
    assert found["missing"]["gc.cpu_fraction"] == "not a finite number"


def test_evidence_that_is_no_number_for_json_is_null() -> None:
    endless = replace(GROWTH, evidence={"metric": "HeapAlloc", "limit": float("inf"), "value": float("nan")})
    out = io.BytesIO()
    JSON.write([a_snapshot(seconds=2, findings=[endless])], out)
    (finding,) = json.loads(out.getvalue())["findings"]
    assert finding["evidence"] == {"metric": "HeapAlloc", "limit": None, "value": None}


def test_the_process_tree_is_told_member_by_member() -> None:
    snapshot = a_snapshot(3)
    closed = Missing("the kernel shows it only to its owner")
    family = a_family(1)
    family = replace(family, members=(family.members[0], replace(family.members[1], pss_bytes=closed)))
    told = document(replace(snapshot, sample=replace(snapshot.sample, family=family)))
    assert told["family"]["rss_bytes"] == (533 + 600) << 20
    assert told["family"]["pss_bytes"] is None
    assert told["missing"]["family.pss_bytes"] == closed.why
    assert [(row["pid"], row["parent"], row["depth"], row["pss_bytes"]) for row in told["family"]["members"]] == [
        (41287, 1, 0, 400 << 20),
        (41301, 41287, 1, None),
    ]


def test_where_rss_comes_from() -> None:
    found = document(resident(some_mappings(rss_mib=-3)))["residence"]
    assert sum(step["bytes"] for step in found["steps"]) == found["rss_bytes"]
    assert found["steps"][0] == {"step": "live_heap", "bytes": 320 * MIB, "estimated": False}
    assert found["steps"][-1] == {"step": "unexplained", "bytes": -3 * MIB, "estimated": False}
    assert found["arenas"] == {
        "size_bytes": GO_ARENAS.size_bytes,
        "resident_bytes": GO_ARENAS.resident_bytes,
        "swapped_bytes": 0,
    }
    mappings = {mapping["name"] or mapping["start"]: mapping for mapping in found["mappings"]}
    assert mappings["c000000000"]["kind"] == "runtime heap"
    assert mappings["/srv/shop/catalogue.db"] == {
        "kind": "file",
        "name": "/srv/shop/catalogue.db",
        "pieces": 4,
        "size_bytes": 22 * MIB,
        "rss_bytes": 11 * MIB,
        "pss_bytes": 11 * MIB,
        "private_bytes": 11 * MIB,
        "anonymous_bytes": 0,
        "swap_bytes": 0,
        "start": None,
        "end": None,
    }


def test_without_arenas_the_steps_stay_and_say_why() -> None:
    found = document(resident(arenas=Missing("the kernel does not tell")))
    assert found["residence"]["arenas"] is None
    assert found["missing"]["residence.arenas"] == "the kernel does not tell"
    assert found["residence"]["steps"]


def test_it_says_how_many_findings_were_dropped() -> None:
    assert document(a_snapshot(seconds=2, findings_dropped=1234))["findings_dropped"] == 1234


def test_a_finding_says_how_long_and_how_bad_it_was() -> None:
    worst = Figure(700 << 20, Unit.BYTES)
    rate = Figure(math.nan, Unit.COUNT, "/min")
    held = replace(GROWTH, lasted_s=12.3456, times=2, worst=worst, measured=rate, acknowledged=True)
    (told,) = document(a_snapshot(seconds=5, findings=[held], muted={held.rule: math.inf}))["findings"]
    assert (told["lasted_s"], told["times"], told["acknowledged"], told["muted"]) == (12.346, 2, True, True)
    assert (told["worst"], told["measured"]) == ({"value": 700 << 20, "unit": "bytes"}, None)
