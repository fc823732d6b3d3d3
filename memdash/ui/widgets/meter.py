"""A share of one as a bar."""

from __future__ import annotations

from memdash.ui.glyphs import UNICODE, Glyphs

__all__ = ["meter"]


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
