"""The alert log: bounded, oldest dropped first and counted, never blocking."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from memdash.model.finding import Finding, NotYet

__all__ = ["AlertLog"]


class AlertLog:
    """Turns what the rules say at each tick into entries with a beginning and an end.

    A rule that goes on finding is one entry, kept up to date; when it stops, the entry gets its end. A rule that starts
    again within ``rearm_s`` reopens its last entry instead of filling the log.
    """

    def __init__(self, capacity: int = 500, rearm_s: float = 30.0) -> None:
        self._entries: deque[Finding] = deque()
        self._capacity = capacity
        self._rearm_s = rearm_s
        self._open: dict[str, Finding] = {}
        self.dropped = 0

    def note(self, finding: Finding) -> None:
        """Log something that happened at one moment."""
        self._push(replace(finding, ended_at_s=finding.at_s))

    def observe(self, now_s: float, verdicts: Mapping[str, Finding | NotYet | None]) -> None:
        """Take in what each rule said at ``now_s`` (wall time). NotYet leaves an open entry as it is."""
        for rule, verdict in verdicts.items():
            held = self._open.get(rule)
            if isinstance(verdict, Finding):
                self._hold(rule, held, verdict)
            elif verdict is None and held is not None:
                self._replace(held, replace(held, ended_at_s=now_s))
                del self._open[rule]

    def _hold(self, rule: str, held: Finding | None, found: Finding) -> None:
        held = held or self._reopened(rule, found.at_s)
        if held is None:
            self._push(found)
            self._open[rule] = found
            return
        entry = replace(found, at_s=held.at_s)
        self._replace(held, entry)
        self._open[rule] = entry

    def _reopened(self, rule: str, now_s: float) -> Finding | None:
        for entry in self._entries:
            if entry.rule == rule and entry.ended_at_s is not None and now_s - entry.ended_at_s < self._rearm_s:
                return entry
        return None

    def _replace(self, old: Finding, new: Finding) -> None:
        for index, entry in enumerate(self._entries):
            if entry is old:
                self._entries[index] = new
                return

    def _push(self, finding: Finding) -> None:
        self._entries.appendleft(finding)
        if len(self._entries) > self._capacity:
            dropped = self._entries.pop()
            self.dropped += 1
            if self._open.get(dropped.rule) is dropped:
                del self._open[dropped.rule]

    @property
    def entries(self) -> tuple[Finding, ...]:
        """The log, newest first."""
        return tuple(self._entries)
