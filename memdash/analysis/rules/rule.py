"""What every rule is."""

from __future__ import annotations

from typing import Protocol

from memdash.model.finding import Finding, NotYet
from memdash.model.series import Timeline

__all__ = ["COOLDOWN_S", "Rule"]

COOLDOWN_S = 30.0
"""What comes back within so short a time is the same trouble."""


class Rule(Protocol):
    """Something that checks. It holds no state: the history is all it sees, and what it said before."""

    @property
    def name(self) -> str:
        """Stable name, shown in the log and in the JSON document."""

    @property
    def cooldown_s(self) -> float:
        """How long after its end a finding is not told anew: it goes on as the same entry of the log."""

    def check(self, history: Timeline, held: Finding | None = None, /) -> Finding | NotYet | None:
        """A finding while the condition holds, NotYet while there is too little to tell, None when all is well.

        ``held`` is the finding that still held at the tick before: a rule may let it end later than it began.
        """
