"""Regular expressions as pprof takes them: RE2's, unanchored, ASCII classes.

Python's ``re`` reads nearly the same language. What it spells otherwise is translated; what it lacks is refused. It can
also take for ever over an expression, which does not matter when the expression is the user's own, but must not happen
for one that stands in a file.
"""

from __future__ import annotations

import re
import warnings

from memdash.errors import UsageError

__all__ = ["Pattern", "compiled", "is_harmless"]

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_SPELT_OTHERWISE = re.compile(r"\\Q(.*?)(?:\\E|$)|\[:(\w+):\]|\\.", re.DOTALL)
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)


class Pattern:
    """An expression; ``text`` is how it was written. It remembers what it has seen: few names stand in many places."""

    def __init__(self, text: str, expression: re.Pattern[str]) -> None:
        self.text = text
        self._search = expression.search
        self._seen: dict[str, bool] = {}

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere."""
        found = self._seen.get(text)
        if found is None:
            found = self._seen[text] = self._search(text) is not None
        return found


def compiled(text: str) -> Pattern:
    """The expression. Raises UsageError."""
    try:
        with warnings.catch_warnings(action="error", category=FutureWarning):
            return Pattern(text, re.compile(_SPELT_OTHERWISE.sub(_in_python, text), re.ASCII))
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        hint = r"a name as it stands is written like main\.\(\*Store\)\.Add"
        raise UsageError(f"{text!r} is not a regular expression: {error}", hint) from None


def _in_python(found: re.Match[str]) -> str:
    if found[1] is not None:
        return re.escape(found[1])
    if found[2]:
        return _CLASSES.get(found[2], found[0])
    return r"\Z" if found[0] == r"\z" else found[0]


def is_harmless(text: str) -> bool:
    """Whether looking for it takes time in proportion to what it is looked for in.

    It does when there are no choices within parentheses, and in each alternative one repetition and one option at most.
    """
    depth = repeated = optional = 0
    for piece in _PIECE.findall(text):
        depth += (piece == "(") - (piece == ")")
        if piece == "|":
            if depth:
                return False
            repeated = optional = 0
        repeated += piece in ("*", "+", "{")
        optional += piece == "?"
        if repeated > 1 or optional > 1:
            return False
    return True
