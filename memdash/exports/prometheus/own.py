"""memdash's own names: one for each of its metrics that goes by no other, and what it makes of what it sees."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from memdash import __version__
from memdash.exports.prometheus.family import Family, Row, Type, family, label, only
from memdash.exports.prometheus.process import TOLD
from memdash.model.finding import Severity
from memdash.model.metric import METRICS, Kind, Metric
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Runtime
from memdash.model.verdict import VerdictKind
from memdash.units import Unit

__all__ = ["OWN", "UP"]

_SCALES = {Unit.NANOSECONDS: ("_ns", "_seconds", 1e9), Unit.PERCENT: ("_percent", "_ratio", 100.0)}
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=GC)(?=CPU)|(?<=CPU)(?=[A-Z])")


def _named(metric: Metric) -> Family:
    """``gc.pause_p99_ns`` as memdash_gc_pause_p99_seconds, ``HeapAlloc`` as memdash_heap_alloc_bytes."""
    name = _WORDS.sub("_", metric.key.replace(".", "_")).lower()
    own, usual, per_unit = _SCALES.get(metric.unit, ("", "", 1.0))
    if own:
        name = name.removesuffix(own) + usual
    elif metric.unit is Unit.BYTES and not name.endswith("_bytes"):
        name += "_bytes"
    name = name.removesuffix("_total") + ("_total" if metric.kind is Kind.COUNTER else "")
    told = family(f"memdash_{name}", metric.explanation, metric.capability, metric.read, per_unit)
    if "." in metric.key:
        return told
    return only(told, lambda snapshot: snapshot.target.runtime is not Runtime.GO)  # of Go it has Go's own name


def _state(snapshot: Snapshot) -> Iterator[Row]:
    yield Row(snapshot.at.wall_s)


def _alerts(snapshot: Snapshot) -> Iterator[Row]:
    counted = Counter(finding.severity for finding in snapshot.alerts)
    for severity in (Severity.WARNING, Severity.CRITICAL):
        yield Row(counted[severity], {"severity": severity.name.lower()})


def _alert(snapshot: Snapshot) -> Iterator[Row]:
    graver: dict[str, Severity] = {}
    for finding in snapshot.alerts:
        rule = label(finding.rule)
        graver[rule] = max(finding.severity, graver.get(rule, Severity.OK))
    for rule, severity in graver.items():
        yield Row(1, {"rule": rule, "severity": severity.name.lower()})


def _verdict(snapshot: Snapshot) -> Iterator[Row]:
    if snapshot.verdict is not None:
        for kind in VerdictKind:
            yield Row(kind is snapshot.verdict.kind, {"verdict": kind.value})


def _growth(snapshot: Snapshot) -> Iterator[Row]:
    slope = None if snapshot.verdict is None else snapshot.verdict.slope
    for bound, value in () if slope is None else zip(("likely", "low", "high"), slope, strict=True):
        if math.isfinite(value):
            yield Row(value, {"bound": bound})


def _forecast(snapshot: Snapshot) -> Iterator[Row]:
    ahead = None if snapshot.verdict is None else snapshot.verdict.forecast
    if ahead is not None:
        yield Row(ahead.soonest_s, {"limit": label(ahead.limit), "bound": "soonest"})
        yield Row(ahead.latest_s, {"limit": label(ahead.limit), "bound": "latest"})


def _missing(snapshot: Snapshot) -> Iterator[Row]:
    for capability in snapshot.missing:
        yield Row(1, {"capability": capability.value})


def _probes(snapshot: Snapshot) -> Iterator[Row]:
    for probe, cost in snapshot.sample.costs.items():
        yield Row(cost.median_s, {"probe": probe, "quantile": "0.5"})
        yield Row(cost.p99_s, {"probe": probe, "quantile": "0.99"})
        yield Row(cost.reads, {"probe": probe}, "_count")


def _cpu(snapshot: Snapshot) -> Iterator[Row]:
    if not isinstance(snapshot.cost.cpu_percent, Missing):
        yield Row(snapshot.cost.cpu_percent / 100)


def _memory(snapshot: Snapshot) -> Iterator[Row]:
    if not isinstance(snapshot.cost.rss_bytes, Missing):
        yield Row(snapshot.cost.rss_bytes)


def _build(_: Snapshot) -> Iterator[Row]:
    yield Row(1, {"version": __version__})


def _up(snapshot: Snapshot) -> Iterator[Row]:
    yield Row(snapshot.state is State.LIVE and snapshot.silence is None)


UP = Family("memdash_up", "Whether the target is being read: 0 once it has ended, or cannot be read.", Type.GAUGE, _up)
"""The one that is told of a target that does not live, too."""

OWN = (
    Family("memdash_sample_timestamp_seconds", "When the newest sample was taken, Unix time.", Type.GAUGE, _state),
    Family("memdash_alerts", "Alerts that hold, by severity.", Type.GAUGE, _alerts),
    Family("memdash_alert", "1 for each rule whose alert holds.", Type.GAUGE, _alert),
    Family("memdash_verdict", "What memdash makes of the memory: 1 for the verdict that it is.", Type.GAUGE, _verdict),
    Family(
        "memdash_growth_bytes_per_second",
        "Growth that the verdict goes by: the likeliest, and the ends of its 95 % interval.",
        Type.GAUGE,
        _growth,
    ),
    Family("memdash_limit_in_seconds", "Time until the nearest limit is reached, as a range.", Type.GAUGE, _forecast),
    Family("memdash_missing", "1 for each kind of figure that this target does not give.", Type.GAUGE, _missing),
    Family("memdash_probe_cpu_seconds", "CPU time of one read of a probe.", Type.SUMMARY, _probes),
    *(_named(metric) for metric in METRICS if metric.key not in TOLD),
    Family("memdash_own_cpu_ratio", "CPU time of memdash itself, 1 is one core.", Type.GAUGE, _cpu, of_memdash=True),
    Family(
        "memdash_own_resident_memory_bytes", "Resident memory of memdash itself.", Type.GAUGE, _memory, of_memdash=True
    ),
    Family("memdash_build_info", "The version of memdash.", Type.GAUGE, _build, of_memdash=True),
)
