"""Detectors that one would write at first, over the live heap (or what is resident) of the last five minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from memdash.model.series import Timeline
from tests.corpus.recording import LIVE
from tests.corpus.trial import Detector, Look

__all__ = ["NAIVE"]

_WINDOW_S, _FEWEST = 300.0, 60


def _over(alarms: Callable[[Sequence[float]], bool]) -> Detector:
    """Once a minute has been seen, ask for each window."""

    def detector() -> Look:
        def look(history: Timeline) -> tuple[bool, str]:
            known = history.series(LIVE, _WINDOW_S).known or history.series("system.rss_bytes", _WINDOW_S).known
            values = [value for _, value in known]
            return len(values) >= _FEWEST and alarms(values), ""

        return look

    return detector


def _last_minus_first(values: Sequence[float]) -> bool:
    """More than what a leak of 0.1 % a minute, and 50 KiB, would add."""
    minutes = len(values) / 60
    return values[-1] - values[0] > minutes * max(0.001 * values[0], 50 << 10)


def _each_larger(values: Sequence[float]) -> bool:
    """Ten samples, evenly over the window."""
    picked = [values[index * (len(values) - 1) // 9] for index in range(10)]
    return all(later > earlier for earlier, later in pairwise(picked))


def _over_the_first() -> Look:
    """By a fifth."""
    first: list[float] = []

    def look(history: Timeline) -> tuple[bool, str]:
        known = history.series(LIVE, 10.0).known or history.series("system.rss_bytes", 10.0).known
        if known and not first:
            first.append(known[0][1])
        return bool(known) and known[-1][1] > 1.2 * first[0], ""

    return look


NAIVE: Mapping[str, Detector] = {
    "last minus first over five minutes": _over(_last_minus_first),
    "each of ten samples larger than the one before": _over(_each_larger),
    "a fifth over the first value": _over_the_first,
}
