"""A recording told over again, as if it were watched: which moments of it, and how a verb is asked for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

from memdash.commands.limits import Alerting
from memdash.commands.options import typed
from memdash.commands.replayed import Recorded
from memdash.commands.telling import Telling
from memdash.errors import UsageError

if TYPE_CHECKING:
    from memdash.model.snapshot import Snapshot

__all__ = ["Pace", "refuse_live", "retelling"]


def refuse_live(others: Sequence[str], *names: str) -> None:
    """Raise UsageError for what has a meaning only where something runs: others, whom to tell, and these settings."""
    if others:
        raise UsageError("a recording stands alone", "leave out the other processes: --run N takes another of its runs")
    for name in (*names, *(each.name.replace("_", "-") for each in fields(Telling))):
        if typed(name):
            raise UsageError(f"--{name} is for a process that runs", "leave it away")


@contextmanager
def retelling(file: Recorded, run: int | None, alerting: Alerting) -> Iterator[Iterator[Snapshot]]:
    """The moments up to that which is meant, in order, with the alerts of then, or judged anew by limits of their own.

    Raises RecordingError, UsageError.
    """
    from memdash.session.replay import judged, retold

    past = file.open(run)
    try:
        until_s = file.instant_s(past)
        if alerting.is_asked:
            yield judged(past, alerting.rules, alerting.muted, until_s)
        else:
            yield retold(past, until_s)
    finally:
        past.close()


class Pace:
    """Which moments count when only one is wanted in so many seconds: those nearest to whole steps from the first.

    With a step of 0 all of them do.
    """

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._due_s: float | None = None

    def takes(self, snapshot: Snapshot) -> bool:
        """Whether this one does, of moments that come in order."""
        at_s = snapshot.at.mono_s
        slack_s = min(snapshot.interval_s, self._step_s) / 2
        if self._due_s is not None and at_s < self._due_s - slack_s:
            return False
        if self._due_s is None:
            self._due_s = at_s
        if self._step_s:
            self._due_s += self._step_s * ((at_s + slack_s - self._due_s) // self._step_s + 1)
        return True
