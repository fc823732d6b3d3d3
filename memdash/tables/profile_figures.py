"""What a view of a profile holds: values as everywhere in the dashboard, shares as ``go tool pprof`` has them.

The verbs print what pprof prints, to the letter (``pprof.text``).
"""

from __future__ import annotations

from memdash.pprof.measure import percentage, scale
from memdash.tables.table import Cell, Tone
from memdash.units import Unit, figure, signed

__all__ = ["SHARE_CELLS", "VALUE_CELLS", "ProfileFigures", "standing", "word_cell"]

SHARE_CELLS = 8
VALUE_CELLS = 10
"""What the longest value takes: ``+412.6 MiB``, ``-9 999 999``."""

_MANY_TIMES, _VERY_MANY_TIMES, _MOST_TIMES = 99.99995, 9999.995, 999_999
_BASES = {"B": (Unit.BYTES, 1.0), "s": (Unit.NANOSECONDS, 1e9)}
"""What pprof's units come down to, and how many of ours that is."""


class ProfileFigures:
    """Writes values of one kind; ``unit`` is pprof's word for theirs, ``total`` is what shares are of."""

    def __init__(self, unit: str, total: int, *, is_signed: bool = False) -> None:
        self.total = total
        one, base = scale(1, unit, "count")
        self._unit, per_base = _BASES.get(base, (Unit.COUNT, 1.0))
        self._factor = one * per_base
        self._is_signed = is_signed

    def value(self, value: int) -> str:
        """A value, with its sign where values are changes: ``188.2 MiB``, ``+12.0 MiB``."""
        return self.change(value) if self._is_signed else self.amount(value)

    def amount(self, value: int) -> str:
        """A value that is no change: ``188.2 MiB``, ``0 B``."""
        return figure(value * self._factor, self._unit)

    def change(self, value: int) -> str:
        """A value that is one: ``+12.0 MiB``, ``0``."""
        return signed(value * self._factor, self._unit)

    def share(self, value: int, of: int | None = None) -> str:
        """Its share of the total, or of another value, in eight cells: ``4.20%``; nothing where there is no whole.

        A change may be many times what there was: ``1141.05%``, ``42000%``, ``×12000``.
        """
        whole = self.total if of is None else of
        if not whole:
            return ""
        times = abs(value / whole)
        if times < _MANY_TIMES:
            return percentage(value, whole).strip()
        if times < _VERY_MANY_TIMES:
            return f"{times:.0%}"
        return f"×{times:.0f}" if times < _MOST_TIMES else f"×{times:.0e}"

    def cell(self, value: int, tone: Tone = Tone.PLAIN) -> Cell:
        """A cell of that value, nothing being ``0``; a change says by its tone which way it goes."""
        if self._is_signed:
            tone = Tone.of_change(value)
        return Cell(self.value(value), tone, sort=value) if value else Cell("0", Tone.FAINT, sort=value)


def standing(now: int, before: int) -> str:
    """The word for what was not there before, or is not there any more."""
    if now and not before:
        return "new"
    return "gone" if before and not now else ""


def word_cell(word: str) -> Cell:
    """A cell of that word."""
    return Cell(word, Tone.GROWS if word == "new" else Tone.SHRINKS)
