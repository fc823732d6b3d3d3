"""A verdict in one sentence, and how bad it is."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from memdash.model.finding import Figure, Finding, Severity
from memdash.model.gc_trend import Course, GcTrend
from memdash.model.missing import Missing
from memdash.model.profile import short_name
from memdash.model.verdict import Grower, Slope, Verdict, VerdictKind
from memdash.units import MIB, PERIODS, Unit, byte_size, count, duration, per_minute, ratio, signed, time_range

__all__ = ["RULE", "collector_words", "finding", "named", "rate_words", "severity", "summary"]

RULE = "heap growth"
"""The name under which a verdict stands in the log."""

_TASKS = re.compile(r"((?:\w+ )+?(?:by|of) )?(.*)", re.DOTALL)
"""A grower's name: ``goroutines by`` before that of a function, or the function alone."""

_SHORT = 24
"""Letters of a name after which a narrow line still has room for the time until the limit."""

_CRITICAL_S, _WARNING_S = 1800.0, 1200.0


def severity(verdict: Verdict) -> Severity:
    """A leak is a warning, and critical where it hits a limit soon; other growth is one where it does sooner yet."""
    ahead_s = math.inf if verdict.forecast is None else verdict.forecast.soonest_s
    if verdict.kind is VerdictKind.LEAK:
        return Severity.CRITICAL if ahead_s < _CRITICAL_S else Severity.WARNING
    if verdict.kind is VerdictKind.GROWING:
        return Severity.WARNING if ahead_s < _WARNING_S else Severity.INFO
    return Severity.INFO if verdict.kind in (VerdictKind.WARM_UP, VerdictKind.NOT_YET) else Severity.OK


def summary(verdict: Verdict) -> str:
    """``leak +1.19 MiB/s: cart.(*Store).Add · cgroup limit in 7–9 min · +61.0 MiB at … · live heap … rose …``.

    What to do something about comes first, the evidence last: a narrow line shows no more than its beginning, which is
    48 to 62 cells of 80. Functions are called by their last parts; a long name does not hide when it is too late.
    """
    kind = verdict.kind
    if kind is VerdictKind.NOT_YET or verdict.slope is None:
        return f"{kind.value}: {verdict.why}"
    seen = f"over {count(verdict.cycles)} cycles in {duration(verdict.window_s)}"
    if not verdict.cycles:
        seen = f"in {duration(verdict.window_s)}"
    if kind in (VerdictKind.PLATEAU, VerdictKind.SAWTOOTH):
        level = f"{' around' if kind is VerdictKind.SAWTOOTH else ','} {byte_size(verdict.level_bytes)}"
        return f"{kind.value}: {verdict.basis} {verdict.why}{level}, {seen}"
    is_leak = kind is VerdictKind.LEAK
    parts = [] if is_leak else [verdict.why]
    growers = list(verdict.growers)
    if verdict.forecast is not None:
        ahead = verdict.forecast
        soon = f"{ahead.limit} in {time_range(ahead.soonest_s, ahead.latest_s)}"
        if growers and len(name := _name(growers[0])) <= _SHORT:
            first = growers.pop(0)
            parts += [name, soon, " at ".join(word for word in (_change(first), first.place) if word)]
        else:
            parts.append(soon)
    parts += map(_grower, growers)
    parts.append(f"{verdict.basis} rose by {byte_size(verdict.growth_bytes)} {seen}{_interval(verdict.slope)}")
    if verdict.forecast is not None:
        parts.append(f"the limit is {byte_size(verdict.forecast.limit_bytes)}")
    parts += [verdict.why] if is_leak else []
    if verdict.collector:
        parts.append(verdict.collector)
    return f"{kind.value} {rate_words(verdict.slope)}: {' · '.join(parts)}"


def collector_words(trend: GcTrend | None) -> str:
    """``collections rose from 12 to 38 /min, their CPU from 2.1 % to 9.4 %``; empty where neither did."""
    if trend is None:
        return ""
    words = []
    often, cpu = trend.collections_per_s, trend.cpu_ratio
    if not isinstance(often, Missing) and often.course is Course.RISES:
        words.append(f"collections rose from {per_minute(often.before)} to {per_minute(often.now)}")
    if not isinstance(cpu, Missing) and cpu.course is Course.RISES:
        words.append(f"{'their' if words else 'GC'} CPU from {ratio(cpu.before)} to {ratio(cpu.now)}")
    return ", ".join(words)


def named(verdict: Verdict, growers: tuple[Grower, ...], collector: str = "") -> Verdict:
    """The same with what grew most, and what the collector has to do with it, where something grew."""
    if not verdict.kind.grows:
        return verdict
    if (growers, collector) == (verdict.growers, verdict.collector):
        return verdict
    verdict = replace(verdict, growers=growers, collector=collector)
    return replace(verdict, summary=summary(verdict))


def rate_words(slope: Slope) -> str:
    """``+1.19 MiB/s``, ``+71.4 KiB/min``: in the unit of time in which it is a figure that people can picture."""
    step_s, per = _step(slope)
    return signed(slope.per_s * step_s, Unit.BYTES, per=per)


def _step(slope: Slope) -> tuple[float, str]:
    """That unit of time, in seconds and as it is written behind a rate."""
    per_s, unit = next((period for period in PERIODS if abs(slope.per_s) * period[0] >= MIB / 8), PERIODS[1])
    return per_s, f"/{unit}"


def _interval(slope: Slope) -> str:
    if not slope.is_bounded:
        return ""
    step_s, per = _step(slope)
    low, high = (signed(end * step_s, Unit.BYTES) for end in (slope.low_per_s, slope.high_per_s))
    return f" ({low} to {high}{per})"


def _grower(grower: Grower) -> str:
    return " ".join(word for word in (_name(grower), grower.place, _change(grower)) if word)


def _name(grower: Grower) -> str:
    named_of = _TASKS.fullmatch(grower.name) if grower.kind == "task" else None
    return f"{named_of[1] or ''}{short_name(named_of[2])}" if named_of else short_name(grower.name)


def _change(grower: Grower) -> str:
    return signed(grower.change, Unit.BYTES if grower.kind == "site" else Unit.COUNT)


def finding(verdict: Verdict) -> Finding | None:
    """What stands in the log while a verdict is an alert."""
    if verdict.severity < Severity.WARNING or verdict.slope is None:
        return None
    evidence: dict[str, float | str] = {
        "kind": verdict.kind.value,
        "basis": verdict.basis,
        "per_s": verdict.slope.per_s,
        "window_s": verdict.window_s,
        "cycles": verdict.cycles,
    }
    if verdict.slope.is_bounded:
        evidence |= {"low_per_s": verdict.slope.low_per_s, "high_per_s": verdict.slope.high_per_s}
    for grower in verdict.growers:
        evidence.setdefault(grower.kind, f"{grower.name} {grower.place}".rstrip())
    return Finding(
        rule=RULE,
        severity=verdict.severity,
        at_s=verdict.at_s,
        summary=verdict.summary,
        measured=Figure(60 * verdict.slope.per_s, Unit.BYTES, "/min", signed=True),
        evidence=evidence,
    )
