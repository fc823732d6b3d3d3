"""Collections that are forced for a check, so that what lives is known exactly.

Two after the warm-up and two at the end, since what a sync.Pool holds goes with the second.
"""

from __future__ import annotations

import time

from memdash.errors import UsageError
from memdash.model.action import Action
from memdash.model.finding import NOTES, Finding, Severity
from memdash.model.missing import Missing
from memdash.session import Session
from memdash.session.gate import Gate
from memdash.units import duration

__all__ = ["Forcing"]

_APART_S = 1.1
"""What happens within a second is one moment to a history."""

_PATIENCE_S = 30.0
"""For one collection: that of a heap of 100 GiB takes some seconds."""

_LOOK_S = 0.1

_NO_WAY = Missing("nothing in this process can do that", "--endpoint auto asks a Go server that serves net/http/pprof")


class Forcing:
    """Has ``session`` force collections while ``gate`` watches, one after the other.

    Each is waited for, since one that failed or is not over yet would leave what it is to take away. What came of it
    stands in the log of the session, which tells no listener of anything else.
    """

    def __init__(self, session: Session, gate: Gate) -> None:
        self._session = session
        self._gate = gate

    def run(self, for_s: float | None) -> str:
        """Go through all of them, ``for_s`` between the first two and the last, and then let the gate finish.

        What went wrong, in a clause, or an empty string. Without ``for_s`` there are only the first two, and the gate
        goes on. Raises UsageError where nothing can force any.
        """
        while not self._gate.warm.wait(_LOOK_S) and not self._gate.over.is_set():
            pass
        for pause_s in (_APART_S, _APART_S, *(() if for_s is None else (for_s, _APART_S))):
            if self._gate.over.wait(pause_s):
                return ""
            if trouble := self._forced():
                self._gate.finish()
                return trouble
        if for_s is not None:
            self._gate.over.wait(_APART_S + self._session.snapshot().interval_s)
            self._gate.finish()
        return ""

    def _forced(self) -> str:
        """Have one forced and wait for it; what went wrong. Raises UsageError."""
        offer = self._session.snapshot().actions.get(Action.FORCE_GC, _NO_WAY)
        if isinstance(offer, Missing):
            raise UsageError(f"--force-gc cannot be obeyed: {offer.why}", offer.hint)
        before = len(self._deeds())
        self._session.act(Action.FORCE_GC)
        until_s = time.monotonic() + _PATIENCE_S
        while len(found := self._deeds()) <= before:
            if self._gate.over.wait(_LOOK_S):
                return ""
            if time.monotonic() > until_s:
                return f"a forced collection was not over within {duration(_PATIENCE_S)}"
        return f"a collection could not be forced: {found[0].summary}" if found[0].severity > Severity.INFO else ""

    def _deeds(self) -> list[Finding]:
        """What has come of them, newest first."""
        found = self._session.snapshot().findings
        return [each for each in found if each.rule == NOTES and each.evidence.get("action") == Action.FORCE_GC.value]
