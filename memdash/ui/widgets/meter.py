"""A share of one as a bar, and a piece of one at its place."""

from __future__ import annotations

from memdash.ui.glyphs import UNICODE, Glyphs

__all__ = ["meter", "piece"]

_LEAST = 1e-9


def meter(share: float, width: int, glyphs: Glyphs = UNICODE) -> str:
    """A bar of ``share`` (0 to 1, clamped) of ``width`` cells, in steps of an eighth; not padded.

    Anything above zero shows at least the smallest step.
    """
    steps = len(glyphs.parts) + 1
    filled = round(min(max(share, 0.0), 1.0) * width * steps)
    if share > 0:
        filled = max(filled, 1)
    whole, part = divmod(filled, steps)
    return glyphs.full * whole + (glyphs.parts[part - 1] if part else "")


def piece(start: float, end: float, width: int, glyphs: Glyphs = UNICODE) -> tuple[int, str]:
    """The bar between two shares of ``width`` cells: how many cells stand before it, and its own, at least one.

    It begins at a half cell and ends at an eighth, as far as the glyphs go. One that goes back is drawn in whole cells.
    """
    low, high = (min(max(share, 0.0), 1.0) * width for share in sorted((start, end)))
    if end < start:
        first = min(round(low), width - 1)
        return first, glyphs.taken * max(round(high) - first, 1)
    first = min(int(low), width - 1)
    begins_late = low - first >= 0.5
    if high - first <= 1:
        if begins_late and glyphs.half:
            return first, glyphs.half
        return first, meter(max(high - first, _LEAST), 1, glyphs)
    if not begins_late:
        return first, meter(1.0, 1, glyphs) + meter((high - first - 1) / width, width, glyphs)
    rest = meter((high - first - 1) / width, width, glyphs)
    return (first, glyphs.half + rest) if glyphs.half else (first + 1, rest)
