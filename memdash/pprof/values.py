"""The views as plain values, for programs: what ``--json`` prints, schema ``memdash/1``.

Values are in the unit of the sample type, unrounded; keys are stable, later versions only add.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from memdash import __version__
from memdash.units import iso_time

if TYPE_CHECKING:  # a verb prints one view, and loads that one
    from memdash.pprof.flame import Flame
    from memdash.pprof.graph import Edge, Graph
    from memdash.pprof.listing import ListedFile
    from memdash.pprof.top import Top
    from memdash.pprof.view import Frame, View

__all__ = ["flame_values", "listing_values", "top_values", "tree_values"]

Object: TypeAlias = dict[str, Any]


def top_values(view: View, report: Top) -> Object:
    """The rows of top."""
    rows = [
        {"frame": _frame(row.frame), "flat": row.flat, "cum": row.cum, "inlined": row.inlined} for row in report.rows
    ]
    return _head("top", view) | {"dropped": report.graph.dropped, "rows": rows}


def tree_values(view: View, whole: Graph, shown: Graph, name: str) -> Object:
    """The frames of tree or peek with callers and callees."""
    rows = [
        {
            "frame": _frame(node.frame),
            "flat": node.flat,
            "cum": node.cum,
            "callers": [_edge(edge) for edge in node.callers],
            "callees": [_edge(edge) for edge in node.callees],
        }
        for node in shown.nodes
    ]
    return _head(name, view) | {"dropped": whole.dropped, "rows": rows}


def listing_values(view: View, files: Iterable[ListedFile]) -> Object:
    """The functions of list with their lines; ``text`` is null where the file cannot be read."""
    rows = [
        {
            "function": listed.function,
            "file": listed.file,
            "flat": listed.flat,
            "cum": listed.cum,
            "missing": listed.missing.why if listed.missing is not None else None,
            "lines": [
                {
                    "line": line.number,
                    "text": line.text if listed.missing is None else None,
                    "flat": line.flat,
                    "cum": line.cum,
                }
                for line in listed.lines
            ],
        }
        for listed in files
    ]
    return _head("list", view) | {"rows": rows}


def flame_values(view: View, report: Flame) -> Object:
    """The frames of flame, callers before what they call."""
    rows = [
        {"depth": row.depth, "frame": _frame(row.frame), "held": row.held, "own": row.own, "base": row.base}
        for row in report.rows
    ]
    return _head("flame", view) | {"base_total": report.base_total, "dropped": report.dropped, "rows": rows}


def _head(name: str, view: View) -> Object:
    time_ns = view.document.time_ns
    return {
        "schema": "memdash/1",
        "version": __version__,
        "view": name,
        "sample_type": view.sample_type.kind,
        "unit": view.sample_type.unit,
        "taken_at": _moment(time_ns) if time_ns else None,
        "total": view.total,
    }


def _moment(time_ns: int) -> str | None:
    try:
        return iso_time(time_ns / 1e9)
    except (OverflowError, ValueError, OSError):
        return None


def _frame(frame: Frame) -> Object:
    return {"function": frame.name, "file": frame.file, "line": frame.line, "address": frame.address}


def _edge(edge: Edge) -> Object:
    return {"frame": _frame(edge.other), "weight": edge.weight, "inlined": edge.is_inlined}
