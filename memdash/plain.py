"""What makes a target's words safe to show: names, paths and argv are data, never instructions to a terminal."""

from __future__ import annotations

import unicodedata

__all__ = ["excerpt", "plain"]

_LONGEST_EXCERPT = 200
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e", "\0": "\\0"}


def plain(text: str) -> str:
    r"""``text`` with everything that could steer a terminal or reorder a line written as an escape.

    Control characters, ANSI sequences, line breaks, bidi overrides, zero-width characters, lone surrogates and
    unassigned code points become ``\n``, ``\e``, ``\u202e`` and the like. Letters, marks and spaces of any script
    stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _harmless(character) else _escaped(character) for character in text)


def excerpt(text: str) -> str:
    """The beginning of it, made plain, for a sentence that quotes it: 200 characters at most."""
    return plain(text)[:_LONGEST_EXCERPT]


def _harmless(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    if short := _SHORT.get(character):
        return short
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
