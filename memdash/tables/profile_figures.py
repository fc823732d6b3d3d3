"""What a view of a profile holds, in figures that can be held against ``go tool pprof``.

One unit for all values, chosen as pprof chooses it, and its two decimals; the unit's name is the house's.
"""

from __future__ import annotations

from collections.abc import Iterable

from memdash.pprof.measure import aligned, output_unit, percentage
from memdash.tables.table import Cell, Tone

__all__ = ["ProfileFigures", "standing", "word_cell"]


class ProfileFigures:
    """Writes values of one kind. ``values`` are those that the unit is chosen for, ``total`` is what shares are of."""

    def __init__(self, unit: str, total: int, values: Iterable[int], *, is_signed: bool = False) -> None:
        self.total = total
        self._from = unit
        self._unit = output_unit(values, total, unit)
        self._is_signed = is_signed

    def width_of(self, values: Iterable[int]) -> int:
        """Cells that the longest of these values takes."""
        kept = [*values] or [0]
        return max(len(self.value(least_or_most)) for least_or_most in (min(kept), max(kept)))

    def value(self, value: int) -> str:
        """A value, with its sign where values are changes: ``188.20 MiB``, ``+12.00 MiB``."""
        text = self.amount(value)
        return f"+{text}" if self._is_signed and value > 0 and text != "0" else text

    def amount(self, value: int) -> str:
        """A value that is no change."""
        return aligned(value, self._from, self._unit)

    def share(self, value: int, of: int | None = None) -> str:
        """Its share of the total, or of another value: ``4.20%``; nothing where there is no whole."""
        whole = self.total if of is None else of
        return percentage(value, whole).strip() if whole else ""

    def cell(self, value: int, tone: Tone = Tone.PLAIN) -> Cell:
        """A cell of that value; a change says by its tone which way it goes."""
        if self._is_signed:
            tone = Tone.GROWS if value > 0 else Tone.SHRINKS if value < 0 else Tone.FAINT
        return Cell(self.value(value), tone if value else Tone.FAINT, sort=value)


def standing(now: int, before: int) -> str:
    """The word for what was not there before, or is not there any more."""
    if now and not before:
        return "new"
    return "gone" if before and not now else ""


def word_cell(word: str) -> Cell:
    """A cell of that word."""
    return Cell(word, Tone.GROWS if word == "new" else Tone.SHRINKS)
