"""Source lines with what they hold.

Source: github.com/google/pprof, internal/report/source.go (printSource).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from memdash.model.missing import Maybe, Missing
from memdash.pprof.document import Document
from memdash.pprof.graph import Node, graph, no_match
from memdash.pprof.pattern import Pattern
from memdash.pprof.view import Granularity, Options, View

__all__ = ["ListedFile", "ListedLine", "listing", "listing_view"]

_MARGIN = 5
"""Lines before the first and after the last one that holds anything."""


class ListedLine(NamedTuple):
    """``text`` is empty when the file cannot be read."""

    number: int
    text: str
    flat: int
    cum: int


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A function in one file. ``file`` is empty when none is known; ``missing`` says why there are no texts.

    Lines whose text is missing are those that hold something.
    """

    function: str
    file: str
    flat: int
    cum: int
    lines: tuple[ListedLine, ...]
    missing: Missing | None


def listing_view(document: Document, options: Options) -> View:
    """The view that a listing is made of: line by line, functions of different binaries apart. Raises UsageError."""
    return View(document, replace(options, granularity=Granularity.LINES), with_binaries=True)


def listing(view: View, pattern: Pattern, source: Callable[[str], Maybe[tuple[str, ...]]]) -> tuple[ListedFile, ...]:
    """The functions that match, by name and file. ``source`` gives the lines of a file. Raises UsageError."""
    by_name: dict[str, dict[str, list[Node]]] = defaultdict(lambda: defaultdict(list))
    for node in graph(view, is_trimmed=False).nodes:
        if pattern.found_in(node.frame.name):
            by_name[node.frame.name][node.frame.file].append(node)
    if not by_name:
        raise no_match(view, pattern)
    listed: list[ListedFile] = []
    for name, by_file in sorted(by_name.items()):
        files = sorted(file for file in by_file if file) or [""]
        listed += [_listed(name, file, by_file[file], source) for file in files]
    return tuple(listed)


def _listed(name: str, file: str, nodes: Sequence[Node], source: Callable[[str], Maybe[tuple[str, ...]]]) -> ListedFile:
    flat, cum = sum(node.flat for node in nodes), sum(node.cum for node in nodes)
    held: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for node in nodes:
        held[node.frame.line][0] += node.flat
        held[node.frame.line][1] += node.cum
    texts = source(file) if file else Missing("the profile names no file for it")
    if isinstance(texts, Missing):
        lines = tuple(ListedLine(number, "", *held[number]) for number in sorted(held) if any(held[number]))
        return ListedFile(name, file, flat, cum, lines, texts)
    first = max(min(node.frame.start_line or node.frame.line - _MARGIN for node in nodes), 1)
    last = max(node.frame.line for node in nodes) + _MARGIN
    lines = tuple(
        ListedLine(number, texts[number - 1], *held.get(number, (0, 0)))
        for number in range(first, min(last, len(texts)) + 1)
    )
    return ListedFile(name, file, flat, cum, lines, None)
