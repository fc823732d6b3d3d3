"""What each function holds itself and with all that it calls, or how that has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from memdash.pprof.graph import held_by_frame
from memdash.pprof.top import Top, TopRow, top
from memdash.pprof.view import Frame, View
from memdash.tables.profile_figures import SHARE_CELLS, VALUE_CELLS, ProfileFigures, standing, word_cell
from memdash.tables.table import Cell, Column, Row, Table, Tone

__all__ = ["RankedTop", "TopOrder", "ranked_top", "top_remark", "top_table"]


class TopOrder(Enum):
    """What the rows are sorted by; the value is the column's key."""

    FLAT = "flat"
    CUM = "cum"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class RankedTop:
    """A top, its ``frames`` by their text, and what writes its figures.

    Of a difference also which functions are new in it, and which are gone; ``was_empty`` where nothing was held before:
    shares are of what changed then, as pprof's are.
    """

    top: Top
    frames: Mapping[str, Frame]
    figures: ProfileFigures
    is_difference: bool = False
    words: Mapping[Frame, str] = field(default_factory=dict)
    was_empty: bool = False


def ranked_top(view: View, now: View, before: View | None) -> RankedTop:
    """The top of a view; where ``before`` is given, ``view`` is the difference to it. Raises what ``top`` raises."""
    found = top(view)
    frames = {row.frame.text: row.frame for row in reversed(found.rows)}  # of two with one text, the first
    figures = ProfileFigures(view.sample_type.unit, view.total, is_signed=before is not None)
    if before is None:
        return RankedTop(found, frames, figures)
    held, was_held = held_by_frame(now), held_by_frame(before)
    words = {row.frame: standing(held.get(row.frame, 0), was_held.get(row.frame, 0)) for row in found.rows}
    words = {frame: word for frame, word in words.items() if word}
    return RankedTop(found, frames, figures, True, words, was_empty=not any(was_held.values()))


def top_table(ranked: RankedTop, order: TopOrder, reverse: bool, wanted: str, empty: str) -> Table:
    """A row a function whose name contains ``wanted``, whatever its case. Figures come from large to small.

    ``sum%`` adds up what stands above, as pprof does; ``empty`` are the words for no rows at all.
    """
    rows = tuple(_rows(ranked, order, reverse, wanted))
    if not rows and wanted and ranked.top.rows:
        empty = f"no function matches {wanted!r}"
    return Table("Top", _columns(has_words=bool(ranked.words)), rows, empty)


def top_remark(ranked: RankedTop, *, is_relative_to_base: bool) -> str:
    """How many of the functions are shown, and how much they hold together."""
    found, figures = ranked.top.graph, ranked.figures
    every = found.found + found.dropped
    functions = f"{len(ranked.top.rows)} of {every} functions" if found.dropped else f"{every} functions"
    share, total = figures.share(found.flat), figures.amount(figures.total)
    if not ranked.is_difference:
        return f"{functions}, {share or '0%'} of {total}"
    whole = "held then" if is_relative_to_base and not ranked.was_empty else "that changed"
    return f"{functions}, {figures.value(found.flat)} in all" + (f": {share} of {total} {whole}" if share else "")


def _columns(*, has_words: bool) -> tuple[Column, ...]:
    columns = (
        Column("flat", "flat", VALUE_CELLS, right=True),
        Column("flat%", "flat%", SHARE_CELLS, right=True, drop=3),
        Column("sum%", "sum%", SHARE_CELLS, right=True, drop=4),
        Column("cum", "cum", VALUE_CELLS, right=True, drop=1),
        Column("cum%", "cum%", SHARE_CELLS, right=True, drop=2),
        Column("bar", "", 10, least=4, drop=5),
        Column("word", "", 4),
        Column("function", "function", 0, cut="function", least=30),
    )
    return columns if has_words else tuple(column for column in columns if column.key != "word")


def _rows(ranked: RankedTop, order: TopOrder, reverse: bool, wanted: str) -> Iterator[Row]:
    needle = wanted.casefold()
    kept = [row for row in ranked.top.rows if needle in row.frame.text.casefold()]
    if order is TopOrder.CUM:
        kept.sort(key=lambda row: (-abs(row.cum), row.frame.text, -abs(row.flat)))
    elif order is TopOrder.FUNCTION:
        kept.sort(key=lambda row: row.frame.text)
    if reverse:
        kept.reverse()
    measured = [abs(row.cum if order is TopOrder.CUM else row.flat) for row in kept]
    most, running = max(measured, default=0), 0
    for row, size in zip(kept, measured, strict=True):
        running += row.flat
        yield _row(ranked, row, running, size / most if most else 0.0)


def _row(ranked: RankedTop, row: TopRow, running: int, bar: float) -> Row:
    def cells() -> tuple[Cell, ...]:
        figures = ranked.figures
        inlined = f" ({row.inlined})" if row.inlined else ""
        made: tuple[Cell, ...] = (
            figures.cell(row.flat, Tone.STRONG),
            Cell(figures.share(row.flat), Tone.FAINT),
            Cell(figures.share(running), Tone.FAINT),
            figures.cell(row.cum),
            Cell(figures.share(row.cum), Tone.FAINT),
            Cell(bar=bar),
        )
        if ranked.words:
            made += (word_cell(ranked.words.get(row.frame, "")),)
        return (*made, Cell(f"{row.frame.text}{inlined}"))

    return Row(row.frame.text, cells)
