"""One figure in full: what it is now, how it changed, how low and high it has been."""

from __future__ import annotations

import math

from memdash.analysis.rates import change_per_s, per_second
from memdash.model.metric import METRICS_BY_KEY, Kind, Metric
from memdash.model.missing import Missing
from memdash.model.series import Series, watched_s
from memdash.model.snapshot import Snapshot
from memdash.tables.memstats import metric_words
from memdash.tables.row_course import Course
from memdash.tables.row_figures import RowFigure, missing_figure
from memdash.tables.since import baseline_words
from memdash.tables.table import Tone
from memdash.units import figure, signed, span

__all__ = ["metric_course", "metric_figures", "metric_paragraphs"]


def metric_figures(key: str, snapshot: Snapshot) -> tuple[RowFigure, ...]:
    """Now, per second, since the baseline, least and most of the watch; a counter has no extremes worth telling."""
    metric = METRICS_BY_KEY[key]
    now, per_s = metric.read(snapshot.sample), change_per_s(metric, snapshot.history)
    is_gauge = metric.kind is Kind.GAUGE
    lines = [_now(now, metric)]
    if isinstance(per_s, Missing):
        lines.append(missing_figure("per second", per_s.why))
    else:
        tone = Tone.of_change(per_s) if is_gauge else Tone.PLAIN
        lines.append(RowFigure("per second", signed(per_s, metric.unit), more="of late", tone=tone))
    start = snapshot.history.start(key)
    if start is not None and not isinstance(now, Missing):
        change = now - start.value + start.lost
        lines.append(RowFigure("change", signed(change, metric.unit), more=baseline_words(snapshot)))
    if is_gauge:
        lines += _extremes(_watched(metric, snapshot), metric)
    if metric.name != metric.label:
        lines.append(RowFigure("in rules", text=f"{metric.name}, as --alert and --max call it"))
    return tuple(lines)


def metric_course(key: str, snapshot: Snapshot) -> Course:
    """Over the whole watch; of a counter, its change per second."""
    metric = METRICS_BY_KEY[key]
    series = _watched(metric, snapshot)
    if metric.kind is Kind.COUNTER:
        series = per_second(series)
    return Course(series, snapshot.history.until, metric.unit)


def metric_paragraphs(key: str, snapshot: Snapshot) -> tuple[str, ...]:
    """What it means in a program of this runtime, and of a counter, what its course shows."""
    words = metric_words(key, snapshot)
    if METRICS_BY_KEY[key].kind is Kind.COUNTER:
        return (words, "It only grows: the course is that of its change per second.")
    return (words,)


def _now(now: float | Missing, metric: Metric) -> RowFigure:
    if isinstance(now, Missing):
        return missing_figure("now", now.words)
    return RowFigure("now", figure(now, metric.unit), tone=Tone.STRONG)


def _watched(metric: Metric, snapshot: Snapshot) -> Series:
    return snapshot.history.series(metric.key, watched_s(snapshot.history))


def _extremes(series: Series, metric: Metric) -> list[RowFigure]:
    lows = [value for value in series.low if not math.isnan(value)]
    highs = [value for value in series.high if not math.isnan(value)]
    if not lows:
        return []
    words = f"in {span(series.seen_s[-1] - series.times_s[0])} of watching"
    return [
        RowFigure("least", figure(min(lows), metric.unit), more=words),
        RowFigure("most", figure(max(highs), metric.unit)),
    ]
