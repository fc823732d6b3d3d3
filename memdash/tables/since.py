"""Since when the changes of a fact's rows count: the one reader of baselines."""

from __future__ import annotations

from memdash.model.capability import Capability
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot
from memdash.units import clock_time

__all__ = ["baseline_words", "since_words"]


def since_words(snapshot: Snapshot, capability: Capability, *, short: bool = False) -> str:
    """``since the baseline at 12:07:41`` or ``since the attach at …``, in short ``Δ since baseline 12:07:41``.

    It is the reading that changes count from, which a slow fact has later than the attach or the mark; empty before
    there is any. A moment that is before it, as one of the past may be, is held ``against`` it.
    """
    since = snapshot.since.get(capability)
    if since is None:
        return ""
    return _words(snapshot, since, short=short)


def baseline_words(snapshot: Snapshot) -> str:
    """The same of figures that are read with each sample."""
    return _words(snapshot, snapshot.baseline.at, short=False)


def _words(snapshot: Snapshot, since: Instant, *, short: bool) -> str:
    moment, time = "baseline" if snapshot.baseline.marked else "attach", clock_time(since.wall_s)
    way = "since" if snapshot.baseline.at.mono_s <= snapshot.at.mono_s else "against"
    return f"Δ {way} {moment} {time}" if short else f"{way} the {moment} at {time}"
