"""A snapshot as OTLP metrics, for a collector of OpenTelemetry: by POST to ``/v1/metrics``.

The names are those that Prometheus gets, so that what is drawn there is drawn of these too. The sum and the count of a
summary go as gauges: to those of a counter Prometheus would add another ``_total``. Takes the extra ``otlp``. Source:
opentelemetry.io/docs/specs/otlp.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from memdash import __version__
from memdash.exports.prometheus.exposition import FAMILIES
from memdash.exports.prometheus.family import Family, Row, Type
from memdash.model.snapshot import Snapshot

__all__ = ["CONTENT_TYPE", "PATH", "metrics_of"]

PATH = "v1/metrics"
CONTENT_TYPE = "application/x-protobuf"


def metrics_of(snapshot: Snapshot, about: Mapping[str, str | int]) -> bytes:
    """All that Prometheus would get of it; ``about`` is what is said of the resource, as ``service.name``."""
    metrics = [metric for family in FAMILIES for metric in _metrics(family, snapshot)]
    scope = ScopeMetrics(InstrumentationScope("memdash", __version__), metrics, "")
    sent = MetricsData([ResourceMetrics(Resource(about), [scope], "")])
    return encode_metrics(sent).SerializeToString()


def _metrics(family: Family, snapshot: Snapshot) -> Iterator[Metric]:
    """One of the family, and one each for the sum and the count of a summary."""
    named: dict[str, list[NumberDataPoint]] = {}
    for row in family.rows(snapshot):
        named.setdefault(family.name + row.suffix, []).append(_point(row, snapshot))
    for name, points in named.items():
        if family.type is Type.COUNTER:
            yield Metric(name, family.help, "", Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True))
        else:
            yield Metric(name, family.help, "", Gauge(points))


def _point(row: Row, snapshot: Snapshot) -> NumberDataPoint:
    began_ns = round(snapshot.target.started_at_s * 1e9)
    return NumberDataPoint(dict(row.labels), max(began_ns, 0), round(snapshot.at.wall_s * 1e9), float(row.value))
