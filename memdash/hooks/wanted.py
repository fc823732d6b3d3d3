"""Which alerts a hook hears of."""

from __future__ import annotations

from dataclasses import dataclass, field

from memdash.model.finding import Severity, Transition, TransitionKind

__all__ = ["Wanted"]


@dataclass(slots=True)
class Wanted:
    """Alerts of these ``rules`` (all, where none is named) from ``severity`` on; with ``ends`` also that they ended.

    Of an end only those hear who heard of the alert itself. Used by one thread at a time.
    """

    severity: Severity = Severity.WARNING
    rules: frozenset[str] = frozenset()
    ends: bool = False
    _told: set[tuple[int, str]] = field(default_factory=set)

    def takes(self, pid: int, transition: Transition) -> bool:
        """Whether this one, of an alert on process ``pid``, is to be told."""
        finding = transition.finding
        key = pid, finding.rule
        if transition.kind is TransitionKind.ENDED:
            was_told = key in self._told
            self._told.discard(key)
            return self.ends and was_told
        if finding.severity < self.severity or (self.rules and finding.rule not in self.rules):
            return False
        if transition.kind is not TransitionKind.HAPPENED:
            self._told.add(key)
        return True
