"""The report as one page that needs nothing else: no script, no font, no picture, no request to anybody.

It is for people who have no terminal: what is wrong comes first, then how it came about, then where it is, then all
figures. It suits light, dark and paper, and everything that comes from the target is escaped. A policy inside forbids
a browser to load or run anything, should a word of the target ever get by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from memdash import __version__
from memdash.analysis.resample import columns
from memdash.exports.exporter import Exporter
from memdash.exports.html_stacks import site_stacks, task_stacks
from memdash.exports.html_table import safe, table_parts
from memdash.exports.sections import Heading, Section, heading, sections, unread
from memdash.exports.svg_chart import ChartBound, ChartLine, SvgChart, svg_chart
from memdash.model.finding import Severity
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.series import watched_s
from memdash.model.snapshot import Snapshot
from memdash.model.verdict import Verdict
from memdash.tables.figures import change_cell, value_cell
from memdash.tables.heap_chart import HEAP_LINES, heap_chart, heap_limits
from memdash.tables.table import DASH, Tone
from memdash.tables.tasks import tasks_title
from memdash.tables.verdict import calm_words, unsaid_verdict
from memdash.units import Unit, byte_size, byte_tick, count, day_and_zone, signed, span

__all__ = ["HTML"]

_ROWS_SHOWN = 500
_COLUMNS = 320
_LIMIT_IN_VIEW = 1.6
"""A limit more than so many times as high as the highest line is told in words: drawn, it would flatten the lines."""

_TILES = ("HeapAlloc", "gc.live_after_gc_bytes", "system.rss_bytes", "Sys", "NumGC", "tasks.total")
_PAIR = ("gc", "memstats")
"""Beside each other where there is room."""

_ORDER = ("alerts", "residence", "sites", "objects", "tasks", "gc", "memstats", "family", "mappings")
_LOOKS = {"HeapAlloc": "heap", "gc.live_after_gc_bytes": "live", "system.rss_bytes": "rss", "Sys": "sys"}
_STACKS = {"sites": site_stacks, "tasks": task_stacks}
_STYLE = Path(__file__).with_name("report.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def _page(snapshots: Iterable[Snapshot]) -> Iterator[str]:
    """One page for all of them."""
    shown = list(snapshots)
    title = shown[0].target.name if shown else "nothing"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">'
    yield f"<title>{safe(title)}: memory report</title>"
    yield f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>"
    for snapshot in shown:
        yield "<main>"
        yield from _report(snapshot)
        yield "</main>"
    yield "</body>\n</html>"


def _report(snapshot: Snapshot) -> Iterator[str]:
    yield from _head(heading(snapshot))
    yield from _banner(snapshot)
    yield from _tiles(snapshot)
    yield from _heap(snapshot)
    yield from _tasks(snapshot)
    ranked = sorted(sections(snapshot, _ROWS_SHOWN), key=lambda section: _ORDER.index(section.key))
    for section in ranked:
        yield '<div class="pair">' if section.key == _PAIR[0] else ""
        yield from _section(section, snapshot)
        yield "</div>" if section.key == _PAIR[1] else ""
    yield from _unread(snapshot)
    cost = value_cell(snapshot.cost.cpu_percent, Unit.PERCENT).text
    yield (
        f"<footer>memdash {__version__} · read from outside the process"
        f"{f', at a cost of {safe(cost)} of one core' if cost != DASH else ''}</footer>"
    )


def _head(head: Heading) -> Iterator[str]:
    label, subject = head.subject
    yield f"<header><h1>{safe(head.name)}</h1>"
    yield f'<p class="facts">{safe(" · ".join(head.facts))}</p>'
    yield f'<p class="facts">{label} <code>{safe(subject)}</code></p>'
    yield f'<p class="facts">taken at <time>{head.taken_at}</time></p></header>'


def _banner(snapshot: Snapshot) -> Iterator[str]:
    """What is wrong, or that nothing is; what has grown most below it."""
    verdict, worst = snapshot.verdict, snapshot.worst
    if verdict is None and worst is None:
        return
    severity = Severity.OK
    lines: list[str] = []
    if worst is not None:
        severity = worst.severity
        lines.append(f"{worst.severity.glyph} {worst.severity.word}: {worst.summary}")
    if (unsaid := unsaid_verdict(snapshot)) is not None:
        severity = max(severity, unsaid.severity)
        calm = calm_words(snapshot)
        lines.append(f"{unsaid.severity.glyph} {unsaid.summary}" if calm or worst else f"· {unsaid.summary}")
    yield f'<section class="banner {Tone.of_severity(severity).value}">'
    yield from (f"<p>{safe(line)}</p>" for line in lines)
    if verdict is not None and verdict.growers:
        yield from _growers(verdict)
    yield "</section>"


def _growers(verdict: Verdict) -> Iterator[str]:
    yield "<ul>"
    for grower in verdict.growers:
        unit = Unit.BYTES if grower.kind == "site" else Unit.COUNT
        change = f"{signed(grower.change, unit)}{'' if unit is Unit.BYTES else ' tasks'}"
        yield f"<li><b>{safe(change)}</b> <code>{safe(grower.name)}</code> {safe(grower.place)}</li>"
    yield "</ul>"


def _tiles(snapshot: Snapshot) -> Iterator[str]:
    """The figures that matter most, with their change per second."""
    tiles = []
    for key in _TILES:
        metric = METRICS_BY_KEY[key]
        value = metric.read(snapshot.sample)
        if isinstance(value, Missing):
            continue
        change = change_cell(metric, snapshot)
        words = f'<p class="{change.tone.value}">{safe(change.text)}</p>' if change.text not in ("", "0") else ""
        figure = safe(value_cell(value, metric.unit).text)
        tiles.append(f"<div><h3>{safe(metric.label)}</h3><p>{figure}</p>{words}</div>")
    if tiles:
        yield f'<section class="tiles">{"".join(tiles)}</section>'


def _heap(snapshot: Snapshot) -> Iterator[str]:
    span_s = watched_s(snapshot.history)
    if not span_s:  # it has been read once, which makes no line
        return
    chart = heap_chart(snapshot.history, span_s, _COLUMNS)
    labels = dict(HEAP_LINES)
    limits = heap_limits(snapshot)
    drawn = [limit for limit in limits if limit.value <= _LIMIT_IN_VIEW * chart.high_bytes]
    start_s = snapshot.history.until.wall_s + chart.end_s - snapshot.history.until.mono_s - span_s
    picture = svg_chart(
        SvgChart(
            title=f"{', '.join(labels.values())} over the last {span(span_s)}",
            lines=[ChartLine(line.label, _LOOKS[line.key], line.columns) for line in chart.lines],
            start_s=start_s,
            end_s=start_s + span_s,
            figure=byte_size,
            tick=byte_tick,
            base=1024.0,
            height=320,
            marks=chart.gc_columns,
            bounds=[ChartBound(limit.label, limit.value) for limit in drawn],
        )
    )
    if not picture:
        return
    words = [f"local time, {day_and_zone(start_s + span_s)}"]
    words += ["ticks on the axis: collections"] if chart.gc_columns else []
    words += [f"{limit.label} {byte_size(limit.value)}, above the picture" for limit in limits if limit not in drawn]
    yield f"<section><h2>Heap · {span(span_s)}</h2>"
    yield f"<figure>{picture}<figcaption>{safe('; '.join(words))}</figcaption></figure></section>"


def _tasks(snapshot: Snapshot) -> Iterator[str]:
    """How many goroutines, threads or tasks there were, where somebody has counted them more than once."""
    span_s = watched_s(snapshot.history)
    until = snapshot.history.until
    series = snapshot.history.series("tasks.total", span_s)
    if len(series.known) < 2:
        return
    picture = svg_chart(
        SvgChart(
            title=f"tasks over the last {span(span_s)}",
            lines=[ChartLine("tasks", "tasks", columns(series, until.mono_s, span_s, _COLUMNS))],
            start_s=until.wall_s - span_s,
            end_s=until.wall_s,
            figure=count,
            tick=count,
            base=10.0,
            height=160,
            counts=True,
        )
    )
    if picture:
        yield f"<section><h2>{safe(tasks_title(snapshot))}</h2><figure>{picture}</figure></section>"


def _section(section: Section, snapshot: Snapshot) -> Iterator[str]:
    yield f'<section id="{section.key}"><h2>{safe(section.table.title)}</h2>'
    if section.caveats:
        yield f'<p class="fa">{safe(section.caveats)}</p>'
    yield from table_parts(section.table)
    if stacks := _STACKS.get(section.key):
        yield from stacks(snapshot)
    yield "</section>"


def _unread(snapshot: Snapshot) -> Iterator[str]:
    lacks = unread(snapshot)
    if not lacks:
        return
    yield '<section id="unread"><h2>Not read</h2><dl>'
    for lack in lacks:
        hint = f'<br><span class="fa">try: {safe(lack.hint)}</span>' if lack.hint else ""
        yield f"<dt>{safe(lack.name)}</dt><dd>{safe(lack.why)}{hint}</dd>"
    yield "</dl></section>"


def _pieces(snapshots: Iterable[Snapshot]) -> Iterator[str]:
    return (f"{part}\n" for part in _page(snapshots))


HTML = Exporter(_pieces)
