"""The rows of a collector that works by generations (CPython's): how often each ran, and when it is due."""

from __future__ import annotations

from memdash.model.gc import GcStats, Generation
from memdash.model.missing import Maybe, Missing
from memdash.tables.figures import value_cell
from memdash.tables.table import DASH, Cell, Row, Tone
from memdash.units import Unit, count

__all__ = ["generation_rows"]


def generation_rows(gc: GcStats) -> tuple[Row, ...]:
    """What each generation did and waits for, how near the youngest is to its next run, and what all of them freed."""
    rows = [_row("to next GC", _to_next(gc.generations[0]))]
    rows += [_row(f"gen {generation.name}", _generation(generation)) for generation in gc.generations]
    rows.append(_row("freed", value_cell(sum(generation.collected for generation in gc.generations), Unit.COUNT)))
    stuck = sum(generation.uncollectable for generation in gc.generations)
    if stuck:
        rows.append(_row("uncollectable", value_cell(stuck, Unit.COUNT, Tone.WARNING)))
    if not isinstance(gc.tracked_objects, Missing):
        rows.append(_row("GC objects", value_cell(gc.tracked_objects, Unit.COUNT)))
    return tuple(rows)


def _row(name: str, cell: Cell) -> Row:
    return Row(name, (Cell(name, Tone.FAINT), cell))


def _to_next(youngest: Generation) -> Cell:
    """A threshold of 0 switches automatic collection off."""
    if isinstance(youngest.count, Missing) or isinstance(youngest.threshold, Missing) or not youngest.threshold:
        return Cell("")
    return Cell(bar=min(max(youngest.count / youngest.threshold, 0.0), 1.0))


def _generation(generation: Generation) -> Cell:
    """``4 183 · 312 of 700``: runs so far, and the count that starts the next one at its threshold."""
    runs = f"{count(generation.collections)} · {_count(generation.count)} of {_count(generation.threshold)}"
    return Cell(
        runs,
        sort=generation.collections,
        note=f"{count(generation.collected)} objects freed, {count(generation.uncollectable)} could not be",
    )


def _count(value: Maybe[int]) -> str:
    return DASH if isinstance(value, Missing) else count(value)
