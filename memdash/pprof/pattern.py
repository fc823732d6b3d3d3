"""Regular expressions as pprof takes them: RE2's, unanchored, ASCII classes.

Python's ``re`` reads nearly the same language. What it spells otherwise is translated; what it lacks is refused. It can
also take for ever over an expression, which RE2 never does: one that could is refused, and one that does is given up.
For those that stand in a file, and that nobody can change, ``is_harmless`` is stricter.
"""

from __future__ import annotations

import math
import re
import time
import warnings
from dataclasses import dataclass

from memdash.errors import UsageError

__all__ = ["Pattern", "compiled", "is_harmless"]

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_SPELT_OTHERWISE = re.compile(r"\\Q(.*?)(?:\\E|$)|\[:(\w+):\]|\\.", re.DOTALL)
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|\(\?(?:P?<\w+>|[a-zA-Z-]*[:)])|.", re.DOTALL)
_TIMES = re.compile(r"\{(\d*)(,?)(\d*)\}")

_MOST_STEPS = 100_000_000
"""That a search may take at the worst: 1 s."""
_SHORTEST = 100
"""Characters that an expression must be fit to be looked for in: names have so many."""
_MOST_S = 0.5
"""CPU time that all searches for one expression may take: 50 000 names take 50 ms."""
_FASTER = "use fewer repetitions and choices, and none within another"


class Pattern:
    """An expression; ``text`` is how it was written. It remembers what it has seen: few names stand in many places.

    It can be looked for in texts of up to ``longest`` characters.
    """

    def __init__(self, text: str, expression: re.Pattern[str], longest: int) -> None:
        self.text = text
        self._longest = longest
        self._search = expression.search
        self._seen: dict[str, bool] = {}
        self._spent_s = 0.0

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere. Raises UsageError when it takes too long to find out."""
        found = self._seen.get(text)
        if found is None:
            found = self._seen[text] = self._looked_for(text)
        return found

    def _looked_for(self, text: str) -> bool:
        if len(text) > self._longest or self._spent_s > _MOST_S:
            raise UsageError(f"{self.text!r} takes too long to look for in these names", _FASTER)
        before_s = time.thread_time()
        found = self._search(text) is not None
        self._spent_s += time.thread_time() - before_s
        return found


def compiled(text: str) -> Pattern:
    """The expression. Raises UsageError."""
    try:
        with warnings.catch_warnings(action="error", category=FutureWarning):
            spelt = _SPELT_OTHERWISE.sub(_in_python, text)
            expression = re.compile(spelt, re.ASCII)
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        hint = r"a name as it stands is written like main\.\(\*Store\)\.Add"
        raise UsageError(f"{text!r} is not a regular expression: {error}", hint) from None
    longest = _longest(spelt)
    if longest < _SHORTEST:
        raise UsageError(f"{text!r} could take for ever to look for", _FASTER)
    return Pattern(text, expression, longest)


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
        depth += (piece[0] == "(") - (piece[-1:] == ")" and piece[0] != "\\" and piece[0] != "[")
        if piece == "|":
            if depth:
                return False
            repeated = optional = 0
        repeated += piece in ("*", "+") or piece[0] == "{"
        optional += piece == "?"
        if repeated > 1 or optional > 1:
            return False
    return True


@dataclass(slots=True)
class _Ways:
    """In how many ways it can be tried on n characters: ``choices`` times n to the power of ``repeated``."""

    repeated: int = 0
    choices: float = 1.0

    def then(self, other: _Ways) -> _Ways:
        """One after the other."""
        return _Ways(self.repeated + other.repeated, self.choices * other.choices)

    def either(self, other: _Ways) -> _Ways:
        """One or the other."""
        return _Ways(max(self.repeated, other.repeated), self.choices + other.choices)

    def times(self, quantifier: str) -> _Ways:
        """As often as ``*``, ``+``, ``?`` or ``{2,5}`` say."""
        if quantifier == "?":
            return _Ways(self.repeated, self.choices + 1)
        least, comma, most = found.groups() if (found := _TIMES.fullmatch(quantifier)) else ("", ",", "")
        if not comma or (most and most == least):
            count = int(least or most or 1)
            return _Ways(self.repeated * count, _power(self.choices, count))
        if self.repeated or self.choices > 1:
            return (
                _Ways(self.repeated, math.inf)
                if not most
                else _Ways(self.repeated * int(most), _power(self.choices + 1, int(most)))
            )
        return _Ways(1)


def _power(base: float, exponent: int) -> float:
    return base**exponent if exponent * math.log(base) < 100 else math.inf


def _longest(text: str) -> int:
    """How long a text may be that looking for the expression takes ``_MOST_STEPS`` in at the worst."""
    ways = _ways(text)
    degree = ways.repeated + ("|" in text or not text.startswith("^"))
    if math.isinf(ways.choices):
        return 0
    if not degree:
        return 1 << 30
    return int((_MOST_STEPS * math.factorial(min(degree, 100)) / ways.choices) ** (1 / degree))


def _ways(text: str) -> _Ways:
    """Of an expression that ``re`` has taken."""
    before: list[tuple[_Ways | None, _Ways]] = []  # of each open group: the alternatives so far, what stands before
    alternatives, sequence, last = None, _Ways(), _Ways()  # ``last`` may yet be repeated: not in ``sequence``
    was_quantifier = False
    for piece in _PIECE.findall(text):
        is_quantifier = piece in ("*", "+", "?") or (len(piece) > 1 and piece[0] == "{")
        if is_quantifier:
            last = last if was_quantifier else last.times(piece)  # a second one only says how eager the first one is
            was_quantifier = True
            continue
        was_quantifier = False
        sequence, last = sequence.then(last), _Ways()
        if piece[0] == "(" and piece[-1] != ")":
            before.append((alternatives, sequence))
            alternatives, sequence = None, _Ways()
        elif piece == "|":
            alternatives, sequence = sequence if alternatives is None else alternatives.either(sequence), _Ways()
        elif piece == ")":
            last = sequence if alternatives is None else alternatives.either(sequence)
            alternatives, sequence = before.pop()
    sequence = sequence.then(last)
    return sequence if alternatives is None else alternatives.either(sequence)
