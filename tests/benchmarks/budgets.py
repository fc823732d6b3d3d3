"""What a watch as short as a CI job's shows: how much healthy programs seem to grow in it, and how much leaks do.

It says how wide a growth budget has to be. The series are cut into pieces, the first ten seconds left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from memdash.analysis.growth import growths, rates
from memdash.model.finding import NotYet
from tests.benchmarks.result import Result
from tests.corpus.recording import CHOSEN_ON, Label, Recording, recordings

__all__ = ["budgets"]

_WARM_UP_S = 10.0
_CALM = (Label.STEADY, Label.FRAGMENTATION)
_WATCHES_S = (60.0, 300.0)


def budgets() -> Iterator[Result]:
    """Growth by floors as a share of the live heap, and how often a line through it is sure to rise."""
    series = list(recordings(CHOSEN_ON))
    for watch_s in _WATCHES_S:
        for kind, chosen in (
            ("steady programs", [each for each in series if each.label in _CALM]),
            ("other healthy programs", [each for each in series if not each.label.leaks and each.label not in _CALM]),
            ("leaking programs", [each for each in series if each.label.leaks]),
        ):
            yield _shown(f"{kind}, watched for {watch_s / 60:.0f} min", chosen, watch_s)


def _shown(claim: str, series: list[Recording], watch_s: float) -> Result:
    shares, sure, lines = [], 0, 0
    for piece in (piece for each in series for piece in _pieces(each, watch_s)):
        *_, (_, history) = piece.watched()
        grown, risen = growths(history), rates(history)
        if not isinstance(grown, NotYet):
            shares.append(max(growth.bytes / max(growth.before, 1.0) for growth in grown))
        if not isinstance(risen, NotYet):
            lines += 1
            sure += any(rate.is_sure for rate in risen)
    shares.sort()
    middle, most = shares[len(shares) // 2], shares[9 * len(shares) // 10]
    words = f"growth of {middle:.1%} in half of {len(shares)}, in nine of ten up to {most:.0%}"
    return Result(claim, f"{words}; surely rising: {sure} of {lines}", "", None)


def _pieces(recording: Recording, watch_s: float) -> Iterator[Recording]:
    begin_s = max(_WARM_UP_S, recording.leaks_from_s)
    while begin_s + watch_s <= recording.times_s[-1]:
        places = [at for at, time_s in enumerate(recording.times_s) if begin_s <= time_s <= begin_s + watch_s]
        yield replace(
            recording,
            times_s=[recording.times_s[at] - begin_s for at in places],
            columns={key: [column[at] for at in places] for key, column in recording.columns.items()},
        )
        begin_s += 2 * watch_s
