"""Something worth telling; an alert is a Finding of WARNING or above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

__all__ = ["Finding", "NotYet", "Severity", "mark"]

_MARK = "mark"


class Severity(IntEnum):
    """How bad. Each has a glyph and a word, so that no meaning rests on colour."""

    OK = 0
    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """The word shown beside the glyph, at most four letters wide."""
        return ("OK", "INFO", "WARN", "CRIT")[self]

    @property
    def glyph(self) -> str:
        """One cell wide."""
        return ("✓", "·", "●", "▲")[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``summary`` is one sentence with its evidence. ``ended_at_s`` is set once the condition no longer holds.

    Both moments are wall time. ``evidence`` holds plain numbers, in the unit of the metric that the rule watches, and
    words for the JSON document.
    """

    rule: str
    severity: Severity
    at_s: float
    summary: str
    ended_at_s: float | None = None
    evidence: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def is_mark(self) -> bool:
        """Whether it is a moment that somebody wants to find again."""
        return self.rule == _MARK


def mark(at_s: float, note: str) -> Finding:
    """What the alert log holds of such a moment; ``note`` may be empty."""
    return Finding(rule=_MARK, severity=Severity.INFO, at_s=at_s, summary=note or "marked", ended_at_s=at_s)


@dataclass(frozen=True, slots=True)
class NotYet:
    """A rule cannot tell yet; ``why`` says what it is waiting for."""

    why: str
