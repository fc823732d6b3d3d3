"""What people write is read as they mean it, and what makes no sense is told with its place and the nearest word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memdash.analysis.rules import Condition, Op, metric_named, parse_condition, parse_rule
from memdash.errors import UsageError
from memdash.model.finding import Severity
from memdash.model.metric import METRICS, Metric
from memdash.units import MIB, Unit


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("HeapAlloc > 512MiB for 30s", Condition("HeapAlloc", Op.OVER, 512 * MIB, for_s=30)),
        ("HeapAlloc>512 MiB", Condition("HeapAlloc", Op.OVER, 512 * MIB)),
        ("gc.pause_p99 > 5ms", Condition("gc.pause_p99_ns", Op.OVER, 5e6)),
        ("tasks.total growth > 100/min", Condition("tasks.total", Op.OVER, 100, grows=True, per_s=60)),
        ("tasks.total growth > 100 / min over 5m", Condition("tasks.total", Op.OVER, 100, True, 60, 300)),
        ("cgroup.used_ratio > 0.9", Condition("cgroup.used_ratio", Op.OVER, 0.9)),
        ("cgroup.used > 90%", Condition("cgroup.used_ratio", Op.OVER, 0.9)),
        ("system.cpu_percent >= 90%", Condition("system.cpu_percent", Op.AT_LEAST, 90)),
        ("HeapAlloc growth > 64MiB", Condition("HeapAlloc", Op.OVER, 64 * MIB, grows=True)),
        ("NumGC < 1/min", Condition("NumGC", Op.UNDER, 1, grows=True, per_s=60)),
        ("HeapObjects <= 5 for 1m", Condition("HeapObjects", Op.AT_MOST, 5, for_s=60)),
        ("heap growth > 1MiB/min for 5m over 10m", Condition("heap.live_bytes", Op.OVER, MIB, True, 60, 600, 300)),
    ],
)
def test_conditions_are_read(text: str, meant: Condition) -> None:
    assert parse_condition(text) == meant
    assert parse_condition(str(meant)) == meant


def test_the_clauses_of_a_rule_come_in_any_order() -> None:
    rule = parse_rule("HeapAlloc > 512MiB critical cooldown 5m clear 480MiB for 30s")
    assert rule == parse_rule("HeapAlloc > 512MiB for 30s clear 480MiB cooldown 5m critical")
    assert (rule.severity, rule.cooldown_s, rule.clear) == (Severity.CRITICAL, 300, 480 * MIB)
    assert rule.name == "HeapAlloc > 512MiB for 30s"
    assert parse_rule("HeapAlloc > 5").severity is Severity.WARNING


@pytest.mark.parametrize(
    ("text", "at", "what", "hint"),
    [
        ("", 1, "a metric's name is missing", "write it like HeapAlloc > 512MiB for 30s"),
        ("> 5", 1, "a metric's name is missing", "write it like"),
        ("HeapAloc > 5", 1, "there is no metric 'HeapAloc'", "did you mean HeapAlloc?"),
        ("  gc.pause_p98 > 5ms", 3, "there is no metric 'gc.pause_p98'", "did you mean gc.pause_p99_ns?"),
        ("zzzzzzzz > 5", 1, "there is no metric 'zzzzzzzz'", "the metrics are HeapAlloc, "),
        ("HeapAlloc", 10, "expected > or <", "write it like"),
        ("HeapAlloc = 5", 11, "expected > or <, and found '='", "write it like"),
        ("HeapAlloc 5", 11, "expected > or <, and found '5'", "write it like"),
        ("HeapAlloc >", 12, "expected a value after >", "write it like"),
        ("HeapAlloc > for 5s", 13, "expected a value after >", "write it like"),
        ("HeapAlloc > 5x for 30s", 13, "'5x' is not a size", "write it like 512MiB"),
        ("HeapAlloc > nan", 13, "'nan' is not a size", "write it like"),
        ("gc.pause > 5MiB", 12, "'5MiB' is not a duration", "write it like 500ms"),
        ("tasks > 1e999", 9, "'1e999' is not a number", "write it like 200"),
        ("tasks.total growth > 5/fortnight", 24, "'fortnight' is no time that a rate is per", "/min"),
        ("tasks.total growth > 5/", 24, "'' is no time that a rate is per", "/min"),
        ("tasks.total > 5/min", 15, "tasks.total is no counter", "write tasks.total growth > 5/min"),
        ("HeapAlloc > 5 for", 18, "expected a time after for", "write it like"),
        ("HeapAlloc > 5 for soon", 19, "'soon' is not a duration", "write it like 500ms"),
        ("HeapAlloc > 5 for 0s", 19, "a duration must be more than zero", "write it like"),
        ("HeapAlloc > 5 for 5s for 6s", 22, "for is said twice", "write it like"),
        ("HeapAlloc > 5 info critical", 20, "severity is said twice", "write it like"),
        ("HeapAlloc > 5 over 5m", 15, "only growth is over a time", "write HeapAlloc growth, or for 5m"),
        ("HeapAlloc > 5 clear 6", 21, "it would never begin", "write it like"),
        ("HeapAlloc < 5 clear 4", 21, "it would never begin", "write it like"),
        ("tasks growth > 5/min clear 4", 28, "'4' is not of the kind of 5/min", "write it like"),
        ("HeapAlloc > 5 > 6", 13, "'5 > 6' is not a size", "write it like"),
        ("HeapAlloc > 5 fr 30s", 15, "'fr' means nothing here", "did you mean for?"),
        ("HeapAlloc > 5 for 30s critcal", 23, "'critcal' means nothing here", "did you mean critical?"),
        ("HeapAlloc grwth > 5/min", 11, "expected > or <, and found 'grwth'", "did you mean growth?"),
        ("rss > 5/min", 7, "RSS is no counter", "write RSS growth > 5/min"),
        ("HeapAlloc > 5 for 30s xyz", 19, "'30s xyz' is not a duration", "write it like 500ms"),
        ("tasks growth > 5 / fort night", 20, "'fort night' is no time that a rate is per", "/min"),
    ],
)
def test_an_error_points_at_its_place(text: str, at: int, what: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_rule(text)
    assert f"{text!r}, character {at}: {what}" in refused.value.what
    assert hint in refused.value.hint


def test_a_condition_alone_takes_no_clause_of_a_rule() -> None:
    with pytest.raises(UsageError, match="'critical' means nothing here"):
        parse_condition("HeapAlloc > 5 critical")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("heapalloc", "HeapAlloc"),
        ("go_memstats_heap_alloc_bytes", "HeapAlloc"),
        ("runtime.MemStats.HeapAlloc", "HeapAlloc"),
        ("go_goroutines", "tasks.total"),
        ("goroutines", "tasks.total"),
        ("RSS", "system.rss_bytes"),
        ("rss", "system.rss_bytes"),
        ("system.rss", "system.rss_bytes"),
        ("process_resident_memory_bytes", "system.rss_bytes"),
        ("pss", "smaps.pss_bytes"),
        ("uss", "smaps.uss_bytes"),
        ("heap", "heap.live_bytes"),
        ("gc.pause", "gc.pause_recent_ns"),
        ("cgroup.used", "cgroup.used_ratio"),
        ("threads", "system.threads"),
        ("fds", "system.fds"),
    ],
)
def test_metrics_go_by_the_names_that_people_know(name: str, key: str) -> None:
    assert metric_named(name).key == key


def test_every_metric_goes_by_its_key() -> None:
    assert [metric_named(metric.key) for metric in METRICS] == list(METRICS)
    assert [metric_named(metric.key.upper()) for metric in METRICS] == list(METRICS)


@pytest.mark.parametrize(
    "text",
    [
        "HeapAlloc > 1GiB for 7d",
        "HeapAlloc growth > 1MiB over 30d",
        "HeapAlloc growth > 1MiB over 2d for 2d",
        "HeapAlloc growth > 1MiB/min for 3d",
    ],
)
def test_what_could_never_be_found_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_rule(text)
    assert "would never be found" in refused.value.what
    assert "3d" in refused.value.hint
    with pytest.raises(UsageError):
        parse_condition(text)


def test_what_can_just_be_found_is_read() -> None:
    assert parse_rule("HeapAlloc > 1GiB for 3d").when.for_s == 259_200
    assert parse_rule("HeapAlloc > 1GiB", more=[("for", "3d")]).when.for_s == 259_200
    with pytest.raises(UsageError):
        parse_rule("HeapAlloc growth > 1GiB over 2d", more=[("for", "2d")])


@given(
    text=st.text(max_size=60)
    | st.lists(st.sampled_from(["HeapAlloc", ">", "growth", "5", "/min", "for", "30s", "<", "over", "clear"])).map(
        " ".join
    )
)
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        rule = parse_rule(text)
    except UsageError:
        return
    assert parse_condition(str(rule.when)) == rule.when


@given(
    metric=st.sampled_from(METRICS),
    op=st.sampled_from(Op),
    bound=st.integers(0, 1 << 50),
    per_s=st.sampled_from([0.0, 1.0, 60.0, 3600.0, 86_400.0]),
    for_s=st.sampled_from([0.0, 0.5, 5.0, 90.0, 7200.0]),
)
def test_what_is_written_out_is_read_back(metric: Metric, op: Op, bound: int, per_s: float, for_s: float) -> None:
    value = max(bound, 1) % (10**15) if metric.unit is Unit.NANOSECONDS else float(bound)
    condition = Condition(metric.key, op, value, bool(per_s), per_s, for_s=for_s)
    assert parse_condition(str(condition)) == condition


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than any rule"):
        parse_rule("HeapAlloc > " + "5" * 10_000)
