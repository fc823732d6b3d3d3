"""What is said of one row in full: figures with their labels, and stacks with words of their own."""

from __future__ import annotations

from typing import NamedTuple

from memdash.model.profile import Frame
from memdash.tables.figures import UNCHANGED
from memdash.tables.table import DASH, Cell, Tone
from memdash.units import Unit, byte_size, count, ratio, signed

__all__ = ["STACKS_AT_MOST", "Held", "RowFigure", "RowStack", "RowStacks", "held_figures", "missing_figure"]

STACKS_AT_MOST = 50
"""There may be thousands: nobody reads further."""


class RowFigure(NamedTuple):
    """A line: one or two figures under each other's, or a text; ``more`` says what they are of, or since when."""

    label: str
    first: str = ""
    second: str = ""
    more: str = ""
    text: str = ""
    tone: Tone = Tone.PLAIN


class RowStack(NamedTuple):
    """Frames, innermost first, and what there is to say of them."""

    frames: tuple[Frame, ...]
    words: tuple[Cell, ...]


class RowStacks(NamedTuple):
    """The ``first`` of so many in all."""

    first: tuple[RowStack, ...]
    total: int


class Held(NamedTuple):
    """What a row holds, or by how much that has changed."""

    size_bytes: int
    objects: int


def missing_figure(label: str, why: str) -> RowFigure:
    """A dash that carries its reason."""
    return RowFigure(label, DASH, more=why)


def held_figures(
    held: Held, change: Held, total_bytes: int, of: str, since: str, *, is_first: bool
) -> tuple[RowFigure, ...]:
    """What a row holds, a share of ``total_bytes`` of all that ``of`` names; how that changed; what one object takes.

    Without a ``since`` nothing is said of changes; when it ``is_first``, the only reading, nothing is known of them.
    """
    share = ratio(held.size_bytes / (total_bytes or 1))
    lines = [
        RowFigure(
            "holds", byte_size(held.size_bytes), count(held.objects), f"objects, {share} of {of}", tone=Tone.STRONG
        )
    ]
    if is_first:
        lines.append(missing_figure("change", UNCHANGED.note))
    elif since:
        size, objects = signed(change.size_bytes, Unit.BYTES), signed(change.objects, Unit.COUNT)
        lines.append(RowFigure("change", size, objects, since, tone=Tone.of_change(change.size_bytes)))
    if held.objects:
        lines.append(RowFigure("each", byte_size(held.size_bytes / held.objects)))
    return tuple(lines)
