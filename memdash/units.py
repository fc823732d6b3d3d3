"""Bytes, counts, durations, rates, shares and times: format and parse. Nobody else formats a number.

Bytes are binary (KiB, MiB). A formatted figure has at most four significant digits, so that a right-aligned column of
them does not dance. Counts are grouped by spaces up to 9 999 999 and shortened (``3.20 M``) beyond that.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from enum import Enum

from memdash.errors import UsageError

__all__ = [
    "KIB",
    "MIB",
    "PERIODS",
    "Unit",
    "age",
    "byte_size",
    "byte_tick",
    "clock_tick",
    "clock_time",
    "count",
    "day_and_zone",
    "duration",
    "error_words",
    "estimate",
    "exact",
    "exact_span",
    "figure",
    "file_time",
    "iso_time",
    "moment_words",
    "nanoseconds",
    "parse_bytes",
    "parse_duration",
    "parse_figure",
    "parse_growth",
    "parse_period",
    "per_minute",
    "quoted",
    "ratio",
    "signed",
    "span",
    "things",
    "time_range",
    "whole_percent",
    "zone_offset_s",
]

KIB = 1024
MIB = 1024 * KIB

_EXACT = 0.005

PERIODS = ((1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "d"))
"""What a rate may be per, in seconds and as it is written."""

_BYTE_STEPS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_COUNT_STEPS = ("", "k", "M", "G", "T", "P", "E")


class Unit(Enum):
    """What a number counts; decides how it is written."""

    BYTES = "bytes"
    COUNT = "count"
    NANOSECONDS = "ns"
    SECONDS = "s"
    RATIO = "ratio"
    PERCENT = "percent"


def _digits(value: float) -> str:
    """Write a non-negative value below 1024 with four significant digits at most, and two decimals at most."""
    if value >= 999.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def byte_size(value: float) -> str:
    """Bytes in binary steps: ``0 B``, ``512 B``, ``412.6 MiB``, ``-1.20 GiB``."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    if value < KIB:
        return f"{sign}{value:.0f} B"
    step = min(int(math.log2(value)) // 10, len(_BYTE_STEPS) - 1)
    scaled = value / (1 << 10 * step)
    if scaled >= 1023.5 and step < len(_BYTE_STEPS) - 1:
        scaled, step = scaled / KIB, step + 1
    return f"{sign}{_digits(scaled)} {_BYTE_STEPS[step]}"


def byte_tick(value: float) -> str:
    """A round number of bytes for an axis, without needless decimals: ``600 MiB``, ``1.5 GiB``."""
    number, _, unit = byte_size(value).partition(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}"


def count(value: float) -> str:
    """Things: ``412``, ``3 204 118``, ``912.4 M`` from ten million up."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    if value < 10_000_000:
        whole = f"{value:,.0f}" if value >= 10 or value == int(value) else _digits(value)
        return sign + whole.replace(",", " ")
    step = min(int(math.log10(value)) // 3, len(_COUNT_STEPS) - 1)
    scaled = value / 10 ** (3 * step)
    if scaled >= 999.95 and step < len(_COUNT_STEPS) - 1:
        scaled, step = scaled / 1000, step + 1
    return f"{sign}{_digits(scaled)} {_COUNT_STEPS[step]}"


def things(number: int, noun: str) -> str:
    """How many there are of what is called so: ``1 budget``, ``3 budgets``, ``0 budgets``."""
    return f"{count(number)} {noun}{'s' * (number != 1)}"


def nanoseconds(value: float) -> str:
    """A short time given in ns: ``85 ns``, ``112 µs``, ``1.84 ms``, ``2.31 s``."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    if value < 1_000:
        return f"{sign}{value:.0f} ns"
    if value < 999_500:
        return f"{sign}{value / 1e3:.0f} µs" if value >= 99_950 else f"{sign}{_digits(value / 1e3)} µs"
    if value < 999.5e6:
        return f"{sign}{_digits(value / 1e6)} ms"
    return sign + duration(value / 1e9)


def duration(seconds: float) -> str:
    """A span given in seconds: ``0.8 s``, ``42 s``, ``3m12s``, ``3h12m``, ``6d04h``."""
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if seconds < 9.95:
        return f"{sign}{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{sign}{whole} s"
    if whole < 3600:
        return f"{sign}{whole // 60}m{whole % 60:02d}s"
    if whole < 86_400:
        return f"{sign}{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{sign}{whole // 86_400}d{whole % 86_400 // 3600:02d}h"


def span(seconds: float) -> str:
    """A span without needless zeros: ``5m``, ``45s``, ``1h30m``, ``2d``."""
    words = duration(seconds).replace("m00s", "m").replace("h00m", "h").replace("d00h", "d")
    return words.replace(".0 s", "s").replace(" s", "s")


def time_range(soonest_s: float, latest_s: float) -> str:
    """A span that is known roughly, from a few seconds up: ``40–80 s``, ``7–9 min``, ``3 h``, ``2–11 d``."""
    step_s, unit = next((period for period in PERIODS if soonest_s < 100 * period[0]), PERIODS[-1])
    low, high = int(soonest_s / step_s), math.ceil(latest_s / step_s)
    if high > 10_000:
        return f"{count(low)} {unit} or more"
    return f"{count(low)}–{count(high)} {unit}" if high > low else f"{count(low)} {unit}"


def age(seconds: float) -> str:
    """How long ago: ``0.8 s ago``."""
    return f"{duration(max(seconds, 0.0))} ago"


def per_minute(per_s: float) -> str:
    """How often something happens, given per second: ``38 /min``, ``0.4 /min``."""
    value = per_s * 60
    return f"{count(round(value))} /min" if value >= 10 else f"{value:.1f} /min"


def ratio(value: float) -> str:
    """A share of one as a percentage: ``2.4 %``, ``45 %``."""
    return _percent(100 * value)


def error_words(error: float) -> str:
    """A share of one as it stands behind ±: ``12 %``; empty where the figure is as good as exact."""
    return "" if error < _EXACT else f"{count(round(100 * error))} %"


def estimate(size: int, error: float) -> str:
    """Bytes that are off by a share of one: ``1.00 MiB ± 25 %``; without that where they are as good as exact."""
    words = error_words(error)
    return f"{byte_size(size)} ± {words}" if words else byte_size(size)


def whole_percent(value: float) -> str:
    """A share of one in whole percent, never rounded up, since a limit is not reached before it is: ``82 %``."""
    return f"{math.floor(100 * value + 1e-9)} %"


def _percent(value: float) -> str:
    if value == 0 or abs(value) >= 99.95:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if abs(value) >= 0.095 else f"{value:.2f} %"


def figure(value: float, unit: Unit) -> str:
    """A value in its unit; the one entry point for tables."""
    match unit:
        case Unit.BYTES:
            return byte_size(value)
        case Unit.COUNT:
            return count(value)
        case Unit.NANOSECONDS:
            return nanoseconds(value)
        case Unit.SECONDS:
            return duration(value)
        case Unit.RATIO:
            return ratio(value)
        case Unit.PERCENT:
            return _percent(value)


def signed(value: float, unit: Unit, *, per: str = "") -> str:
    """A change with its sign, zero without one: ``+1.21 MiB/s``, ``-1.20 MiB``, ``0``."""
    text = figure(abs(value), unit)
    if text == figure(0, unit):
        return "0"
    return f"{'+' if value > 0 else '-'}{text}{per}"


def _local(wall_s: float) -> datetime:
    return datetime.fromtimestamp(wall_s, tz=UTC).astimezone()


def clock_time(wall_s: float) -> str:
    """A moment as local wall-clock time: ``12:07:41``."""
    return _local(wall_s).strftime("%H:%M:%S")


def moment_words(wall_s: float, beside_s: float) -> str:
    """A moment as local time, with its day where that is not the day of ``beside_s``: ``01-31 12:07:41``."""
    at, beside = _local(wall_s), _local(beside_s)
    return at.strftime("%H:%M:%S" if at.date() == beside.date() else "%m-%d %H:%M:%S")


def clock_tick(wall_s: float, step_s: float) -> str:
    """A local time beside an axis that has one every ``step_s``: ``12:07:40``, ``12:07``, ``31 Jan 12:00``."""
    form = "%H:%M:%S" if step_s < 60 else "%H:%M" if step_s < 10_800 else "%d %b %H:%M"
    return _local(wall_s).strftime(form)


def day_and_zone(wall_s: float) -> str:
    """The local day, and how far local time is ahead of UTC: ``2026-01-31, UTC+01:00``."""
    local = _local(wall_s).isoformat(timespec="seconds")
    return f"{local[:10]}, UTC{local[19:]}"


def zone_offset_s(wall_s: float) -> float:
    """How far local time is ahead of UTC then."""
    offset = _local(wall_s).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def file_time(wall_s: float) -> str:
    """A moment as local time in the name of a file: ``20260131-120741``."""
    return _local(wall_s).strftime("%Y%m%d-%H%M%S")


def iso_time(wall_s: float) -> str:
    """A moment in UTC as ISO 8601 with microseconds: ``2026-01-31T12:07:41.123456Z``."""
    return datetime.fromtimestamp(wall_s, tz=UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([a-zA-Zµ]*)\s*")
_BYTE_FACTORS = {"": 1, "b": 1} | {
    name: base**power
    for power, letter in enumerate("kmgtp", start=1)
    for name, base in ((letter, 1024), (f"{letter}ib", 1024), (f"{letter}b", 1000))
}
_SECOND_FACTORS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "": 1.0, "s": 1.0, "m": 60.0, "min": 60.0}
_SECOND_FACTORS |= {"h": 3600.0, "d": 86_400.0}


_LARGEST = float(1 << 63)
"""No counter of a kernel or a runtime reaches further, and what does is no number to those who read our JSON."""
_QUOTED_AT_MOST = 60


def quoted(text: str) -> str:
    """What somebody gave, as an error shows it: of what goes on and on the beginning."""
    return repr(text) if len(text) <= _QUOTED_AT_MOST else f"{text[:_QUOTED_AT_MOST]!r}…"


def _believed(value: float, text: str) -> float:
    """A number as large as things can be. Raises UsageError."""
    if not abs(value) < _LARGEST:
        raise UsageError(f"{quoted(text)} is more than anything here can be", "write less")
    return value


def _parse(text: str, factors: dict[str, int] | dict[str, float], what: str, examples: str) -> float:
    match = _NUMBER.fullmatch(text)
    factor = factors.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise UsageError(f"{quoted(text)} is not {what}", f"write it like {examples}")
    return float(match[1]) * factor


def parse_bytes(text: str) -> int:
    """Read a size: ``512MiB``, ``1.5g``, ``4096``; KB, MB are decimal. Raises UsageError."""
    value = _parse(text, _BYTE_FACTORS, "a size", "512MiB, 1.5GiB or 4096")
    if value < 0:
        raise UsageError(f"a size cannot be negative: {quoted(text)}", "write it like 512MiB")
    if 0 < value < 1:
        raise UsageError(f"a size is whole bytes: {quoted(text)}", "write it like 512MiB")
    return round(_believed(value, text))


def parse_duration(text: str) -> float:
    """Read a span in seconds: ``500ms``, ``1s``, ``5m``, ``1h``, ``2``. Must be positive. Raises UsageError."""
    value = _parse(text, _SECOND_FACTORS, "a duration", "500ms, 1s, 5m or 1h")
    if not 0 < value <= 366 * 86_400:
        raise UsageError(f"a duration must be more than zero and at most a year: {quoted(text)}", "write it like 5m")
    return value


def parse_period(text: str) -> float:
    """Read what a rate is per, in seconds: ``s``, ``min``, ``h`` or ``d``. Raises UsageError."""
    factor = _SECOND_FACTORS.get(text.strip().lower()) if text.strip() else None
    if factor is None or factor < 1:
        raise UsageError(f"{quoted(text)} is no time that a rate is per", "write it like /s, /min, /h or /d")
    return factor


def parse_growth(text: str) -> float:
    """Read a rate of growth in bytes per second: ``1MiB/min``, ``10KiB/s``, ``2GiB/h``. Raises UsageError."""
    size, _, per = text.partition("/")
    try:
        return parse_bytes(size) / parse_period(per)
    except UsageError:
        raise UsageError(f"{quoted(text)} is no rate of growth", "write it like 1MiB/min, 10KiB/s or 2GiB/h") from None


def parse_figure(text: str, unit: Unit) -> float:
    """Read a value in its unit: ``512MiB``, ``20ms``, ``90%``, ``200``. Raises UsageError."""
    match unit:
        case Unit.BYTES:
            return parse_bytes(text)
        case Unit.NANOSECONDS:
            return round(parse_duration(text) * 1e9)
        case Unit.SECONDS:
            return parse_duration(text)
    is_percent = text.endswith("%") and unit in (Unit.RATIO, Unit.PERCENT)
    match = _NUMBER.fullmatch(text.removesuffix("%") if is_percent else text)
    if match is None or match[2]:
        raise UsageError(
            f"{quoted(text)} is not a number", "write it like 90%" if unit is Unit.RATIO else "write it like 200"
        )
    value = _believed(float(match[1]), text)
    return value / 100 if unit is Unit.RATIO and is_percent else value


def exact(value: float, unit: Unit) -> str:
    """The shortest text that ``parse_figure`` reads as this value: ``512MiB``, ``5ms``, ``0.9``."""
    if unit is Unit.BYTES:
        step = max((n for n in range(len(_BYTE_STEPS) - 1) if value and value % (1 << 10 * n) == 0), default=0)
        return f"{value / (1 << 10 * step):.0f}{_BYTE_STEPS[step] if step else ''}"
    if unit is Unit.NANOSECONDS:
        factor, name = next(step for step in _NANOSECOND_STEPS if value % step[0] == 0 or step[0] == 1)
        return f"{_plain(value / factor)}{name}"
    return exact_span(value) if unit is Unit.SECONDS else _plain(value)


_NANOSECOND_STEPS = ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1, "ns"))


def exact_span(seconds: float) -> str:
    """The shortest text that ``parse_duration`` reads as this span: ``500ms``, ``30s``, ``5m``, ``1h``."""
    if seconds < 1:
        return f"{_plain(seconds * 1e3)}ms"
    factor, name = next((step for step in _SPAN_STEPS if seconds % step[0] == 0), (1, "s"))
    return f"{_plain(seconds / factor)}{name}"


_SPAN_STEPS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def _plain(value: float) -> str:
    """A number without an exponent and without needless zeros."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return text or "0"
