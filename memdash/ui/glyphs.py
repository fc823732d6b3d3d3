"""The characters that things are drawn with: Unicode, or ASCII for terminals that have nothing else."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ASCII", "UNICODE", "Glyphs"]

# One character for one: a table laid out in Unicode keeps its columns.
_TO_ASCII = str.maketrans(
    {
        "\u202f": " ", "\u00a0": " ", "·": "-", "…": "~", "–": "-", "—": "-", "−": "-", "×": "x", "µ": "u",
        "Δ": "d", "●": "*", "▲": "!", "◌": "o", "◐": "?", "■": "#", "‖": "=", "✕": "x", "✓": "+", "▼": "v", "◆": "*",
        "┊": ":", "─": "-", "│": "|", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+",
        "┼": "+", "▬": "=", "←": "<", "→": ">", "↑": "^", "↓": "v", "’": "'", "“": '"', "”": '"', "≥": ">", "≤": "<",
        "▸": "+", "▾": "-", "◀": "<", "▶": ">", "━": "=", "█": "#", "┷": "^",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character set.

    ``steps`` are a sparkline's heights from low to high, ``level`` its line when nothing changes; ``full`` is a
    cell of a bar, ``parts`` are its last cell filling up, and ``half`` a first one that begins in its middle; ``taken``
    is a cell of a bar that takes away, ``mark`` a place on one. A box begins with its ``edge``, or the ``pointer`` at
    the one that is chosen; ``several`` fills what stands for many.
    """

    ascii: bool
    ellipsis: str
    steps: str
    level: str
    parts: str
    full: str
    half: str
    taken: str
    mark: str
    edge: str
    pointer: str
    several: str

    def text(self, text: str) -> str:
        """``text`` in this character set; what ASCII has no likeness for becomes ``?``."""
        if not self.ascii or text.isascii():
            return text
        return text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")


UNICODE = Glyphs(
    ascii=False, ellipsis="…", steps="▁▂▃▄▅▆▇█", level="─", parts="▏▎▍▌▋▊▉", full="█", half="▐", taken="░", mark="┊",
    edge="▏", pointer="▶", several="┊",
)  # fmt: skip
ASCII = Glyphs(
    ascii=True, ellipsis="~", steps="_.,-=+*#", level="-", parts="", full="#", half="", taken="-", mark=":",
    edge="|", pointer=">", several=":",
)  # fmt: skip
