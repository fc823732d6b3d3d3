"""What there is to say about one type: its live objects, and their course."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.snapshot import ObjectGroup, Snapshot
from memdash.tables.since import since_words
from memdash.ui.screens.detail import TextScreen
from memdash.ui.screens.lines import folded
from memdash.ui.widgets.spark import sparkline
from memdash.ui.widgets.words import Part
from memdash.units import Unit, byte_size, count, ratio, signed

__all__ = ["TypeScreen"]

_LABEL_CELLS = 17
_WHAT_COUNTS = (
    "Each object counts with the block of memory that holds it, and not with what it refers to: the items of a list "
    "count by themselves; its array, like the table of a dict, is no object."
)


class TypeScreen(TextScreen):
    """One type: its whole name, what its objects hold, how that changed, and what is not counted."""

    def __init__(self, snapshot: Snapshot, name: str) -> None:
        super().__init__("Live objects of one type")
        self._snapshot = snapshot
        self._type = name

    def lines(self, width: int) -> Sequence[Sequence[Part]]:
        """Figures first, then their course, then the caveats."""
        groups = self._snapshot.objects
        found = () if isinstance(groups, Missing) else groups
        group = next((group for group in found if group.now.name == self._type), None)
        lines = [*folded(self._type, width, "strong"), []]
        if group is None:
            return [*lines, [Part("no objects of this type are counted any more", "faint")]]
        total = sum(other.now.held_bytes for other in found) or 1
        lines += [
            self._line("holds now", byte_size(group.now.held_bytes), f"{ratio(group.now.held_bytes / total)} of all"),
            self._line("objects", count(group.now.objects), self._each(group)),
            *self._changes(group),
        ]
        return [*lines, *self._course(group, width), *self._caveats(width)]

    @staticmethod
    def _line(label: str, figure: str, more: str = "", look: str = "strong") -> list[Part]:
        return [Part(f"{label:<{_LABEL_CELLS}}", "faint"), Part(f"{figure:>14}", look), Part(f"  {more}", "faint")]

    @staticmethod
    def _each(group: ObjectGroup) -> str:
        return f"{byte_size(group.now.held_bytes / group.now.objects)} each" if group.now.objects else ""

    def _changes(self, group: ObjectGroup) -> list[list[Part]]:
        when = since_words(self._snapshot, Capability.OBJECTS)
        if not when:
            return []
        changes = (
            ("change", signed(group.change.held_bytes, Unit.BYTES), group.change.held_bytes),
            ("", signed(group.change.objects, Unit.COUNT), group.change.objects),
        )
        looks = ["grows" if change > 0 else "shrinks" if change < 0 else "faint" for _, _, change in changes]
        (label, size, _), (blank, number, _) = changes
        return [self._line(label, size, when, looks[0]), self._line(blank, number, "objects", looks[1])]

    def _course(self, group: ObjectGroup, width: int) -> list[list[Part]]:
        """The newest counts as a sparkline, with its ends and bounds in figures."""
        if not group.trend:
            return []
        drawn = sparkline([float(size) for size in group.trend], max(width - _LABEL_CELLS - 3, 10)).lstrip()
        bounds = f"{byte_size(min(group.trend))} to {byte_size(max(group.trend))}, {len(group.trend)} times counted"
        return [
            [],
            [Part(f"{'course':<{_LABEL_CELLS}}", "faint"), Part(drawn, "spark")],
            [Part(" " * _LABEL_CELLS), Part(bounds, "faint")],
        ]

    def _caveats(self, width: int) -> list[list[Part]]:
        origin = self._snapshot.sample.origins.get(Capability.OBJECTS)
        words = [_WHAT_COUNTS, *(() if origin is None else (f"{Missing('; '.join(origin.caveats)).words}.",))]
        return [[], *([Part(line, "faint")] for text in words for line in wrap(text, max(width, 20)))]
