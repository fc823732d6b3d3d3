"""What Prometheus is told: the clients' own names and types, nothing that is not known, nobody's words unescaped."""

from __future__ import annotations

import gc
import json
import re
import shutil
import subprocess
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as _open_families
from prometheus_client.parser import text_string_to_metric_families as families
from prometheus_client.samples import Sample as Told

from memdash.exports.prometheus.exposition import FAMILIES, Exposition, Shown
from memdash.model.capability import Capability
from memdash.model.finding import Finding, Severity
from memdash.model.gc import Generation
from memdash.model.metric import METRICS
from memdash.model.missing import Missing
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Ending, Runtime
from memdash.model.verdict import Forecast, Slope, Verdict, VerdictKind
from tests.fakes import NOON_S, a_gc, a_sample, a_snapshot, a_target, memstats, some_threads

OPEN = "application/openmetrics-text; version=1.0.0"
HOSTILE = 'a"b\\c\nd\x1b[31m{}\u202e'

GO_COLLECTOR = """
go_gc_duration_seconds summary
go_gc_gogc_percent gauge
go_gc_gomemlimit_bytes gauge
go_goroutines gauge
go_info gauge
go_memstats_alloc_bytes gauge
go_memstats_alloc_bytes_total counter
go_memstats_buck_hash_sys_bytes gauge
go_memstats_frees_total counter
go_memstats_gc_sys_bytes gauge
go_memstats_heap_alloc_bytes gauge
go_memstats_heap_idle_bytes gauge
go_memstats_heap_inuse_bytes gauge
go_memstats_heap_objects gauge
go_memstats_heap_released_bytes gauge
go_memstats_heap_sys_bytes gauge
go_memstats_last_gc_time_seconds gauge
go_memstats_mallocs_total counter
go_memstats_mcache_inuse_bytes gauge
go_memstats_mcache_sys_bytes gauge
go_memstats_mspan_inuse_bytes gauge
go_memstats_mspan_sys_bytes gauge
go_memstats_next_gc_bytes gauge
go_memstats_other_sys_bytes gauge
go_memstats_stack_inuse_bytes gauge
go_memstats_stack_sys_bytes gauge
go_memstats_sys_bytes gauge
go_threads gauge
"""
"""What client_golang's collector tells, without the scheduler's."""


def open_families(text: str) -> list[Metric]:
    return list(_open_families(text))  # type: ignore[no-untyped-call]


def written(*snapshots: Snapshot, accept: str = "") -> str:
    body, _ = Exposition(lambda: [Shown(each.target.name, each) for each in snapshots]).write(accept)
    return body.decode()


def samples(text: str) -> dict[str, list[Told]]:
    """By the whole name."""
    found: dict[str, list[Told]] = {}
    for family in families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def value(text: str, metric: str, /, **labels: str) -> float:
    [found] = [told for told in samples(text)[metric] if labels.items() <= told.labels.items()]
    return float(found.value)


def of_python() -> Snapshot:
    generations = tuple(
        Generation(name=name, collections=10 - at, collected=100 * at, uncollectable=at, count=1, threshold=700)
        for at, name in enumerate(("young", "middle", "old"))
    )
    sample = a_sample(Instant(NOON_S, 10_000.0), a_gc(generations=generations), some_threads())
    target = a_target(pid=7, name="shop", runtime=Runtime.CPYTHON, runtime_version="cpython 3.14.2")
    return a_snapshot(5, target=target, sample=sample)


@pytest.fixture(scope="module")
def shown() -> Snapshot:
    alert = Finding(rule="HeapAlloc > 1GiB", severity=Severity.WARNING, at_s=NOON_S, summary="it is")
    over = replace(alert, rule="gc pause", ended_at_s=NOON_S)
    verdict = Verdict(
        kind=VerdictKind.LEAK,
        at_s=NOON_S,
        why="it rises",
        basis="live heap",
        slope=Slope(2.0, 1.0, float("inf")),
        forecast=Forecast("cgroup limit", 1 << 30, 60.0, 90.0),
    )
    missing = {Capability.OBJECTS: Missing("nobody counts them")}
    return a_snapshot(30, findings=(alert, over), verdict=verdict, missing=missing)


def test_names_and_types_are_those_of_the_go_collector(shown: Snapshot) -> None:
    with_tasks = replace(shown, sample=a_sample(shown.at, some_threads(), a_gc(memory_limit_bytes=1 << 30)))
    told = {line.removeprefix("# TYPE ") for line in written(with_tasks).splitlines() if line.startswith("# TYPE go_")}
    assert told - {"go_gc_total counter", "go_memory_alloc_bytes gauge"} == set(GO_COLLECTOR.strip().splitlines())


def test_figures_are_those_of_memstats(shown: Snapshot) -> None:
    held = memstats(400 << 20, PauseNs=tuple(range(8, 0, -1)), LastGC=1_500_000_000)
    text = written(replace(shown, sample=a_sample(shown.at, held)))
    assert value(text, "go_memstats_heap_alloc_bytes", pid="41287", name="shop-server") == 400 << 20
    assert value(text, "go_memory_alloc_bytes") == 400 << 20
    assert value(text, "go_memstats_alloc_bytes_total") == held.TotalAlloc
    assert value(text, "go_memstats_last_gc_time_seconds") == 1.5
    assert value(text, "go_gc_total") == held.NumGC == value(text, "go_gc_duration_seconds_count")
    assert value(text, "go_gc_duration_seconds_sum") == pytest.approx(0.71)
    quartiles = {told.labels["quantile"]: told.value for told in samples(text)["go_gc_duration_seconds"]}
    assert quartiles == pytest.approx({"0": 1e-9, "0.25": 3e-9, "0.5": 5e-9, "0.75": 7e-9, "1": 8e-9})


def test_before_the_first_collection_there_are_no_pauses(shown: Snapshot) -> None:
    text = written(replace(shown, sample=a_sample(shown.at, memstats(PauseNs=(), PauseTotalNs=0, NumGC=0, LastGC=0))))
    assert {told.value for told in samples(text)["go_gc_duration_seconds"]} == {0.0}
    assert value(text, "go_memstats_last_gc_time_seconds") == 0


def test_a_python_program_is_told_under_the_names_of_its_client() -> None:
    text = written(of_python())
    assert value(text, "python_gc_collections_total", generation="0", pid="7") == 10
    assert value(text, "python_gc_objects_collected_total", generation="2") == 200
    assert value(text, "python_gc_objects_uncollectable_total", generation="1") == 1
    assert (
        value(text, "python_info", version="3.14.2", major="3", minor="14", patchlevel="2", implementation="CPython")
        == 1
    )
    assert value(text, "memdash_heap_alloc_bytes") == 412 << 20
    assert not re.search(r"^go_", text, re.MULTILINE)


def test_every_metric_has_a_name() -> None:
    names = [family.name for family in FAMILIES]
    assert len(names) == len(set(names)) > len(METRICS)
    for family in FAMILIES:
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", family.name)
        assert family.help


def test_what_memdash_makes_of_it(shown: Snapshot) -> None:
    text = written(shown)
    assert value(text, "memdash_up") == 1
    assert value(text, "memdash_alerts", severity="warning") == 1
    assert value(text, "memdash_alerts", severity="critical") == 0
    assert [told.labels["rule"] for told in samples(text)["memdash_alert"]] == ["HeapAlloc > 1GiB"]
    assert [told.labels["verdict"] for told in samples(text)["memdash_verdict"] if told.value] == ["leak"]
    assert {t.labels["bound"]: t.value for t in samples(text)["memdash_growth_bytes_per_second"]} == {
        "likely": 2.0,
        "low": 1.0,
    }
    assert value(text, "memdash_limit_in_seconds", bound="soonest", limit="cgroup limit") == 60
    assert [told.labels["capability"] for told in samples(text)["memdash_missing"]] == ["objects"]
    assert value(text, "memdash_own_cpu_ratio") == 0.004
    assert value(text, "memdash_gc_pause_p99_seconds") == pytest.approx(1.84e-3)
    assert value(text, "memdash_heap_live_bytes") > 0


def test_what_is_missing_or_fails_to_be_read_is_not_told(shown: Snapshot) -> None:
    failing = {
        capability: replace(origin, failing="it is gone" if capability is Capability.SYSTEM else "")
        for capability, origin in shown.sample.origins.items()
    }
    sample = replace(shown.sample, origins=failing, gc=replace(a_gc(), gogc=Missing("off")))
    told = samples(written(replace(shown, sample=sample)))
    assert "go_memstats_sys_bytes" in told
    assert not {"process_resident_memory_bytes", "go_threads", "go_gc_gogc_percent", "go_goroutines"} & told.keys()


@pytest.mark.parametrize("state", [State.ENDED, State.REFUSED, State.ATTACHING])
def test_of_what_does_not_live_only_that_is_told(shown: Snapshot, state: State) -> None:
    told = samples(written(replace(shown, state=state, ending=Ending(at_s=NOON_S, exit_code=1))))
    assert told["memdash_up"][0].value == 0
    assert {name for name, rows in told.items() if any("pid" in row.labels for row in rows)} == {"memdash_up"}


def test_what_is_waited_for_is_not_up() -> None:
    body, _ = Exposition(lambda: [Shown("shop", None)]).write("")
    assert 'memdash_up{name="shop",pid=""} 0.0' in body.decode()


def test_several_targets_are_told_apart(shown: Snapshot) -> None:
    other = replace(shown, target=replace(shown.target, pid=9))
    told = samples(written(shown, other, other))
    assert [row.labels["pid"] for row in told["go_memstats_sys_bytes"]] == ["41287", "9"]
    assert len(told["memdash_own_cpu_ratio"]) == 1


@pytest.mark.parametrize("is_open", [False, True])
def test_nobodys_words_can_break_the_format(shown: Snapshot, is_open: bool) -> None:
    target = replace(shown.target, name=HOSTILE * 200_000, runtime_version=HOSTILE)
    alert = Finding(rule=HOSTILE, severity=Severity.CRITICAL, at_s=NOON_S, summary="")
    text = written(replace(shown, target=target, findings=(alert,)), accept=OPEN if is_open else "")
    parsed = open_families(text) if is_open else list(families(text))
    names = {told.labels["name"] for family in parsed for told in family.samples if "name" in told.labels}
    assert [len(name) for name in names] == [200]
    assert "\x1b" not in text


def test_open_metrics_are_given_to_who_asks_for_them(shown: Snapshot) -> None:
    body, content_type = Exposition(lambda: [Shown("", shown), Shown("", of_python())]).write(OPEN)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    types = {family.name: family.type for family in open_families(body.decode())}
    assert types["go_memstats_alloc_bytes"] == "gauge"
    assert types["go_memstats_alloc_bytes_total"] == "unknown"
    assert types["go_gc_duration_seconds"] == "summary"
    assert types["go_gc"] == "counter"


@pytest.mark.parametrize("version", ["abc", "\0", "1.0.x", "9" * 5000, "", " ", "1.0.0.1", "7"])
@pytest.mark.parametrize("kind", ["application/openmetrics-text", "text/plain"])
def test_a_version_that_there_is_not_is_passed_over(shown: Snapshot, kind: str, version: str) -> None:
    exposition = Exposition(lambda: [Shown("", shown)])
    assert exposition.write(f"{kind}; version={version};escaping=dots") == exposition.write(f"{kind};escaping=dots")


def test_between_two_samples_it_is_written_once(shown: Snapshot) -> None:
    exposition = Exposition(lambda: [Shown("shop", shown)])
    assert exposition.write("")[0] is exposition.write("")[0]
    assert exposition.write(OPEN)[0] != exposition.write("")[0]


def test_memory_stays_flat_however_many_targets_come_and_go(shown: Snapshot) -> None:
    now = [Shown("shop", shown)]
    exposition = Exposition(lambda: list(now))

    def restart(pid: int) -> None:
        now[0] = Shown("shop", replace(shown, target=replace(shown.target, pid=pid)))
        exposition.write("")

    def held() -> int:
        gc.collect()
        return len(gc.get_objects())

    for pid in range(20):
        restart(pid)
    before = held()
    for pid in range(20, 120):
        restart(pid)
    assert held() < before + 100


def test_promtool_finds_nothing_wrong(shown: Snapshot) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool: it comes with Debian's prometheus")
    text = written(shown, of_python())
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_dashboard_asks_for_what_there_is() -> None:
    path = resources.files("memdash.exports.prometheus") / "grafana.json"
    asked = json.loads(path.read_text("utf-8"))
    expressions = [target["expr"] for panel in asked["panels"] for target in panel["targets"]]
    expressions += [each["expr"] for each in asked["annotations"]["list"]]
    expressions += [each.get("definition", "") for each in asked["templating"]["list"]]
    names = set(re.findall(r"\b(?:go|python|process|memdash)_\w+", " ".join(expressions)))
    known = {family.name for family in FAMILIES}
    assert names
    assert names <= known | {f"{name}{suffix}" for name in known for suffix in ("_count", "_sum")}


_PIECES = st.sampled_from(
    [
        *(
            "application/openmetrics-text",
            "text/plain",
            "*/*",
            ";",
            "; ",
            ",",
            "=",
            "\t",
            "\0",
            "é",
            "q=0.5",
            "VERSION=7",
        ),
        *("version=", "version = ", "1.0.0", "0.0.4", "2.0.0", "²", "x", "9" * 50, "-1", "1e0", '"1.0.0"'),
        *("escaping=", "allow-utf-8", "underscores", "values", "dots", "zzz1", "zzz2"),
    ]
)


@pytest.fixture(scope="module")
def exposition() -> Exposition:
    shown = [Shown("shop", a_snapshot(2))]
    return Exposition(lambda: shown)


@settings(max_examples=200, deadline=None)
@given(accept=st.lists(_PIECES, max_size=12).map("".join))
def test_whatever_somebody_accepts_is_answered_in_a_format_that_there_is(exposition: Exposition, accept: str) -> None:
    body, content_type = exposition.write(accept)
    assert body
    assert re.fullmatch(
        r"(text/plain|application/openmetrics-text); version=[01]\.0\.[04]; charset=utf-8(; escaping=[a-z0-9-]{1,11})?",
        content_type,
    )
