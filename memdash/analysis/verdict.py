"""What a course means: a leak, growth that may yet be something else, a warm-up, a plateau, a sawtooth.

Growth is sure when the line rises beyond chance, or many times further than it ever falls. Sure growth is a leak
unless something speaks against it. What does is listed in ``_OBJECTIONS``, and each of them dies out as the stretch
gets longer while the growth goes on, however slow it is: none can hide a leak for ever.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from memdash.analysis.teeth import Tooth
from memdash.analysis.trend import Trend
from memdash.model.verdict import VerdictKind
from memdash.units import KIB, byte_size, duration, ratio

__all__ = ["PATIENCE_S", "Ruling", "ruling"]

PATIENCE_S = 240.0
"""A cache that fills looks like a leak until it is full, so growth must have gone on for so long."""

_YOUNG_SHARE = 0.1
"""What a young program must have grown by: where more patience than usual is asked for."""

_SHORTEST_S = 30.0
_SURE_Z, _SURE_FINE_Z = 3.0, 4.0
_WHITE = 1.36
"""By how much noise that lingers may widen the deviation, for it to count as white: a lag-1 correlation of 0.3."""

_FEWEST, _ENOUGH = 6, 16
"""Points without which nothing is said, and those that a leak takes; 8 do where a third of all has come in them."""

_TELLING_SHARE, _TELLING_BYTES, _TELLING_S = 0.003, 128 * KIB, 300.0
"""What a stretch of five minutes must have grown by: noise that lingers does so much, and what wanders goes as far as
the root of the time, up to 3 % in eight hours. At 0.1 % a minute this takes two minutes, at 0.01 % three hours."""

_CALM = 30
"""Growth that is so many times the largest fall has no noise that could bend it."""

_BUSIER = 0.05
"""A load that has grown by less has not grown: it is never quite the same."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """``why`` is a clause: what tells against a leak, or for one."""

    kind: VerdictKind
    why: str


def ruling(trend: Trend | None, tooth: Tooth | None = None, patience_s: float = PATIENCE_S) -> Ruling:
    """Judge a stretch. ``tooth`` is the longest rise so far that was given back."""
    if trend is None or trend.points < _FEWEST or trend.window_s < _SHORTEST_S:
        return Ruling(VerdictKind.NOT_YET, "too little has been seen")
    if not _is_sure(trend):
        if trend.swing_bytes >= 0.1 * trend.level_bytes:
            return Ruling(VerdictKind.SAWTOOTH, f"goes up and down by {byte_size(trend.swing_bytes)}")
        return Ruling(VerdictKind.PLATEAU, "holds its level")
    for objection in _OBJECTIONS:
        if (found := objection(trend)) is not None:
            return found
    return _too_early(trend, tooth, patience_s) or Ruling(VerdictKind.LEAK, _for_a_leak(trend))


def _is_sure(trend: Trend) -> bool:
    growth, line = trend.growth_bytes, trend.line
    share = _TELLING_SHARE * min(math.sqrt(max(trend.window_s / _TELLING_S, 1.0)), 10.0)
    if growth < max(share * trend.level_bytes, _TELLING_BYTES):
        return False
    if trend.fine.z >= _SURE_FINE_Z and _is_white(trend):
        return True  # a line and white noise explain all of it
    if growth < 2.5 * trend.fall_bytes:
        return False
    return line.z >= _SURE_Z or (line.plain_z >= _SURE_Z and growth > 5 * trend.fall_bytes)


def _is_white(trend: Trend) -> bool:
    """Whether each point says something of its own, as after collections; what is resident mostly repeats itself."""
    return trend.fine.plain_z <= _WHITE * trend.fine.z


def _slows_down(trend: Trend) -> Ruling | None:
    """Caches fill ever more slowly: the second half of the stretch grew by less than the first."""
    trusted = trend.bends or trend.growth_bytes > _CALM * trend.fall_bytes or trend.points < 24
    if trend.bend >= 0.7 or (trend.bend >= 0.5 and not trusted) or (trend.fine_bend >= 0.7 and _is_white(trend)):
        return None
    return Ruling(VerdictKind.WARM_UP, f"slows down: its newer half grew {ratio(max(trend.bend, 0.0))} as fast")


def _slowed_down(trend: Trend) -> Ruling | None:
    """It grew faster before: where it might have gone on slowing at that pace, this is what a cache does as it fills.

    Had it, the second half of this stretch would have grown less than the first by a factor that follows from how far
    apart the two stretches are. A leak shows in time that it has not.
    """
    earlier, slope = trend.earlier, trend.line.slope.per_s
    if earlier is None or earlier.slope_per_s <= 1.5 * slope:
        return None
    if earlier.drop_bytes > 0.2 * earlier.slope_per_s * earlier.window_s:
        return None
    slower = earlier.slope_per_s / slope
    expected = slower ** (-trend.window_s / (earlier.window_s + trend.window_s))
    is_straight = trend.growth_bytes > 10 * trend.swing_bytes
    if trend.bend_low > expected or (is_straight and expected < 0.8 and trend.bend > (1 + expected) / 2):
        return None
    return Ruling(VerdictKind.WARM_UP, f"has slowed down {slower:.1f}-fold")


def _stopped(trend: Trend) -> Ruling | None:
    if trend.newest_bytes >= 0.3 * trend.growth_bytes / 4:
        return None
    return Ruling(VerdictKind.GROWING, f"has not grown for the last {duration(trend.window_s / 4)}")


def _jumps(trend: Trend) -> Ruling | None:
    if trend.jumps <= 0.7 or trend.jumps * trend.growth_bytes < 1.5 * trend.swing_bytes:  # noise makes steps as well
        return None
    return Ruling(VerdictKind.GROWING, "went up in one or two jumps")


def _under_load(trend: Trend) -> Ruling | None:
    """What is in use while requests are served grows with them, and goes back with them."""
    share = trend.growth_bytes / max(trend.level_bytes - trend.growth_bytes, 1.0)
    if not trend.load_growth >= _BUSIER or share >= 1.2 * trend.load_growth:
        return None
    return Ruling(VerdictKind.GROWING, f"its load has grown as well, by {ratio(trend.load_growth)}")


_OBJECTIONS: tuple[Callable[[Trend], Ruling | None], ...] = (_slows_down, _slowed_down, _stopped, _jumps, _under_load)


def _too_early(trend: Trend, tooth: Tooth | None, patience_s: float) -> Ruling | None:
    """A leak is claimed only after the growth has gone on for a while, and for longer than what was given back."""
    if trend.points < _ENOUGH and not (trend.points >= _ENOUGH // 2 and trend.growth_bytes > 0.3 * trend.level_bytes):
        return Ruling(VerdictKind.GROWING, f"seen at {trend.points} points only")
    if tooth is not None and trend.growth_bytes < 1.5 * tooth.bytes and trend.window_s < 2 * tooth.seconds:
        return Ruling(
            VerdictKind.GROWING, f"has given {byte_size(tooth.bytes)} back before, after {duration(tooth.seconds)}"
        )
    is_young = patience_s > PATIENCE_S
    if is_young and trend.growth_bytes < _YOUNG_SHARE * trend.level_bytes:
        share = ratio(trend.growth_bytes / trend.level_bytes)
        return Ruling(VerdictKind.GROWING, f"a young program still, as of a cache that fills: {share} so far")
    if trend.window_s < patience_s:
        young = " of a young program" if is_young else ""
        return Ruling(VerdictKind.GROWING, f"seen for {duration(trend.window_s)}{young} only, as of a cache that fills")
    return None


def _for_a_leak(trend: Trend) -> str:
    """What a cache that fills would not do, nor what is in use while there is more to do."""
    words = "grows as fast as before"
    return f"{words}, at the same load" if trend.load_growth < _BUSIER else words
