"""A flame of a profile as boxes, and what is said of each: how much, which share, what has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from memdash.pprof.flame import Flame, FlameRow
from memdash.pprof.view import Frame, View
from memdash.tables.boxes import Boxes, end_of, parents_of
from memdash.tables.profile_figures import ProfileFigures, standing
from memdash.tables.table import Cell, Tone
from memdash.units import count, ratio

__all__ = ["FlameChart", "Matches", "grafted"]

_ALL = Frame("all")
_LINES_NAMED = 3
_MUCH, _SOME = 0.1, 0.01
"""Changes of so much of all that is held are told apart."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The boxes that a search found, in the order that they are drawn in, and their share of all in words."""

    wanted: str = ""
    boxes: tuple[int, ...] = ()
    words: str = ""


def grafted(rows: Sequence[FlameRow], path: Sequence[Frame], branch: Flame) -> Sequence[FlameRow]:
    """The rows with those of ``branch``, a closer look at what begins with ``path``, in place of what they have there.

    They stay as they are when they have no such path.
    """
    at, depth = -1, 0
    for index, row in enumerate(rows):
        if depth == len(path) or row.depth < depth:
            break
        if row.depth == depth and row.frame == path[depth]:
            at, depth = index, depth + 1
    if not path or depth < len(path) or len(branch.rows) < len(path):
        return rows
    end = end_of([row.depth for row in rows], at)
    return (*rows[:at], *branch.rows[len(path) - 1 :], *rows[end:])


class FlameChart:
    """The boxes of a ``view`` of which ``flame`` was made; box 0 is all of it.

    With ``before``, the same view of the baseline, each box also says what has changed, and is as wide as the larger of
    now and then: what has gone is still to be seen. ``since`` says in words what it is compared with.
    """

    def __init__(self, view: View, before: View | None, flame: Flame, since: str = "") -> None:
        self._view = view
        self._before = before
        self._since = since
        self._figures = ProfileFigures(view.sample_type.unit, view.total)
        own = flame.total - sum(row.held for row in flame.rows if not row.depth)
        root = FlameRow(0, _ALL, flame.total, 0, flame.base_total)
        self._rows = (root, *(row._replace(depth=row.depth + 1) for row in flame.rows))
        rests = self._rests(own)
        self.boxes = Boxes.of(
            (row.depth, max(abs(row.held), abs(row.base)), abs(row.own), rest)
            for row, rest in zip(self._rows, rests, strict=True)
        )

    def _rests(self, own_of_all: int) -> list[int]:
        """What each holds neither itself nor in a box of its own: what was too small."""
        rests = [max(row.held - row.own, 0) for row in self._rows]
        for row, parent in zip(self._rows, parents_of(row.depth for row in self._rows), strict=True):
            if parent >= 0:
                rests[parent] -= row.held
        rests[0] = own_of_all
        return [max(rest, 0) for rest in rests]

    # What it is of

    @property
    def is_differential(self) -> bool:
        """Whether it has anything to compare with."""
        return self._before is not None

    # One box

    def frame(self, box: int) -> Frame:
        """What the box is."""
        return self._rows[box].frame

    def name(self, box: int) -> str:
        """Its function."""
        return self._rows[box].frame.text

    def package(self, box: int) -> str:
        """What it belongs to: a package of Go's, a module of Python's."""
        name = self.name(box)
        file = self._places.get(self.frame(box).name, ("", ()))[0]
        if file.endswith((".py", ".pyx")):
            return file
        folder, _, last = name.partition("(")[0].partition("[")[0].rpartition("/")
        return f"{folder}/{last.partition('.')[0]}"

    def change(self, box: int) -> int:
        """How it has changed: from -3, shrunk by much, over 0 to 3, grown by much."""
        row, whole = self._rows[box], max(abs(self._rows[0].held), abs(self._rows[0].base), 1)
        change = row.held - row.base if self.is_differential else 0
        size = abs(change) / whole
        level = 3 if size >= _MUCH else 2 if size >= _SOME else 1
        return (change > 0) * level - (change < 0) * level

    def share(self, box: int) -> str:
        """Its share of all, filters aside."""
        return self._share(self._rows[box].held)

    def figures(self, box: int) -> tuple[str, ...]:
        """What may stand in the box beside its name, the widest first: what has changed, or share and size."""
        row = self._rows[box]
        if not self.is_differential:
            return f"{self.share(box)}  {self._figures.amount(row.held)}", self.share(box)
        if row.held == row.base:
            return "= same", "="
        change = self._figures.change(row.held - row.base)
        return f"{change} {standing(row.held, row.base)}".rstrip(), change

    def sign(self, box: int) -> str:
        """A glyph for the way it has changed."""
        change = self.change(box)
        return "▲" if change > 0 else "▼" if change < 0 else ""

    def where(self, box: int) -> str:
        """The file and the lines, as far as they are known."""
        frame = self.frame(box)
        if frame.file:
            return ""  # it is part of the name
        file, lines = self._places.get(frame.name, ("", ()))
        if not file or not lines:
            return file
        if len(lines) > _LINES_NAMED:
            return f"{file}:{lines[0]} and {len(lines) - 1} more lines"
        return f"{file}:{', '.join(map(str, lines))}"

    def place(self, box: int) -> str:
        """The same in short."""
        file, lines = self._places.get(self.frame(box).name, ("", ()))
        name = file.rpartition("/")[2]
        more = f" +{len(lines) - 1}" if len(lines) > 1 else ""
        return f"{name}:{lines[0]}{more}" if name and lines else name

    def told(self, box: int) -> list[Cell]:
        """Its figures in words."""
        row = self._rows[box]
        cells = self._held_cells(row.held)
        if row.own or (box and not self.is_differential):
            cells += [Cell("   own ", Tone.FAINT), Cell(self._figures.amount(row.own))]
        return [*cells, *self._changed(row.held, row.base)]

    def told_of_several(self, box: int, first: int, last: int) -> list[Cell]:
        """The same of several boxes in ``box``, those at these places, of which a place after the last is the rest."""
        inner = self.boxes.inner[box]
        rows = [self._rows[one] for one in inner[first:last]]
        rest = self.boxes.rests[box] if last > len(inner) else 0
        held, base = sum(row.held for row in rows) + rest, sum(row.base for row in rows)
        if rest:
            words = f"   {self._figures.amount(rest)} of it in what is too small to be told"
            return [*self._held_cells(held), Cell(words, Tone.FAINT)]
        return [*self._held_cells(held), *self._changed(held, base)]

    def _held_cells(self, held: int) -> list[Cell]:
        return [
            Cell("held "),
            Cell(self._figures.amount(held), Tone.STRONG),
            Cell(f"  {self._share(held)} of all"),
        ]

    def _changed(self, held: int, base: int) -> list[Cell]:
        if not self.is_differential:
            return []
        if held == base:
            return [Cell(f"   unchanged {self._since}", Tone.FAINT)]
        sign, usual, tone = ("▲", "grew", Tone.GROWS) if held > base else ("▼", "shrank", Tone.SHRINKS)
        word = standing(held, base) or usual
        was = f" from {self._figures.amount(base)}" if base else ""
        return [
            Cell(f"   {sign} {word} {self._figures.change(held - base)}", tone),
            Cell(f"{was} {self._since}", Tone.FAINT),
        ]

    def _share(self, held: int) -> str:
        return ratio(held / self._view.total) if self._view.total else ""

    @cached_property
    def _places(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """By function: its file, and the lines of it that stacks go through."""
        files: dict[str, str] = {}
        lines: dict[str, set[int]] = {}
        for view in (self._view, self._before):
            for location in view.document.locations.values() if view is not None else ():
                for line in location.lines:
                    name = line.function.name
                    files.setdefault(name, line.function.file)
                    if line.line > 0:
                        lines.setdefault(name, set()).add(line.line)
        return {name: (file, tuple(sorted(lines.get(name, ())))) for name, file in files.items()}

    def warm(self) -> None:
        """Work out what takes long now, on a thread that may."""
        _ = self._places

    # From one flame to the next

    def path(self, box: int) -> tuple[Frame, ...]:
        """The frames from the outermost to that of ``box``; empty for all."""
        return tuple(self.frame(one) for one in self.boxes.path(box)[1:])

    def find(self, path: Iterable[Frame]) -> int:
        """The box that this path leads to, or as far towards it as there are boxes."""
        box = 0
        for frame in path:
            into = next((one for one in self.boxes.inner[box] if self.frame(one) == frame), -1)
            if into < 0:
                break
            box = into
        return box

    def first(self, frame: Frame) -> int:
        """The largest box of a function among those nearest to the root; all, where there is none."""
        boxes = [box for box in range(1, len(self._rows)) if self.frame(box) == frame]
        return min(boxes, key=lambda box: (self.boxes.depths[box], -self.boxes.weights[box]), default=0)

    def hides_much(self, box: int, below: float) -> bool:
        """Whether a box has less than so much of all, and in it things that were too small to be told."""
        boxes = self.boxes
        return boxes.weights[box] < below * boxes.weights[0] and any(boxes.rests[box : boxes.end(box)])

    def search(self, wanted: str) -> Matches:
        """The boxes whose name contains a text, whatever its case; nothing when it is empty.

        Functions that have no box, for being too small, are counted.
        """
        needle = wanted.casefold()
        if not needle:
            return Matches()
        found = tuple(box for box in range(1, len(self._rows)) if needle in self.name(box).casefold())
        held, end = 0, 0
        for box in found:  # what is in a box that matches is counted with that
            if box >= end:
                held += self._rows[box].held
                end = self.boxes.end(box)
        small = self._too_small(needle, found)
        if found:
            noun = "frame matches" if len(found) == 1 else "frames match"
            words = f"{count(len(found))} {noun} {wanted!r}, {self._share(held)} of all"
            return Matches(wanted, found, f"{words}, {small} more too small" if small else words)
        if not small:
            return Matches(wanted, (), f"no frame contains {wanted!r}")
        return Matches(wanted, (), f"{wanted!r} is only in frames too small to be drawn ({small}): F focuses on them")

    def _too_small(self, needle: str, found: Iterable[int]) -> str:
        """How many functions contain a text and have no box; empty when there are none."""
        drawn = {self.frame(box) for box in found}
        views = [view for view in (self._view, self._before) if view is not None]
        frames = {frame for view in views for frame in view.numbered_frames if needle in frame.text.casefold()}
        missing = len(frames - drawn)
        return count(missing) if missing else ""
