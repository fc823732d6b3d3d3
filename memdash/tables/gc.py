"""The collector at a glance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from memdash.analysis.rates import change_per_s
from memdash.model.gc import NO_LIMIT, OFF, GcStats
from memdash.model.gc_trend import Course, Tendency
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Maybe, Missing
from memdash.model.series import watched_s
from memdash.model.snapshot import Snapshot
from memdash.tables.figures import missing_cell, spark_cell, value_cell
from memdash.tables.generations import generation_rows
from memdash.tables.table import Cell, Column, Row, Table, Tone
from memdash.units import Unit, age, byte_size, count, duration, nanoseconds, per_minute, ratio, whole_percent

__all__ = ["METRIC_OF_ROW", "gc_table", "mean_pause"]

_COLUMNS = (Column("name", "", 13), Column("value", "", 0, right=True))
_RATE_SPAN_S = 60.0
_RATE_LEAST_S = 10.0
_TOO_SOON = Missing("collections are counted for ten seconds first")
_NO_GC = Missing("there has been no collection yet")
_PAUSES_SHOWN = 48
_ARROWS = {Course.RISES: "  ↑", Course.FALLS: "  ↓", Course.STEADY: ""}
_RELIEF = "gc-at"


def gc_table(snapshot: Snapshot) -> Table:
    """Name and value: counts, rate, target, pauses, share of CPU, settings; then the courses, as sparklines.

    A collector with generations shows those in place of targets and settings that it does not have, and pauses only if
    it times them. Without a collector to read, no rows, and ``empty`` says why.
    """
    gc = snapshot.sample.gc
    if isinstance(gc, Missing):
        return Table("GC", _COLUMNS, (), gc.words)
    if not gc.generations:
        return Table("GC", _COLUMNS, tuple(_rows(_ROWS, snapshot, gc)))
    timed = () if isinstance(gc.pause_total_ns, Missing) else _TIMED
    rows = (*_rows(_COUNTED, snapshot, gc), *generation_rows(gc), *_rows(timed, snapshot, gc))
    return Table("GC", _COLUMNS, rows)


def mean_pause(snapshot: Snapshot) -> Row:
    """A row more, for which a pane has no room: of all collections so far; before the first there is no such pause."""
    gc = snapshot.sample.gc
    return Row("pause mean", (Cell("pause mean", Tone.FAINT), _mean(gc)))


def _mean(gc: Maybe[GcStats]) -> Cell:
    if isinstance(gc, Missing):
        return missing_cell(gc)
    total_ns, runs = gc.pause_total_ns, gc.count
    if isinstance(total_ns, Missing):
        return missing_cell(total_ns)
    if isinstance(runs, Missing):
        return missing_cell(runs)
    return Cell(nanoseconds(total_ns / runs)) if runs else missing_cell(_NO_GC)


def _rows(names: Iterable[str], snapshot: Snapshot, gc: GcStats) -> Iterator[Row]:
    for name in names:
        if name != _RELIEF or snapshot.relief is not None:
            yield Row(name, (Cell(name, Tone.FAINT), _ROWS[name](snapshot, gc)))


def _relief(snapshot: Snapshot, _: GcStats) -> Cell:
    """At which share of the limit a collection is forced, and what of it is in use; or that it cannot be done."""
    relief = snapshot.relief
    if relief is None:
        return Cell("")
    at = whole_percent(relief.plan.ratio)
    if isinstance(relief.way, Missing) or isinstance(relief.ceiling, Missing):
        why = next(reason for reason in (relief.way, relief.ceiling) if isinstance(reason, Missing))
        return Cell(f"{at} · cannot", Tone.WARNING, note=why.words)
    name, used, limit = relief.ceiling
    done = f"done {count(relief.rounds)} times" if relief.rounds != 1 else "done once"
    note = f"{byte_size(used)} of {name}, {byte_size(limit)}, in use; {done}, {duration(relief.wait_s)} apart at least"
    over = relief.ceiling.ratio >= relief.plan.ratio
    return Cell(f"{at} · in use {whole_percent(relief.ceiling.ratio)}", Tone.WARNING if over else Tone.PLAIN, note=note)


def _runs(_: Snapshot, gc: GcStats) -> Cell:
    if isinstance(gc.count, Missing):
        return missing_cell(gc.count)
    forced = f"  +{count(gc.forced)} forced" if isinstance(gc.forced, int) and gc.forced else ""
    return Cell(count(gc.count) + forced, Tone.STRONG)


def _rate(snapshot: Snapshot, _: GcStats) -> Cell:
    if watched_s(snapshot.history) < _RATE_LEAST_S:
        return missing_cell(_TOO_SOON)
    per_s = change_per_s(METRICS_BY_KEY["NumGC"], snapshot.history, _RATE_SPAN_S)
    if isinstance(per_s, Missing):
        return missing_cell(per_s)
    trend = snapshot.gc_trend
    return Cell(per_minute(per_s) + ("" if trend is None else _from(trend.collections_per_s, per_minute)))


def _allocated(snapshot: Snapshot, _: GcStats) -> Cell:
    per_s, trend = change_per_s(METRICS_BY_KEY["TotalAlloc"], snapshot.history), snapshot.gc_trend
    if isinstance(per_s, Missing):
        return missing_cell(per_s)
    return Cell(_per_second(per_s) + ("" if trend is None else _from(trend.allocated_bytes_per_s, _per_second)))


def _per_second(per_s: float) -> str:
    return f"{byte_size(per_s)}/s"


def _from(tendency: Maybe[Tendency], written: Callable[[float], str]) -> str:
    """``  ↑ from 12``, with its unit where that has changed; empty where there is nothing to tell."""
    if isinstance(tendency, Missing) or tendency.is_steady:
        return ""
    (before, unit), (_, unit_now) = (written(value).rsplit(" ", 1) for value in (tendency.before, tendency.now))
    return f"{_ARROWS[tendency.course]} from {before}{'' if unit == unit_now else f' {unit}'}"


def _last(snapshot: Snapshot, gc: GcStats) -> Cell:
    if isinstance(gc.last_at_s, Missing):
        return missing_cell(gc.last_at_s)
    return Cell(age(snapshot.at.wall_s - gc.last_at_s))


def _phase(_: Snapshot, gc: GcStats) -> Cell:
    return missing_cell(gc.phase) if isinstance(gc.phase, Missing) else Cell(gc.phase)


def _target(_: Snapshot, gc: GcStats) -> Cell:
    return value_cell(gc.next_target_bytes, Unit.BYTES)


def _to_next(snapshot: Snapshot, gc: GcStats) -> Cell:
    """How far the heap has come from what was live to what triggers the next collection."""
    heap = METRICS_BY_KEY["HeapAlloc"].read(snapshot.sample)
    live, target = gc.live_after_gc_bytes, gc.next_target_bytes
    if isinstance(heap, Missing) or isinstance(live, Missing) or isinstance(target, Missing) or target <= live:
        return Cell("")
    return Cell(bar=min(max((heap - live) / (target - live), 0.0), 1.0))


def _live(_: Snapshot, gc: GcStats) -> Cell:
    return value_cell(gc.live_after_gc_bytes, Unit.BYTES)


def _pause(name: str) -> Callable[[Snapshot, GcStats], Cell]:
    def cell(_: Snapshot, gc: GcStats) -> Cell:
        return value_cell(getattr(gc, name), Unit.NANOSECONDS)

    return cell


def _pause_total(snapshot: Snapshot, gc: GcStats) -> Cell:
    """In all, and where the mean pause gets longer or shorter."""
    cell, trend = value_cell(gc.pause_total_ns, Unit.NANOSECONDS), snapshot.gc_trend
    if trend is None or isinstance(trend.pause_ns, Missing) or trend.pause_ns.is_steady:
        return cell
    return replace(cell, text=f"{cell.text}{_ARROWS[trend.pause_ns.course]} each {nanoseconds(trend.pause_ns.now)}")


def _cpu(snapshot: Snapshot, gc: GcStats) -> Cell:
    """Over the life of the program, and of late."""
    if isinstance(gc.cpu_fraction, Missing):
        return missing_cell(gc.cpu_fraction)
    lately = Missing("") if snapshot.gc_trend is None else snapshot.gc_trend.cpu_ratio
    if isinstance(lately, Missing):
        return Cell(ratio(gc.cpu_fraction))
    return Cell(f"{ratio(gc.cpu_fraction)}  lately {ratio(lately.now)}{_ARROWS[lately.course]}")


def _settings(_: Snapshot, gc: GcStats) -> Cell:
    for setting, unset in ((gc.gogc, OFF), (gc.memory_limit_bytes, NO_LIMIT)):
        if isinstance(setting, Missing) and setting != unset:
            return missing_cell(setting)
    percent = "off" if isinstance(gc.gogc, Missing) else str(gc.gogc)
    limit = "no limit" if isinstance(gc.memory_limit_bytes, Missing) else byte_size(gc.memory_limit_bytes)
    return Cell(f"{percent} · {limit}")


def _cycle(_: Snapshot, gc: GcStats) -> Cell:
    if isinstance(gc.last_cycle, Missing):
        return missing_cell(gc.last_cycle)
    cycle = gc.last_cycle
    return Cell(f"{nanoseconds(cycle.duration_ns)} · mark {nanoseconds(cycle.mark_ns)}")


def _pauses(_: Snapshot, gc: GcStats) -> Cell:
    """Newest pauses, oldest first, padded so that one pause does not look like a plateau."""
    newest = [float(pause.duration_ns) for pause in gc.pauses[:_PAUSES_SHOWN]][::-1]
    return Cell(spark=tuple([math.nan] * (_PAUSES_SHOWN - len(newest)) + newest)) if newest else Cell("")


def _live_course(snapshot: Snapshot, _: GcStats) -> Cell:
    return spark_cell(METRICS_BY_KEY["gc.live_after_gc_bytes"], snapshot)


_ROWS: Mapping[str, Callable[[Snapshot, GcStats], Cell]] = {
    "NumGC": _runs,
    "rate": _rate,
    "alloc rate": _allocated,
    "last": _last,
    "next target": _target,
    "to next GC": _to_next,
    "live after GC": _live,
    _RELIEF: _relief,
    "pause p50": _pause("pause_p50_ns"),
    "pause p99": _pause("pause_p99_ns"),
    "pause max": _pause("pause_max_ns"),
    "pause total": _pause_total,
    "last cycle": _cycle,
    "GC CPU": _cpu,
    "GOGC · limit": _settings,
    "phase": _phase,
    "pauses": _pauses,
    "live heap": _live_course,
}
_COUNTED = ("NumGC", "rate", "last", _RELIEF, "phase")
_TIMED = ("pause p50", "pause p99", "pause max", "pause total", "pauses")

METRIC_OF_ROW: Mapping[str, str] = {
    "NumGC": "NumGC",
    "rate": "NumGC",
    "alloc rate": "TotalAlloc",
    "next target": "NextGC",
    "live after GC": "gc.live_after_gc_bytes",
    "pause p50": "gc.pause_p50_ns",
    "pause p99": "gc.pause_p99_ns",
    "pause max": "gc.pause_max_ns",
    "pause total": "PauseTotalNs",
    "GC CPU": "GCCPUFraction",
    "pauses": "gc.pause_recent_ns",
    "live heap": "gc.live_after_gc_bytes",
    "freed": "gc.collected",
    "GC objects": "gc.tracked_objects",
}
"""The metrics whose course says more of a row than its one value; by the row's key."""
