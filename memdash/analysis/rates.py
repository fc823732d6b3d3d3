"""How fast a metric changes."""

from __future__ import annotations

from array import array

from memdash.model.metric import Kind, Metric
from memdash.model.missing import Maybe, Missing
from memdash.model.series import Series, Timeline

__all__ = ["RATE_SPAN_S", "change_per_s", "per_second"]

RATE_SPAN_S = 10.0
"""Long enough to calm the figures, short enough to follow the hand."""

_TOO_FEW = Missing("a rate needs two samples")
_NOT_NOW = Missing("the newest sample does not have it")
_WENT_BACK = Missing("the counter went back: it was reset")


def change_per_s(metric: Metric, timeline: Timeline, span_s: float = RATE_SPAN_S) -> Maybe[float]:
    """Change per second over the last ``span_s`` seconds, from the oldest known value to the newest.

    A counter that went back was reset, so its rate is Missing; a gauge may fall. A gap at the newest sample makes the
    rate Missing rather than old.
    """
    series = timeline.series(metric.key, span_s)
    if span_s < 2.5 * series.spacing_s:
        series = timeline.series(metric.key, 2.5 * series.spacing_s)
    known = series.known
    if len(known) < 2:
        return _TOO_FEW
    (first_s, first), (last_s, last) = known[0], known[-1]
    if last_s < series.seen_s[-1]:
        return _NOT_NOW
    if metric.kind is Kind.COUNTER and last < first:
        return _WENT_BACK
    return (last - first) / (last_s - first_s)


def per_second(series: Series) -> Series:
    """The change per second from each bucket to the next, told at the later one; NaN beside a gap."""
    rates = array("d", bytes(8 * max(len(series) - 1, 0)))
    seen, last = series.seen_s, series.last
    for index in range(len(rates)):
        rates[index] = (last[index + 1] - last[index]) / (seen[index + 1] - seen[index])
    return Series(series.times_s[1:], seen[1:], rates, rates, rates, series.spacing_s)
