"""Each frame between those that called it and those it calls: all of them, or those that match."""

from __future__ import annotations

from memdash.pprof.graph import Graph, graph, no_match
from memdash.pprof.pattern import Pattern
from memdash.pprof.view import View

__all__ = ["peek", "tree"]

_MOST_NODES = 80


def tree(view: View) -> Graph:
    """The heaviest frames, 80 unless the options say how many, with their callers and callees."""
    count = view.options.node_count
    return graph(view, node_count=_MOST_NODES if count is None else count)


def peek(view: View, pattern: Pattern) -> tuple[Graph, Graph]:
    """All frames, and of them those whose text matches, however small. Raises UsageError when none does."""
    found = graph(view, is_trimmed=False)
    matching = tuple(node for node in found.nodes if pattern.found_in(node.frame.text))
    if not matching:
        raise no_match(view, pattern)
    return found, Graph(matching, found.dropped, found.found)
