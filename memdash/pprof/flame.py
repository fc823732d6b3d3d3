"""Stacks as a tree from the outermost frame inwards: a flame graph, or icicle, with or without a baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, TypeAlias

from memdash.pprof.garbage import without_collections
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


_Stack: TypeAlias = tuple[Iterator[int], int, int]
"""Its frames from where it stands inwards, as numbers, what it holds and held.

Frames are told off one by one: most stacks end in a group that is too small to be looked into.
"""

_END = -1


class _Group:
    """The stacks that go through a frame in one context, and what they hold and held together."""

    __slots__ = ("base", "now", "stacks")

    def __init__(self, stacks: list[_Stack]) -> None:
        self.stacks = stacks
        self.now = sum([now for _, now, _ in stacks])
        self.base = sum([base for _, _, base in stacks])

    @property
    def size(self) -> int:
        """What counts for whether it is shown, and where."""
        return max(abs(self.now), abs(self.base))

    def inner(self) -> dict[int, _Group]:
        """Its stacks that go on, by the frame they go on with. Can be asked once."""
        found: dict[int, list[_Stack]] = defaultdict(list)
        for stack in self.stacks:
            found[next(stack[0], _END)].append(stack)
        found.pop(_END, None)
        return {frame: _Group(stacks) for frame, stacks in found.items()}


@without_collections()
def flame(view: View, base: View | None = None) -> Flame:
    """Put the stacks together from their outermost frame on. 0.1 s for 50 000 stacks.

    A frame is kept when now or in the baseline it holds its ``node_fraction`` of what there is.
    """
    numbers: dict[Frame, int] = {}
    stacks = [(path, value, 0) for path, value in _paths(view, numbers)]
    if base is not None:
        stacks += [(path, 0, value) for path, value in _paths(base, numbers)]
    root = _Group(stacks)
    frames = tuple(numbers)
    cutoff = int(root.size * view.options.node_fraction)
    rows: list[FlameRow] = []
    dropped = 0
    todo = [(0, number, group) for number, group in _smallest_first(root.inner())]
    while todo:
        depth, number, group = todo.pop()
        if group.size < cutoff:
            dropped += 1
            continue
        inner = group.inner() if depth + 1 < _DEEPEST else {}
        own = group.now - sum(callee.now for callee in inner.values())
        rows.append(FlameRow(depth, frames[number], group.now, own, group.base))
        todo += [(depth + 1, callee, calls) for callee, calls in _smallest_first(inner)]
    return Flame(tuple(rows), root.now, root.base, dropped)


def _paths(view: View, numbers: dict[Frame, int]) -> Iterator[tuple[Iterator[int], int]]:
    """Of each stack its frames, outermost first, and what it holds; frames get numbers after those that have one."""
    for frame in view.numbered_frames:
        numbers.setdefault(frame, len(numbers))
    steps = {key: [numbers[frame] for frame in reversed(frames)] for key, frames in view.frames.items()}
    of, flat = steps.__getitem__, chain.from_iterable
    for keys, value in view.stacks:
        if keys:
            yield flat(map(of, reversed(keys))), value


def _smallest_first(groups: Mapping[int, _Group]) -> list[tuple[int, _Group]]:
    """As they are taken from the end."""
    return sorted(groups.items(), key=lambda item: item[1].size)
