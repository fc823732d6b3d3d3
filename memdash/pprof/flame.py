"""Stacks as a tree from the outermost frame inwards: a flame graph, or icicle, with or without a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from memdash.pprof.view import Frame, View

__all__ = ["Flame", "FlameRow", "flame"]

_DEEPEST = 1024
"""Go records 128 frames; beyond this a stack's innermost frames count as its last one's own."""


class FlameRow(NamedTuple):
    """A frame in its context. ``held`` is with all it calls, ``own`` without; ``base`` is what it held in the baseline.

    The rows after it that are deeper are what it calls; they end at the next one that is not.
    """

    depth: int
    frame: Frame
    held: int
    own: int
    base: int


@dataclass(frozen=True, slots=True)
class Flame:
    """All rows, callers before what they call, siblings by size; ``total`` and ``base_total`` are of all stacks.

    What holds less than a fraction is left out: ``dropped`` such frames, of which nothing was looked into.
    """

    rows: tuple[FlameRow, ...]
    total: int
    base_total: int
    dropped: int


class _Group:
    """The stacks that go through a frame in one context: (frames as numbers, what they hold, what they held)."""

    __slots__ = ("base", "now", "stacks")

    def __init__(self) -> None:
        self.now = self.base = 0
        self.stacks: list[tuple[list[int], int, int]] = []

    @property
    def size(self) -> int:
        """What counts for whether it is shown, and where."""
        return max(abs(self.now), abs(self.base))

    def inner(self, depth: int) -> dict[int, _Group]:
        """Its stacks that go on at this depth, by the frame they go on with."""
        groups: dict[int, _Group] = {}
        at = -1 - depth
        for stack in self.stacks:
            path, now, base = stack
            if len(path) > depth:
                group = groups.get(path[at])
                if group is None:
                    group = groups[path[at]] = _Group()
                group.now += now
                group.base += base
                group.stacks.append(stack)
        return groups


def flame(view: View, base: View | None = None) -> Flame:
    """Put the stacks together from their outermost frame on. 0.2 s for 50 000 stacks.

    A frame is kept when now or in the baseline it holds its ``node_fraction`` of what there is.
    """
    numbers: dict[Frame, int] = {frame: number for number, frame in enumerate(view.numbered_frames)}
    root = _Group()
    root.stacks = [(path, value, 0) for path, _, value in view.paths if path]
    if base is not None:
        shared = [numbers.setdefault(frame, len(numbers)) for frame in base.numbered_frames]
        root.stacks += [([shared[number] for number in path], 0, value) for path, _, value in base.paths if path]
    root.now, root.base = sum(now for _, now, _ in root.stacks), sum(then for _, _, then in root.stacks)
    frames = tuple(numbers)
    cutoff = int(root.size * view.options.node_fraction)
    rows: list[FlameRow] = []
    dropped = 0
    todo = [(0, number, group) for number, group in _smallest_first(root.inner(0))]
    while todo:
        depth, number, group = todo.pop()
        if group.size < cutoff:
            dropped += 1
            continue
        inner = group.inner(depth + 1) if depth + 1 < _DEEPEST else {}
        own = group.now - sum(callee.now for callee in inner.values())
        rows.append(FlameRow(depth, frames[number], group.now, own, group.base))
        todo += [(depth + 1, callee, calls) for callee, calls in _smallest_first(inner)]
    return Flame(tuple(rows), root.now, root.base, dropped)


def _smallest_first(groups: Mapping[int, _Group]) -> list[tuple[int, _Group]]:
    """As they are taken from the end."""
    return sorted(groups.items(), key=lambda item: item[1].size)
