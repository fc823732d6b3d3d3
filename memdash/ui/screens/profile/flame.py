"""The flame graph, root at the top: what is held through each call, and what of it has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar
from zlib import crc32

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer

from memdash.plain import plain
from memdash.pprof.flame import Flame, FlameRow, flame
from memdash.pprof.view import Frame, View
from memdash.pprof.within import within
from memdash.tables.profile_flame import FlameChart, Matches, grafted
from memdash.tables.table import Cell
from memdash.ui.command import FLAME, ICICLE, PROFILE, Command
from memdash.ui.commands import bindings
from memdash.ui.screens.profile.screen import ProfileScreen
from memdash.ui.screens.profile.study import Lens, Sight, Study
from memdash.ui.theme import BOXES
from memdash.ui.widgets.box_cursor import BoxCursor, Choice
from memdash.ui.widgets.cut import cut, width_of
from memdash.ui.widgets.icicle import Face, Icicle
from memdash.ui.widgets.tiles import Zoom
from memdash.ui.widgets.words import Part, WordLine

__all__ = ["FlameScreen"]

_NODE_FRACTION = 0.002
"""What holds less is left out: half a cell of 250. Of a branch that is zoomed into it is as much of that."""

_CLOSER_BELOW = 0.5
"""A branch with less than so much of all is looked into once more, for what is wide enough now."""

_FOLLOW_EVERY_S = 2.0
_LEAST_FOR_A_PATH = 8

_IDLE = frozenset({"whole", "shares"})
"""Commands of other views that change nothing here: what is too small shows when it is zoomed into."""


@dataclass(frozen=True, slots=True)
class _Coarse:
    """A flame as it is made first, and what of."""

    now: View
    before: View | None
    flame: Flame


class FlameScreen(ProfileScreen[FlameChart]):
    """An icicle, and below it what there is to say about the box that is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(FLAME)

    name_of_view = "flame"
    scopes = (PROFILE, FLAME, ICICLE)

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._icicle = Icicle(id="flame")
        self._title, self._figures, self._note = WordLine(id="what"), WordLine(id="told"), WordLine(id="note")
        self._chart: FlameChart | None = None
        self._matches = Matches()
        self._found: frozenset[int] = frozenset()
        self._zoomed: tuple[tuple[Frame, ...], ...] = ()
        self._following: Timer | None = None

    @property
    def title_of_view(self) -> str:
        """The same for all."""
        return "Flame"

    @property
    def main(self) -> Icicle:
        """The boxes."""
        return self._icicle

    def compose(self) -> ComposeResult:
        """The boxes, two lines about one of them, what is to be known of the profile, the keys."""
        self._note.display = False
        yield self._icicle
        yield self._title
        yield self._figures
        yield self._note
        yield self._keys

    # Making it

    def build(self, sight: Sight) -> FlameChart:
        """Put the stacks together, and more closely what is zoomed into."""
        coarse = sight.kept("flame", lambda: _coarse(sight))
        rows: Sequence[FlameRow] = coarse.flame.rows
        for path in self._zoomed:
            rows = grafted(rows, path, _flame(coarse.now, coarse.before, path, _fraction(sight.lens)))
        chart = FlameChart(coarse.now, coarse.before, replace(coarse.flame, rows=tuple(rows)), sight.moment.since)
        chart.warm()
        return chart

    def present(self, built: FlameChart) -> None:
        """Show it, with the cursor and the zoom where they were."""
        before, cursor = self._chart, self._icicle.cursor
        zooms: list[Zoom] = []
        chosen = Choice()
        if before is not None:
            boxes = [built.find(path) for path in self._zoomed if len(built.path(built.find(path))) == len(path)]
            zooms = [Zoom(box) for box in boxes]
            chosen = Choice(built.find(before.path(cursor.chosen.box)))
        elif self.study.frame is not None:
            chosen = Choice(built.first(self.study.frame))
        self._chart = built
        self._matches = built.search(self.wanted)
        self._found = frozenset(self._matches.boxes)
        self._note.display = bool(self.caption.notes)
        self._note.say([Part(f" {'; '.join(self.caption.notes)}", "faint")])
        empty = "" if built.boxes.weights[0] else "nothing is held"
        self._icicle.show_boxes(BoxCursor(built.boxes, zooms, chosen), self._face, empty)
        if before is None and not chosen.box:
            self._icicle.begin()
        self._tell()

    def _face(self, box: int) -> Face:
        chart = self._chart
        assert chart is not None  # noqa: S101 - for the type checker: faces are of what is shown
        return Face(chart.name(box), chart.figures(box), chart.place(box), *self._look(chart, box))

    def _look(self, chart: FlameChart, box: int) -> tuple[str, str]:
        """How it is filled, and the sign it begins with."""
        if box in self._found:
            return "found", "◆"
        change = chart.change(box)
        if chart.is_differential and change:
            return f"{'grew' if change > 0 else 'shrank'}-{abs(change)}", chart.sign(box)
        if chart.is_differential or not box:
            return "same", ""
        return BOXES[crc32(chart.package(box).encode(errors="replace")) % len(BOXES)], ""

    # What is said about it

    @on(Icicle.Moved)
    def _moved(self, moved: Icicle.Moved) -> None:
        chart = self._chart
        if chart is None:
            return
        if moved.zoomed:
            self._zoomed = tuple(chart.path(zoom.box) for zoom in self._icicle.cursor.zooms if not zoom.is_of_some)
            if self._zoomed and chart.hides_much(self._icicle.cursor.zoom.box, _CLOSER_BELOW):
                self.rebuild()
        self._tell()

    def _tell(self) -> None:
        """Say what the cursor is on, and how the boxes are to be read."""
        chart, cursor = self._chart, self._icicle.cursor
        if chart is None or not cursor.levels:
            return
        box, place = cursor.chosen
        found = cursor.found
        if place >= 0 and found is not None:
            tile = found[1]
            self._title.say([Part(" narrower than a cell ", "strong"), Part(f"in {chart.name(box)}", "faint")])
            told = chart.told_of_several(box, tile.first, tile.last)
        else:
            name = f" {plain(chart.name(box))}  "
            room = self._title.inner.width - width_of(name) - 1
            where = cut(plain(chart.where(box)), room, "start") if room >= _LEAST_FOR_A_PATH else ""
            self._title.say([Part(name, "strong"), Part(where, "faint")])
            told = chart.told(box)
        self._figures.say([Part(" "), *map(_part, told)])
        self.entitle(self._remark(chart))

    def _remark(self, chart: FlameChart) -> str:
        cursor = self._icicle.cursor
        parts = [self._matches.words]
        if self._following is not None:
            parts.append("following")
        if not self._matches.words:
            parts.append("▲ grew · ▼ shrank · = same" if chart.is_differential else "one colour a package")
        if len(cursor.in_view) < cursor.levels:
            parts.append(f"levels {cursor.in_view.start + 1}–{cursor.in_view.stop} of {cursor.levels}")
        return " · ".join(part for part in parts if part)

    def say(self, words: str) -> None:
        """Why there is nothing to show stands where it would be."""
        if self._chart is None:
            self._icicle.show_boxes(self._icicle.cursor, self._face, words)
        self.entitle("" if self._chart is None else words)

    @property
    def chosen(self) -> Frame | None:
        """The frame of the box under the cursor."""
        box = self._icicle.cursor.chosen.box
        return self._chart.frame(box) if self._chart is not None and box else None

    @property
    def words(self) -> str:
        """The stack down to the box, outermost first."""
        if self._chart is None:
            return ""
        return "\n".join(plain(frame.text) for frame in self._chart.path(self._icicle.cursor.chosen.box))

    # What a person does

    def offers(self, command: Command) -> bool:
        """Whether a command can do anything here."""
        return super().offers(command) and command.action not in _IDLE

    def action_leave(self) -> None:
        """Out of a search, out of a zoom, back to where the view was opened from."""
        if self.wanted or not self._icicle.zoom_out():
            super().action_leave()

    def action_zoom_out(self) -> None:
        """Undo the last zoom."""
        self._icicle.zoom_out()

    def action_follow(self) -> None:
        """Take the newest profile again and again, or stop that. It ends with the target."""
        if self._following is None and not self.study.is_over:
            self._following = self.set_interval(_FOLLOW_EVERY_S, self._follow)
            self._follow()
        else:
            self._stop_following()
        self._tell()

    def _follow(self) -> None:
        if self.study.has_newer and not self.is_being_built:
            self.rebuild(newest=True)
        elif self.study.is_over:
            self._stop_following()
            self._tell()

    def _stop_following(self) -> None:
        if self._following is not None:
            self._following.stop()
            self._following = None

    def search(self) -> None:
        """Mark what contains the text ``wanted``."""
        if self._chart is not None:
            self._matches = self._chart.search(self.wanted)
            self._found = frozenset(self._matches.boxes)
            self._icicle.look_again()
            self._tell()

    def match(self, step: int) -> None:
        """Go to the next (1) or previous (-1) frame that matches."""
        boxes, here = self._matches.boxes, self._icicle.cursor.chosen.box
        if boxes:
            ahead = [box for box in boxes if (box - here) * step > 0]
            self._icicle.choose(Choice(ahead[0 if step > 0 else -1] if ahead else boxes[0 if step > 0 else -1]))


def _coarse(sight: Sight) -> _Coarse:
    now, before = sight.view_now(), sight.view_before()
    return _Coarse(now, before, _flame(now, before, (), _fraction(sight.lens)))


def _fraction(lens: Lens) -> float:
    return _NODE_FRACTION if lens.node_fraction is None else lens.node_fraction


def _flame(now: View, before: View | None, path: tuple[Frame, ...], fraction: float) -> Flame:
    return flame(within(now, path, fraction), None if before is None else within(before, path, fraction))


def _part(cell: Cell) -> Part:
    return Part(cell.text, cell.tone.value)
