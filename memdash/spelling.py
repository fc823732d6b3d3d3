"""Words that people type, and what they probably meant."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["meant", "nearest"]

_LEAST_ALIKE = 0.6
"""So much of two words must be the same; below that a guess misleads: ``profile`` is no ``goroutineleak``."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that ``word`` was probably meant to be, or an empty string."""
    import difflib  # 5 ms, wanted after a mistake only

    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=_LEAST_ALIKE)), "")


def meant(word: str, known: Iterable[str], lead: str) -> str:
    """A hint after a word that is not known: ``did you mean for?``, else the ``lead`` and all that are known."""
    names = list(known)
    guess = nearest(word, names)
    return f"did you mean {guess}?" if guess else f"{lead} {', '.join(names)}"
