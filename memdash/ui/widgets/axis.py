"""Round values and times to write beside the axes of a chart."""

from __future__ import annotations

import math

from memdash.units import duration

__all__ = ["round_values", "span_words", "time_ticks"]

_STEPS_S = (
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
    3600.0, 7200.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0,
)  # fmt: skip
_LABEL_CELLS = 12


def span_words(span_s: float) -> str:
    """A span without needless zeros: ``5m``, ``45s``, ``1h30m``."""
    return (
        duration(span_s)
        .replace("m00s", "m")
        .replace("h00m", "h")
        .replace("d00h", "d")
        .replace(" s", "s")
        .replace(".0s", "s")
    )


def round_values(low: float, high: float, count: int, base: float) -> list[float]:
    """Values worth a label: round in the power of ``base`` they are shown in, at most ``count`` of them."""
    least = (high - low) / count
    unit = base ** max(int(math.log(max(high, 1.0), base)), 0)
    step = unit * 10 ** math.floor(math.log10(max(least / unit, 1e-9)))
    step = next((step * factor for factor in (1, 2, 5, 10) if step * factor >= least), 10 * step)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


def time_ticks(span_s: float, width: int, cells: int) -> list[tuple[int, str]]:
    """Round times before now, by column of ``width``, as many as ``cells`` have room for."""
    if width < 2 or span_s <= 0:
        return []
    most = max(cells // _LABEL_CELLS, 1)
    step_s = next((step_s for step_s in _STEPS_S if span_s / step_s <= most), span_s)
    last = width - 1
    ages_s = [number * step_s for number in range(int(span_s / step_s), 0, -1)]
    return [*((round(last * (1 - age_s / span_s)), f"-{span_words(age_s)}") for age_s in ages_s), (last, "now")]
