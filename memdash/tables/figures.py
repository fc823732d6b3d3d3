"""Metrics as cells: the value, its change per second, its recent course."""

from __future__ import annotations

import math

from memdash.analysis.rates import change_per_s, per_second
from memdash.analysis.resample import newest
from memdash.model.metric import METRICS_BY_KEY, Kind, Metric
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot
from memdash.tables.table import DASH, Cell, Tone
from memdash.units import Unit, figure, signed

__all__ = ["SPARK_SPAN_S", "UNCHANGED", "change_cell", "metric_cells", "missing_cell", "spark_cell", "value_cell"]

SPARK_SPAN_S = 60.0
_SPARK_COLUMNS = 24


UNCHANGED = Cell("", Tone.FAINT, sort=0.0, note="a change takes two readings")
"""Stands for a change while there has been one reading only: nothing is known of it, which is not 0."""


def missing_cell(why: Missing) -> Cell:
    """A dash that carries its reason."""
    return Cell(DASH, Tone.FAINT, sort=float("-inf"), note=why.words)


def value_cell(value: Maybe[float], unit: Unit, tone: Tone = Tone.PLAIN) -> Cell:
    """The figure in its unit."""
    return missing_cell(value) if isinstance(value, Missing) else Cell(figure(value, unit), tone, sort=value)


def change_cell(metric: Metric, snapshot: Snapshot) -> Cell:
    """Change per second with its sign; only a gauge that rises is worth a colour, a counter does nothing else."""
    rate = change_per_s(metric, snapshot.history)
    if isinstance(rate, Missing):
        return Cell("", Tone.FAINT, sort=float("-inf"), note=rate.why)
    text = signed(rate, metric.unit, per="/s")
    if text == "0" or metric.kind is Kind.COUNTER:
        return Cell(text, Tone.FAINT, sort=rate)
    return Cell(text, Tone.of_change(rate), sort=rate)


def spark_cell(metric: Metric, snapshot: Snapshot, width: int = _SPARK_COLUMNS) -> Cell:
    """The course over the last minute; of a counter, its change per second."""
    series = snapshot.history.series(metric.key, SPARK_SPAN_S + 2)
    if metric.kind is Kind.COUNTER:
        series = per_second(series)
    step_s = SPARK_SPAN_S / width
    end_s = math.ceil(snapshot.history.until.mono_s / step_s) * step_s  # a sample stays in its column
    return Cell(spark=newest(series, end_s, SPARK_SPAN_S, width))


def metric_cells(key: str, snapshot: Snapshot, tone: Tone = Tone.PLAIN) -> tuple[Cell, Cell, Cell]:
    """Value, change per second and course of the metric named ``key``."""
    metric = METRICS_BY_KEY[key]
    return (
        value_cell(metric.read(snapshot.sample), metric.unit, tone),
        change_cell(metric, snapshot),
        spark_cell(metric, snapshot),
    )
