"""Boxes in boxes: a tree of weights, as an icicle shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Boxes", "end_of", "parents_of"]

_MOST = 0.75


def parents_of(depths: Iterable[int]) -> list[int]:
    """What each hangs on, of things in preorder, each at one depth more than that; -1 where it hangs on nothing."""
    parents: list[int] = []
    above: list[int] = []
    for index, depth in enumerate(depths):
        del above[depth:]
        parents.append(above[-1] if above else -1)
        above.append(index)
    return parents


def end_of(depths: Sequence[int], at: int) -> int:
    """The first after ``at`` that does not hang on it."""
    return next((index for index in range(at + 1, len(depths)) if depths[index] <= depths[at]), len(depths))


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Box 0 is the root and has parent -1; each comes after its parent, at one ``depth`` more.

    ``inner`` are those right inside a box, in their order. Together with its part of ``rests``, what is in it but too
    small to be told one by one, they weigh no more than the box.
    """

    parents: Sequence[int]
    depths: Sequence[int]
    inner: Sequence[Sequence[int]]
    weights: Sequence[int]
    rests: Sequence[int]

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, int]]) -> Boxes:
        """From rows (depth, least weight, what is in no inner box, rest) in preorder: the root, then its branches.

        A box weighs at least what is in it: where some of that has grown and some has shrunk, more than it says itself.
        """
        depths: list[int] = []
        weights: list[int] = []
        rests: list[int] = []
        contents: list[int] = []
        for depth, weight, own, rest in rows:
            depths.append(depth)
            weights.append(weight)
            rests.append(rest)
            contents.append(own + rest)
        parents = parents_of(depths)
        inner: list[list[int]] = [[] for _ in parents]
        for index, parent in enumerate(parents):
            if parent >= 0:
                inner[parent].append(index)
        for index in range(len(parents) - 1, -1, -1):
            weights[index] = max(weights[index], contents[index])
            if index:
                contents[parents[index]] += weights[index]
        return cls(parents, depths, inner, weights, rests)

    def path(self, box: int) -> list[int]:
        """The boxes from the root to ``box``, both included."""
        found = []
        while box >= 0:
            found.append(box)
            box = self.parents[box]
        return found[::-1]

    def trunk_end(self) -> int:
        """The innermost box with three quarters of all: outside of it there is little to compare."""
        box, least = 0, _MOST * self.weights[0]
        while inner := self.inner[box]:
            heaviest = max(inner, key=self.weights.__getitem__)
            if self.weights[heaviest] < least:
                break
            box = heaviest
        return box

    def end(self, box: int) -> int:
        """The first box after ``box`` that is not in it."""
        return end_of(self.depths, box)
