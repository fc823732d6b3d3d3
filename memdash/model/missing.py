"""A value that could not be had, and why: never 0, never -1, never a bare None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypeAlias, TypeVar

from memdash.errors import MemdashError

__all__ = ["NOT_READ_YET", "Maybe", "Missing", "begun", "known"]


@dataclass(frozen=True, slots=True)
class Missing:
    """``why`` is one clause for a person; ``hint`` says what would bring the value, if anything does."""

    why: str
    hint: str = ""

    @classmethod
    def of(cls, error: MemdashError) -> Self:
        """What an error says, where a value was to be had."""
        return cls(error.what, error.hint)

    @property
    def words(self) -> str:
        """Both as sentences: ``Its memory is closed to us. Run memdash as root``."""
        return ". ".join(begun(clause) for clause in (self.why, self.hint) if clause)


NOT_READ_YET = Missing("not read yet")
"""Its turn is still to come."""


def begun(clause: str) -> str:
    """A clause with a capital letter, unless it begins with a name such as ``go1.15``, ``/proc`` or our own."""
    first = clause.partition(" ")[0].rstrip(",;:")
    return clause[:1].upper() + clause[1:] if first.isalpha() and first != "memdash" else clause


T = TypeVar("T")
Maybe: TypeAlias = T | Missing


def known(value: Maybe[T], default: T) -> T:
    """The value itself, or ``default`` when it is missing; for arithmetic, never for display."""
    return default if isinstance(value, Missing) else value
