"""How often the verdict is wrong, and how soon it is right: on recorded series of real programs, and on made-up ones.

On series that nothing was tuned on, and on those that it was made with to compare. Next to it what one would write at
first, on the same series.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from functools import partial

from tests.benchmarks.result import Result
from tests.corpus.naive import NAIVE
from tests.corpus.recording import CHOSEN_ON, HELD_OUT, HOURS, Recording, recordings
from tests.corpus.synthetic import synthetic
from tests.corpus.trial import Detector, Trial, try_on, verdicts

__all__ = ["verdict"]

_SEEDS = range(100, 108)
"""None of those that the thresholds were chosen on, which were the first two dozen, and the recorded series."""

_EVERY = 3
"""A look every so many seconds at what is made up, and at each second of what is recorded."""
_LOOK_MS = 5.0


def verdict() -> Iterator[Result]:
    """Rates of false alarms and misses, the time to the verdict, and the cost of a look."""
    recorded, made_up = list(recordings(HELD_OUT)), list(synthetic(_SEEDS))
    for kind, series, every in (("recorded", recorded, 1), ("made-up", made_up, _EVERY)):
        trials = _trials(series, verdicts, every)
        yield _rates(f"verdict on {len(series)} {kind} series", trials, has_goal=True)
        yield _time(f"time to the verdict, {kind} leaks", trials)
        yield _cost(f"a look of the verdict, {kind}", trials)
    yield _calm([try_on(hour, partial(verdicts, hour.age_s or 0.0), 1) for hour in recordings(HOURS)])
    chosen_on = list(recordings(CHOSEN_ON))
    yield _rates(
        f"verdict on the {len(chosen_on)} series it was made with", _trials(chosen_on, verdicts, 1), has_goal=False
    )
    for name, detector in NAIVE.items():
        yield _rates(f"{name}, on the recorded series", _trials(recorded, detector, 1), has_goal=False)


def _trials(series: Sequence[Recording], detector: Detector, every: int) -> list[Trial]:
    return [try_on(recording, detector, every) for recording in series]


def _rates(claim: str, trials: Sequence[Trial], *, has_goal: bool) -> Result:
    healthy = [trial for trial in trials if not trial.recording.label.leaks]
    leaks = [trial for trial in trials if trial.recording.label.leaks]
    alarms, misses = sum(trial.is_false_alarm for trial in healthy), sum(trial.is_miss for trial in leaks)
    late = sum(trial.is_late for trial in leaks)
    found = f"{alarms} of {len(healthy)} false alarms, {misses} of {len(leaks)} missed, {late} late"
    wrong = [trial.recording.name for trial in trials if trial.is_false_alarm or trial.is_miss or trial.is_late]
    words = f"{found} ({', '.join(wrong)})" if wrong and has_goal else found
    return Result(claim, words, "0, 0, 0" if has_goal else "", not wrong if has_goal else None)


def _calm(trials: Sequence[Trial]) -> Result:
    wrong = [trial.recording.name for trial in trials if trial.alarm_s is not None]
    watched_h = sum(trial.recording.times_s[-1] for trial in trials) / 3600
    found = f"{len(wrong)} alarms in {watched_h:.1f} hours" + (f" ({', '.join(wrong)})" if wrong else "")
    return Result(f"verdict on {len(trials)} healthy busy servers", found, "0", not wrong)


def _time(claim: str, trials: Sequence[Trial]) -> Result:
    taken = sorted(
        trial.alarm_s - trial.recording.leaks_from_s
        for trial in trials
        if trial.alarm_s is not None and trial.recording.label.leaks
    )
    middle, slow = statistics.median(taken), taken[9 * len(taken) // 10]
    return Result(claim, f"median {middle:.0f} s, nine of ten within {slow:.0f} s", "≤ 300 s", middle <= 300)


def _cost(claim: str, trials: Sequence[Trial]) -> Result:
    costs = sorted(1e3 * cost_s for trial in trials for cost_s in trial.costs_s)
    mean, slow = statistics.mean(costs), costs[99 * len(costs) // 100]
    return Result(claim, f"mean {mean:.2f} ms, p99 {slow:.1f} ms", f"p99 ≤ {_LOOK_MS:.0f} ms", slow <= _LOOK_MS)
