"""What holds most: flat and cum by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from memdash.pprof.graph import Graph, Node, graph
from memdash.pprof.view import Frame, View

__all__ = ["Top", "TopRow", "top"]


class TopRow(NamedTuple):
    """A frame; ``running`` is the sum of the flat values down to it, ``inlined`` as pprof says it."""

    frame: Frame
    flat: int
    running: int
    cum: int
    inlined: str


@dataclass(frozen=True, slots=True)
class Top:
    """The rows, and the graph that they come from."""

    rows: tuple[TopRow, ...]
    graph: Graph


def top(view: View) -> Top:
    """The frames by flat or cum, heaviest first, without those that are too small."""
    found = graph(view, node_count=view.options.node_count)
    rows: list[TopRow] = []
    running = 0
    for node in found.nodes:
        running += node.flat
        rows.append(TopRow(node.frame, node.flat, running, node.cum, _inlined(node)))
    return Top(tuple(rows), found)


def _inlined(node: Node) -> str:
    """``inline`` when all calls of it were inlined, ``partial-inline`` when some were, else nothing."""
    flags = {edge.is_inlined for edge in node.callers}
    if True not in flags:
        return ""
    return "partial-inline" if False in flags else "inline"
