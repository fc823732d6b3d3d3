"""Something worth telling; an alert is a Finding of WARNING or above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Instant
from memdash.units import Unit, figure, signed

__all__ = ["NOTES", "Figure", "Finding", "NotYet", "Severity", "Transition", "TransitionKind", "mark"]


NOTES = "memdash"
"""The rule of what memdash itself has to tell: what it did, what became of the target. It cannot be muted."""


_MARK = "mark"
_IN_NO_LOG = Missing("it has not come into a log")


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


@dataclass(frozen=True, slots=True)
class Figure:
    """What a rule measures: ``value`` in ``unit``, ``per`` a time (``/min``) where it is a rate.

    With ``signed`` it is a change, and with ``sinks`` the less it is the worse.
    """

    value: float
    unit: Unit
    per: str = ""
    signed: bool = False
    sinks: bool = False

    @property
    def words(self) -> str:
        """``512.0 MiB``, ``+120/min``."""
        if self.signed and self.value:
            return signed(self.value, self.unit, per=self.per)
        return f"{figure(self.value, self.unit)}{self.per}"

    def at(self, bound: float) -> Figure:
        """A bound of the same kind, which has no sign of its own."""
        return Figure(bound, self.unit, self.per, sinks=self.sinks)

    def worse(self, other: Figure | None) -> Figure:
        """The worse of both."""
        if other is None:
            return self
        return self if (self.value < other.value) is self.sinks else other


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``summary`` is one sentence with its evidence. ``ended_at_s`` is set once the condition no longer holds.

    Both moments are wall time, which is how people call them; ``mono_s`` is when it began by a clock that nobody sets.
    ``evidence`` holds plain numbers, in the unit of the metric that the rule watches, and words for the JSON document.
    ``measured`` is what the rule saw at last, ``worst`` the worst since it began. ``lasted_s`` is how long it has held
    in all, by that same clock, and ``times`` how often it began: what comes back within its rule's cooldown is the same
    finding. ``acknowledged`` says that a person has seen it.
    """

    rule: str
    severity: Severity
    at_s: float
    summary: str
    mono_s: Maybe[float] = _IN_NO_LOG
    ended_at_s: float | None = None
    measured: Figure | None = None
    worst: Figure | None = None
    lasted_s: float = 0.0
    times: int = 1
    acknowledged: bool = False
    evidence: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def is_mark(self) -> bool:
        """Whether it is a moment that somebody wants to find again."""
        return self.rule == _MARK


def mark(at: Instant, note: str) -> Finding:
    """What the alert log holds of such a moment; ``note`` may be empty."""
    at_s, mono_s = at
    summary = note or "marked"
    return Finding(rule=_MARK, severity=Severity.INFO, at_s=at_s, mono_s=mono_s, summary=summary, ended_at_s=at_s)


@dataclass(frozen=True, slots=True)
class NotYet:
    """A rule cannot tell yet; ``why`` says what it is waiting for."""

    why: str


class TransitionKind(Enum):
    """What has become of an alert. The value is its word for hooks and files."""

    OPENED = "opened"
    WORSENED = "worsened"
    ENDED = "ended"
    HAPPENED = "happened"


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert has begun to hold, got graver or ended; or something has happened that has no duration.

    ``finding`` is its entry in the log as it stands then. What is muted, and what is less than a warning, makes none;
    an alert that was told before it was muted still ends. The same alert is one ``rule`` and ``at_s``.
    """

    kind: TransitionKind
    finding: Finding
