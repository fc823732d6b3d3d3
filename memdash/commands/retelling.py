"""A recording told over again, as if it were watched: which moments of it, and how a verb is asked for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

from memdash.commands.limits import Alerting
from memdash.commands.options import typed
from memdash.commands.replayed import Recorded
from memdash.commands.telling import Telling
from memdash.errors import UsageError

if TYPE_CHECKING:
    from memdash.model.snapshot import Snapshot

__all__ = ["refuse_live", "retelling"]


def refuse_live(others: Sequence[str], *names: str) -> None:
    """Raise UsageError for what has a meaning only where something runs: others, whom to tell, and these settings."""
    if others:
        raise UsageError("a recording stands alone", "leave out the other processes: --run N takes another of its runs")
    for name in (*names, *(each.name.replace("_", "-") for each in fields(Telling))):
        if typed(name):
            raise UsageError(f"--{name} is for a process that runs", "leave it away")


@contextmanager
def retelling(file: Recorded, run: int | None, alerting: Alerting, step_s: float = 0.0) -> Iterator[Iterator[Snapshot]]:
    """The moments up to that which is meant, all or one in so long, with the alerts of then or of limits of their own.

    Raises RecordingError, UsageError.
    """
    from memdash.session.replay import judged, retold

    with closing(file.open(run)) as past:
        until_s = file.instant_s(past)
        if alerting.is_asked:
            yield judged(past, alerting.rules, alerting.muted, until_s, step_s)
        else:
            yield retold(past, until_s, step_s)
