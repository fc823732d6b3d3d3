"""A watch as a log, one line a sample: JSON as structlog writes it, CSV, or words for a person.

A JSON line has ``timestamp``, ``level`` and ``event`` first, then the figures by the names of the usual Go recipe
(``alloc_mb``, ``gc_count`` …, MiB of 1024 * 1024 bytes), then the parts of the JSON document that are single figures.
``event`` is ``start``, ``sample``, ``finding`` or ``end``. What is missing is null; why, the ``start`` line says.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from memdash import __version__
from memdash.exports.json import finding_row, json_line, nulled, parts, target_row, usage_row
from memdash.model.finding import Finding, Severity
from memdash.model.memstats import MemStats
from memdash.model.metric import METRICS, METRICS_BY_KEY
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Sample
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.units import MIB, clock_time, figure, iso_time

__all__ = ["CsvLines", "JsonLines", "Lines", "WordLines"]

_NAME_AT_MOST = 200


class Lines(Protocol):
    """One way to write a log. Each gives whole lines, without their ends."""

    def head(self) -> Iterator[str]:
        """What a file begins with."""

    def start(self, snapshot: Snapshot) -> Iterator[str]:
        """A target is read from now on."""

    def sample(self, snapshot: Snapshot) -> Iterator[str]:
        """A moment."""

    def finding(self, snapshot: Snapshot, finding: Finding, what: str) -> Iterator[str]:
        """An alert has ``opened``, ``worsened``, ``ended`` or ``happened``; or a ``note`` or ``mark``."""

    def end(self, at_s: float, why: str, samples: int, dropped: int) -> Iterator[str]:
        """The log is over."""


class JsonLines:
    """One object a line."""

    def head(self) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def start(self, snapshot: Snapshot) -> Iterator[str]:
        """Who it is, and what cannot be read of it."""
        _, missing = _outline(snapshot)
        target = nulled(target_row(snapshot.target, snapshot.at.wall_s))
        also = {"version": __version__, "interval_s": snapshot.interval_s, "target": target, "missing": missing}
        yield _object(snapshot.at.wall_s, "info", "start", _who(snapshot) | also)

    def sample(self, snapshot: Snapshot) -> Iterator[str]:
        """The figures."""
        worst = max((finding.severity for finding in snapshot.alerts), default=Severity.OK)
        also = {"state": snapshot.state.name.lower(), "alerts": len(snapshot.alerts), "worst": _level(worst)}
        figures = _recipe(snapshot.sample) | also | _outline(snapshot)[0]
        yield _object(snapshot.at.wall_s, "info", "sample", _who(snapshot) | figures)

    def finding(self, snapshot: Snapshot, finding: Finding, what: str) -> Iterator[str]:
        """With its evidence; what has ended is no longer grave."""
        level = "info" if what == "ended" else _level(finding.severity)
        also = {"what": what} | finding_row(finding, finding.rule in snapshot.muted)
        yield _object(snapshot.at.wall_s, level, "finding", _who(snapshot) | also)

    def end(self, at_s: float, why: str, samples: int, dropped: int) -> Iterator[str]:
        """How many there were."""
        yield _object(at_s, "info", "end", {"why": why, "samples": samples, "dropped": dropped})


class CsvLines:
    """One row a sample and one column a metric, in its own unit; nothing else. What is missing is empty."""

    def __init__(self) -> None:
        import csv  # 0.1 MiB, which a log of JSON does without

        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="")

    def head(self) -> Iterator[str]:
        """The names of the columns."""
        yield self._row(["timestamp", "pid", "name", *_RECIPE, *(metric.key for metric in METRICS)])

    def start(self, _: Snapshot) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def sample(self, snapshot: Snapshot) -> Iterator[str]:
        """The row."""
        sample = snapshot.sample
        known = (metric.seen(sample) for metric in METRICS)
        figures = [_number(value) if math.isfinite(value) else "" for value in known]
        recipe = ["" if value is None else value for value in _recipe(sample).values()]
        who = _who(snapshot)
        yield self._row([iso_time(snapshot.at.wall_s), who["pid"], _cell(who["name"]), *recipe, *figures])

    def finding(self, _: Snapshot, __: Finding, ___: str) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def end(self, *_: object) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def _row(self, cells: list[object]) -> str:
        self._text.seek(0)
        self._text.truncate()
        self._writer.writerow(cells)
        return self._text.getvalue()


class WordLines:
    """For a person at a terminal."""

    def head(self) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def start(self, snapshot: Snapshot) -> Iterator[str]:
        """Who it is."""
        target = snapshot.target
        what = " · ".join(part for part in (target.place, target.runtime_version or target.runtime.value) if part)
        yield self._line(snapshot, f"is read: {what}")

    def sample(self, snapshot: Snapshot) -> Iterator[str]:
        """The figures that matter most."""
        said = []
        for key, words in _SAID:
            metric = METRICS_BY_KEY[key]
            value = metric.seen(snapshot.sample)
            if math.isfinite(value):
                said.append(f"{words} {figure(value, metric.unit)}")
        verdict = snapshot.verdict
        yield self._line(snapshot, " · ".join([*said, *([verdict.kind.value] if verdict is not None else [])]))

    def finding(self, snapshot: Snapshot, finding: Finding, what: str) -> Iterator[str]:
        """Its sentence."""
        over = "ended: " if what == "ended" else ""
        yield self._line(snapshot, f"{finding.severity.glyph} {finding.severity.word} {over}{finding.summary}")

    def end(self, at_s: float, why: str, samples: int, dropped: int) -> Iterator[str]:
        """How many there were."""
        lost = f", {dropped} left out" if dropped else ""
        yield f"{clock_time(at_s)}  {plain(why)}: {samples} samples{lost}"

    def _line(self, snapshot: Snapshot, words: str) -> str:
        return f"{clock_time(snapshot.at.wall_s)}  {plain(_who(snapshot)['name'])}  {plain(words)}"


_SAID = (
    ("HeapAlloc", "heap"),
    ("heap.live_bytes", "live"),
    ("system.rss_bytes", "RSS"),
    ("NumGC", "GC"),
    ("gc.pause_recent_ns", "pause"),
    ("tasks.total", "tasks"),
)
_RECIPE: Mapping[str, Callable[[MemStats], Maybe[object]]] = {
    "alloc_mb": lambda memstats: _mib(memstats.Alloc),
    "sys_mb": lambda memstats: _mib(memstats.Sys),
    "heap_mb": lambda memstats: _mib(memstats.HeapAlloc),
    "gc_count": lambda memstats: memstats.NumGC,
    "last_gc": lambda memstats: _moment(memstats.LastGC),
    "pause_total_ns": lambda memstats: memstats.PauseTotalNs,
}
_PARTS = ("memstats", "gc", "system", "malloc", "verdict", "cost")
_MEMSTATS_ROWS = ("BySize", "PauseNs", "PauseEnd")


def _outline(snapshot: Snapshot) -> tuple[dict[str, Any], dict[str, str]]:
    """What the document tells in single figures, some 3 KB, and what of that is missing; totals as far as read."""
    sample = snapshot.sample
    found, missing = parts(snapshot, _PARTS)
    if found["memstats"] is not None:
        for rows in _MEMSTATS_ROWS:
            del found["memstats"][rows]
    if not isinstance(sample.sites, Missing):
        found["sites"] = {"total": nulled(usage_row(sample.sites.total, sample.sites))}
    if not isinstance(sample.tasks, Missing):
        found["tasks"] = {"total": sample.tasks.total, "hidden": sample.tasks.hidden}
    if not isinstance(sample.objects, Missing):
        held = sample.objects.total
        found["objects"] = {"count": held.objects, "bytes": held.held_bytes}
    return found, missing


def _recipe(sample: Sample) -> dict[str, Any]:
    memstats = sample.memstats
    if isinstance(memstats, Missing):
        return dict.fromkeys(_RECIPE)
    return nulled({name: read(memstats) for name, read in _RECIPE.items()})


def _mib(value: Maybe[int]) -> Maybe[float]:
    return value if isinstance(value, Missing) else round(value / MIB, 3)


def _moment(wall_ns: Maybe[int]) -> Maybe[str | None]:
    """None before the first collection."""
    if isinstance(wall_ns, Missing):
        return wall_ns
    try:
        return iso_time(wall_ns / 1e9) if wall_ns else None
    except (ValueError, OverflowError, OSError):  # no moment that a calendar has
        return None


def _level(severity: Severity) -> str:
    """As loggers call it, which know nothing below ``info``."""
    return max(severity, Severity.INFO).name.lower()


def _who(snapshot: Snapshot) -> dict[str, Any]:
    target = snapshot.target
    return {"pid": target.pid if target.is_local else None, "name": target.name[:_NAME_AT_MOST]}


def _object(at_s: float, level: str, event: str, parts: Mapping[str, object]) -> str:
    return json_line({"timestamp": iso_time(at_s), "level": level, "event": event, **parts})


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _cell(text: str) -> str:
    """A spreadsheet must not take the target's words for a formula."""
    shown = plain(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown
