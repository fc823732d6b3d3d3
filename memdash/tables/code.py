"""Source lines beside what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["NO_CODE", "Code", "LineFigures", "code_of"]

_WIDEST_TAB = 4


class LineFigures(NamedTuple):
    """What one line holds: a text a column, empty for none; ``share`` of the heaviest line (0 to 1), for a bar.

    ``is_own`` tells what a line holds itself from what is held by what it calls.
    """

    texts: tuple[str, ...]
    share: float
    is_own: bool
    function: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """``texts`` are the lines of a file, from its first one on; empty when it cannot be read. Untrusted.

    ``figures`` are those of the lines that hold anything, by their number, under ``titles``; ``marked`` is the line
    that it is about.
    """

    titles: tuple[str, ...]
    texts: Sequence[str]
    figures: Mapping[int, LineFigures] = field(default_factory=dict)
    marked: int = 0

    @property
    def numbers(self) -> Sequence[int]:
        """The lines to show: all there are, and those beyond them that hold anything."""
        count = len(self.texts)
        beyond = sorted({number for number in (*self.figures, self.marked) if number > count})
        return [*range(1, count + 1), *beyond] if beyond else range(1, count + 1)

    def text(self, number: int) -> str:
        """The text of a line without tabs; empty beyond the end."""
        return self.texts[number - 1].expandtabs(_WIDEST_TAB) if 0 < number <= len(self.texts) else ""


NO_CODE = Code((), ())


def code_of(
    texts: Sequence[str],
    held: Mapping[int, tuple[int, ...]],
    titles: tuple[str, ...],
    *,
    write: Callable[[int], str],
    functions: Mapping[int, str],
    marked: int = 0,
) -> Code:
    """``held`` has a value a column for each line that holds anything, the first its own; ``write`` words a value."""
    largest = max((abs(value) for values in held.values() for value in values), default=0) or 1
    figures = {
        number: LineFigures(
            tuple(write(value) if value else "" for value in values),
            max(map(abs, values)) / largest,
            bool(values[0]),
            functions.get(number, ""),
        )
        for number, values in held.items()
    }
    return Code(titles, texts, figures, marked)
