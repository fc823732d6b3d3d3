"""Numbers as pprof writes them: ``512.01kB``, ``12.34%``; what is printed here equals ``go tool pprof`` to the letter.

Everywhere else memdash writes numbers by ``units``. Source: github.com/google/pprof, internal/measurement.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from memdash.plain import plain

__all__ = ["AUTO", "label", "output_unit", "percentage", "scale"]

AUTO = "auto"
"""The unit that suits each value best."""


class _Unit(NamedTuple):
    name: str
    aliases: tuple[str, ...]
    factor: float


class _Family(NamedTuple):
    units: tuple[_Unit, ...]
    default_name: str
    default_factor: float


_BYTES = _Family(
    tuple(
        _Unit(name, aliases, float(1 << 10 * power))
        for power, (name, aliases) in enumerate((
            ("B", ("b", "byte")),
            ("kB", ("kb", "kbyte", "kilobyte")),
            ("MB", ("mb", "mbyte", "megabyte")),
            ("GB", ("gb", "gbyte", "gigabyte")),
            ("TB", ("tb", "tbyte", "terabyte")),
            ("PB", ("pb", "pbyte", "petabyte")),
        ))
    ),
    "B",
    1.0,
)  # fmt: skip
_TIMES = _Family(
    (
        _Unit("ns", ("ns", "nanosecond"), 1.0),
        _Unit("us", ("μs", "us", "microsecond"), 1e3),
        _Unit("ms", ("ms", "millisecond"), 1e6),
        _Unit("s", ("s", "sec", "second"), 1e9),
        _Unit("hrs", ("hour", "hr"), 3600e9),
    ),
    "s",
    1e9,
)
_UNINTERESTING = ("count", "sample", "unit", AUTO)


def _sniffed(family: _Family, unit: str) -> _Unit | None:
    word = unit.lower()
    if len(word) > 2:
        word = word.removesuffix("s")
    return next((known for known in family.units if word in known.aliases), None)


def scale(value: int, from_unit: str, to_unit: str) -> tuple[float, str]:
    """``value`` in another unit, or in the one that suits it (``auto``), and that unit, empty where it says nothing."""
    if value < 0:
        scaled, unit = scale(-value, from_unit, to_unit)
        return -scaled, unit
    for family in (_BYTES, _TIMES):
        given = _sniffed(family, from_unit)
        if given is not None:
            return _converted(float(value) * given.factor, family, to_unit)
    return float(value), "" if to_unit in _UNINTERESTING else to_unit


def _converted(base: float, family: _Family, to_unit: str) -> tuple[float, str]:
    if to_unit == AUTO:
        suiting = [unit for unit in family.units if base / unit.factor >= 1.0]
        if suiting:
            return base / suiting[-1].factor, suiting[-1].name
    elif wanted := _sniffed(family, to_unit):
        return base / wanted.factor, wanted.name
    return base / family.default_factor, family.default_name


def label(value: int, from_unit: str, to_unit: str = AUTO) -> str:
    """``value`` with two decimals at most, and its unit, whatever a file calls it: ``512.01kB``, ``3MB``, ``0``."""
    scaled, unit = scale(value, from_unit, to_unit)
    text = f"{scaled:.2f}".removesuffix(".00")
    return "0" if text in ("0", "-0") else text + plain(unit)


def percentage(value: int, total: int) -> str:
    """A share in six columns: ``" 4.20%"``, ``"  100%"``, ``"    0%"``."""
    share = abs(float(value) / float(total)) * 100 if total else 0.0
    if 99.95 <= share <= 100.05:
        return "  100%"
    return f"{share:5.2f}%" if share >= 1.0 else f"{share:5.2g}%"


def output_unit(values: Iterable[int], total: int, unit: str) -> str:
    """The one unit for a whole report, chosen by its smallest value that is not zero."""
    least = min((abs(value) for value in values if value), default=total)
    small, large = scale(least, unit, AUTO)[1], scale(total, unit, AUTO)[1]
    chosen = small
    if small != large and least * 100 < total:
        chosen = scale(100 * least, unit, AUTO)[1]
    return chosen or unit
