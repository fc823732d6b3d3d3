"""The views as lines of text, as ``go tool pprof`` prints them; a flame, which it draws, as an indented list.

Names are those of a foreign program: control characters are shown as escapes.
"""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from memdash.plain import plain
from memdash.pprof.measure import AUTO, label, output_unit, percentage, scale

if TYPE_CHECKING:  # a verb prints one view, and loads that one
    from memdash.pprof.flame import Flame
    from memdash.pprof.graph import Graph
    from memdash.pprof.listing import ListedFile
    from memdash.pprof.top import Top
    from memdash.pprof.view import View

__all__ = ["Writer"]

_RULE = "----------------------------------------------------------+-------------"
_LEGEND = "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t "
_LONGEST_FILTER = 80


class Writer:
    """Writes reports of one view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._unit = AUTO

    def top(self, report: Top) -> Iterator[str]:
        """One line a frame."""
        yield from self._head(report.graph)
        yield f"{'flat':>10} {'flat':>5}% {'sum':>5}% {'cum':>10} {'cum':>5}%"
        for frame, flat, running, cum, inlined in report.rows:
            figures = f"{self._value(flat):>10} {self._share(flat)} {self._share(running)} {self._value(cum):>10}"
            yield f"{figures} {self._share(cum)}  {plain(frame.text)}{inlined and f' ({inlined})'}"

    def tree(self, whole: Graph, shown: Graph) -> Iterator[str]:
        """Each frame of ``shown`` between its callers and callees; figures above are those of the ``whole``."""
        yield from self._head(whole)
        yield _RULE
        yield _LEGEND
        running = 0
        for frame, flat, cum, callers, callees in ((n.frame, n.flat, n.cum, n.callers, n.callees) for n in shown.nodes):
            yield _RULE
            for edge in callers:
                yield self._edge(edge.weight, cum, edge.other.text, edge.is_inlined)
            running += flat
            figures = f"{self._value(flat):>10} {self._share(flat)} {self._share(running)} {self._value(cum):>10}"
            yield f"{figures} {self._share(cum)}                | {plain(frame.text)}"
            for edge in callees:
                yield self._edge(edge.weight, cum, edge.other.text, edge.is_inlined)
        if whole.nodes:
            yield _RULE

    def listing(self, files: Iterable[ListedFile]) -> Iterator[str]:
        """The source lines of each function, or why there are none."""
        yield f"Total: {self._value(self._view.total)}"
        for listed in files:
            if not listed.file:
                yield f"No source information for {plain(listed.function)}"
                continue
            yield f"ROUTINE ======================== {plain(listed.function)} in {plain(listed.file)}"
            figures = f"{self._value(listed.flat):>10} {self._value(listed.cum):>10}"
            yield f"{figures} (flat, cum) {self._share(listed.cum)} of Total"
            if listed.missing is not None:
                yield f" Error: {plain(listed.missing.why)}"
            for number, text, flat, cum in listed.lines:
                yield f"{self._or_dot(flat):>10} {self._or_dot(cum):>10} {number:>6}:{_source(text)}"

    def flame(self, report: Flame) -> Iterator[str]:
        """One line a frame, indented by how deep it is called; with what it held in the baseline, if there is one."""
        self._unit = self._unit_for([row.own or row.held for row in report.rows])
        yield from self.labels()
        if report.dropped:
            yield f"Dropped {_count(report.dropped, 'frame')} and what they call"
        has_base = any(row.base for row in report.rows)
        change_title = f" {'change':>11}" if has_base else ""
        yield f"{'held':>10} {'held':>5}% {'own':>10}{change_title}  frame"
        for depth, frame, held, own, base in report.rows:
            change = f" {_signed(held - base, self._value(held - base)):>11}" if has_base else ""
            figures = f"{self._value(held):>10} {self._share(held)} {self._value(own):>10}{change}"
            yield f"{figures}  {' ' * depth}{plain(frame.text)}"

    def labels(self) -> Iterator[str]:
        """What the profile is of."""
        document = self._view.document
        if document.mappings:
            program = document.mappings[0]
            if program.file:
                yield f"File: {plain(posixpath.basename(program.file.rstrip('/')) or '/')}"
            if program.build_id:
                yield f"Build ID: {plain(program.build_id)}"
        yield from (plain(comment) for comment in document.comments if not comment.startswith("#"))
        if self._view.sample_type.kind:
            yield f"Type: {plain(self._view.sample_type.kind)}"
        if document.doc_url:
            yield f"Doc: {plain(document.doc_url)}"
        if document.time_ns:
            yield f"Time: {_moment(document.time_ns)}"
        if document.duration_ns:
            yield f"Duration: {label(document.duration_ns, 'nanoseconds')}, Total samples = {self._duration()}"

    def _head(self, graph: Graph) -> Iterator[str]:
        self._unit = self._unit_for([node.flat or node.cum for node in graph.nodes])
        yield from self.labels()
        view, total = self._view, self._view.total
        if filters := view.options.filters.given:
            yield "Active filters:"
            for name, pattern in filters.items():
                text = f"{name}={pattern.text}"
                yield f"   {plain(text[:_LONGEST_FILTER])}{'…' if len(text) > _LONGEST_FILTER else ''}"
        share = self._share(graph.flat).strip()
        yield f"Showing nodes accounting for {self._value(graph.flat)}, {share} of {self._value(total)} total"
        if total and graph.dropped:
            limit = abs(int(float(total) * view.options.node_fraction))
            yield f"Dropped {_count(graph.dropped, 'node')} (cum <= {self._value(limit)})"
        if total and 0 < len(graph.nodes) < graph.found:
            yield f"Showing top {len(graph.nodes)} nodes out of {graph.found}"

    def _unit_for(self, values: list[int]) -> str:
        return output_unit(values, self._view.total, self._view.sample_type.unit) if values else AUTO

    def _duration(self) -> str:
        """The sum of the samples, and if that is a time, its share of the whole."""
        view = self._view
        spent, unit = scale(view.total, view.sample_type.unit, "nanoseconds")
        share = f"({percentage(int(spent), view.document.duration_ns)})" if unit == "ns" and spent else ""
        return f"{self._value(view.total)} {share}"

    def _edge(self, weight: int, cum: int, text: str, is_inlined: bool) -> str:
        inline = " (inline)" if is_inlined else ""
        return f"{self._value(weight):>50} {percentage(weight, cum)} |   {plain(text)}{inline}"

    def _value(self, value: int) -> str:
        return label(value, self._view.sample_type.unit, self._unit)

    def _or_dot(self, value: int) -> str:
        return self._value(value) if value else "."

    def _share(self, value: int) -> str:
        return percentage(value, self._view.total)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


def _signed(value: int, text: str) -> str:
    return f"+{text}" if value > 0 else text


def _moment(time_ns: int) -> str:
    """In local time, with its zone."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(time_ns // 1_000_000_000))
    except (OverflowError, ValueError, OSError):
        return f"{time_ns} ns"


def _source(text: str) -> str:
    return "\t".join(map(plain, text.split("\t")))
