"""Live objects by type: one row a type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from memdash.model.missing import Missing, begun
from memdash.model.objects import TypeCount
from memdash.model.snapshot import ObjectGroup, Snapshot
from memdash.tables.figures import UNCHANGED
from memdash.tables.table import Cell, Column, Row, Table, Tone
from memdash.units import Unit, count, figure, signed

__all__ = ["TITLE", "ObjectMeasure", "ObjectOrder", "objects_table", "read_once"]

TITLE = "Live objects by type"

_ROWS_AT_MOST = 500
"""Ten thousand types are searched, not scrolled."""


class ObjectMeasure(Enum):
    """What the rows are measured by: (word, field of TypeCount, unit)."""

    BYTES = ("bytes", "held_bytes", Unit.BYTES)
    OBJECTS = ("objects", "objects", Unit.COUNT)

    @property
    def label(self) -> str:
        """Its word."""
        return self.value[0]

    @property
    def unit(self) -> Unit:
        """What it counts."""
        return self.value[2]

    @property
    def other(self) -> ObjectMeasure:
        """The one that it is not."""
        return ObjectMeasure.OBJECTS if self is ObjectMeasure.BYTES else ObjectMeasure.BYTES

    def of(self, row: TypeCount) -> int:
        """Its figure in ``row``."""
        figure_now: int = getattr(row, self.value[1])
        return figure_now


class ObjectOrder(Enum):
    """What the rows are sorted by; the value is the column's key."""

    FIGURE = "figure"
    OTHER = "other"
    CHANGE = "change"
    OTHER_CHANGE = "other_change"
    TYPE = "type"


def objects_table(
    snapshot: Snapshot,
    measure: ObjectMeasure = ObjectMeasure.BYTES,
    order: ObjectOrder = ObjectOrder.FIGURE,
    reverse: bool = False,
    wanted: str = "",
) -> Table:
    """Figure, share of all objects, bar, the other figure, both changes since the baseline, course in bytes, type.

    ``wanted`` keeps the types whose name contains it, whatever its case. Figures come first from large to small, names
    from A to Z; ``reverse`` turns that round. What has no object and had none is left out. Below the rows stands what
    would tell where objects are allocated.
    """
    groups, columns = snapshot.objects, _columns(measure)
    hint = begun(snapshot.groups.hint) if isinstance(snapshot.groups, Missing) else ""
    if isinstance(groups, Missing):
        return Table(TITLE, columns, (), groups.words, hint)
    total = sum(measure.of(group.now) for group in groups)
    needle = wanted.casefold()
    shown = [group for group in groups if (any(group.now[1:]) or any(group.change[1:])) and _has(group, needle)]
    key, downwards = _keys(measure)[order]
    shown.sort(key=key, reverse=downwards is not reverse)
    shown = shown[:_ROWS_AT_MOST]
    largest = max((measure.of(group.now) for group in shown), default=0)
    is_first = read_once(groups)
    rows = tuple(_row(group, measure, total, largest, is_first=is_first) for group in shown)
    return Table(TITLE, columns, rows, f"no type matches {wanted!r}" if wanted else "no objects yet", hint)


def read_once(groups: Iterable[ObjectGroup]) -> bool:
    """Whether there has been one reading only, which says nothing of changes."""
    return all(len(group.trend) <= 1 and not any(group.change[1:]) for group in groups)


def _has(group: ObjectGroup, needle: str) -> bool:
    return needle in group.now.name.casefold()


def _keys(measure: ObjectMeasure) -> dict[ObjectOrder, tuple[Callable[[ObjectGroup], float | str], bool]]:
    """Sort key and whether large comes first, by order."""
    other = measure.other
    return {
        ObjectOrder.FIGURE: (lambda group: measure.of(group.now), True),
        ObjectOrder.OTHER: (lambda group: other.of(group.now), True),
        ObjectOrder.CHANGE: (lambda group: measure.of(group.change), True),
        ObjectOrder.OTHER_CHANGE: (lambda group: other.of(group.change), True),
        ObjectOrder.TYPE: (lambda group: group.now.name, False),
    }


def _columns(measure: ObjectMeasure) -> tuple[Column, ...]:
    return (
        Column("figure", measure.label, 10, right=True),
        Column("share", "%", 3, right=True),
        Column("bar", "", 12, least=5),
        Column("other", measure.other.label, 10, right=True, drop=2),
        Column("change", f"Δ {measure.label}", 11, right=True),
        Column("other_change", f"Δ {measure.other.label}", 11, right=True, drop=3),
        Column("trend", "trend", 12, least=6, drop=4),
        Column("type", "type", 0, cut="start", least=24),
    )


def _row(group: ObjectGroup, measure: ObjectMeasure, total: int, largest: int, *, is_first: bool) -> Row:
    return Row(group.now.name, lambda: _cells(group, measure, total, largest, is_first=is_first))


def _cells(group: ObjectGroup, measure: ObjectMeasure, total: int, largest: int, *, is_first: bool) -> tuple[Cell, ...]:
    value, other = measure.of(group.now), measure.other.of(group.now)
    share = 100 * value / total if total else 0.0
    return (
        Cell(figure(value, measure.unit), Tone.STRONG, sort=value),
        Cell(count(round(share)), sort=share),
        Cell(bar=value / largest if largest > 0 else 0.0),
        Cell(figure(other, measure.other.unit), sort=other),
        UNCHANGED if is_first else _change(measure.of(group.change), measure.unit),
        UNCHANGED if is_first else _change(measure.other.of(group.change), measure.other.unit),
        Cell(spark=tuple(map(float, group.trend))),
        Cell(group.now.name, sort=group.now.name),
    )


def _change(value: int, unit: Unit) -> Cell:
    return Cell(signed(value, unit), Tone.of_change(value), sort=value)
