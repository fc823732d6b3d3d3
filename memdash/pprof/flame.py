"""Stacks as a tree from the outermost frame inwards: a flame graph, or icicle, with or without a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

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


Steps: TypeAlias = Mapping[int, list[int]]
"""The frames of each location as numbers, outermost first."""


class _Group:
    """The stacks that go through a frame in one context, and what they hold and held.

    A stack is (its locations, their steps, how many locations lie outside, which step of this one, now, then). Stacks
    are not written out as frames: most end in a group that is too small to be looked into.
    """

    __slots__ = ("base", "now", "stacks")

    def __init__(self) -> None:
        self.now = self.base = 0
        self.stacks: list[tuple[tuple[int, ...], Steps, int, int, int, int]] = []

    @property
    def size(self) -> int:
        """What counts for whether it is shown, and where."""
        return max(abs(self.now), abs(self.base))

    def inner(self) -> dict[int, _Group]:
        """Its stacks that go on, by the frame they go on with."""
        groups: dict[int, _Group] = {}
        for keys, steps, outside, step, now, base in self.stacks:
            here = steps[keys[-1 - outside]] if outside >= 0 else ()
            if step + 1 < len(here):
                next_outside, next_step, frame = outside, step + 1, here[step + 1]
            elif outside + 1 < len(keys):
                next_outside, next_step, frame = outside + 1, 0, steps[keys[-2 - outside]][0]
            else:
                continue
            group = groups.get(frame)
            if group is None:
                group = groups[frame] = _Group()
            group.now += now
            group.base += base
            group.stacks.append((keys, steps, next_outside, next_step, now, base))
        return groups


def flame(view: View, base: View | None = None) -> Flame:
    """Put the stacks together from their outermost frame on. 0.2 s for 50 000 stacks.

    A frame is kept when now or in the baseline it holds its ``node_fraction`` of what there is.
    """
    numbers: dict[Frame, int] = {}
    root = _Group()
    steps = _steps(view, numbers)
    root.stacks = [(keys, steps, -1, 0, value, 0) for keys, value in view.stacks if keys]
    if base is not None:
        steps = _steps(base, numbers)
        root.stacks += [(keys, steps, -1, 0, 0, value) for keys, value in base.stacks if keys]
    root.now, root.base = sum(stack[4] for stack in root.stacks), sum(stack[5] for stack in root.stacks)
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


def _steps(view: View, numbers: dict[Frame, int]) -> Steps:
    """Number the frames of a view, after those that have numbers."""
    for frame in view.numbered_frames:
        numbers.setdefault(frame, len(numbers))
    return {key: [numbers[frame] for frame in reversed(frames)] for key, frames in view.frames.items()}


def _smallest_first(groups: Mapping[int, _Group]) -> list[tuple[int, _Group]]:
    """As they are taken from the end."""
    return sorted(groups.items(), key=lambda item: item[1].size)
