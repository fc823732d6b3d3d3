"""What the texts of settings mean: sizes, times, numbers, each with its bounds and an example of how to write it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from memdash.errors import UsageError
from memdash.units import parse_bytes, parse_duration, parse_growth, quoted

__all__ = [
    "USUAL_SOURCES",
    "Limit",
    "MostGrowth",
    "SourcePath",
    "parse_ceiling",
    "parse_cooldown",
    "parse_count",
    "parse_depth",
    "parse_domains",
    "parse_gc_at",
    "parse_interval",
    "parse_keep",
    "parse_limit",
    "parse_most_growth",
    "parse_name",
    "parse_pid",
    "parse_rotate",
    "parse_run",
    "parse_sample",
    "parse_seconds",
    "parse_share",
    "parse_size",
    "parse_warm_up",
]

Number = TypeVar("Number", int, float)

_MOST_DIGITS = 18
_DOMAINS = ("obj", "mem", "raw", "numpy")


@dataclass(frozen=True, slots=True)
class Limit:
    """One ``NAME=VALUE`` of ``--max``, not yet understood: the name should be a metric's, the value in its unit.

    ``where`` says where it was found, as of all that is understood only later: for whoever cannot make sense of it.
    """

    metric: str
    value: str
    where: str = field(default="--max", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MostGrowth:
    """One ``--max-growth``: bytes in all since the attach or baseline, or a second where ``is_rate``."""

    bytes: float
    is_rate: bool


@dataclass(frozen=True, slots=True)
class SourcePath:
    """Folders to look for source files in, none for the usual ones, and what to cut off the front of a path first."""

    search: tuple[str, ...] = ()
    trim: tuple[str, ...] = ()

    @classmethod
    def of(cls, search: str | None, trim: str | None) -> SourcePath:
        """What ``--source-path`` and ``--trim-path`` say: folders separated by colons."""
        return cls(*(tuple(folder for folder in (text or "").split(":") if folder) for text in (search, trim)))


USUAL_SOURCES = SourcePath()


def _within(
    parse: Callable[[str], Number], what: str, hint: str, least: float, most: float = math.inf
) -> Callable[[str], Number]:
    """What reads a number as ``parse`` does, and raises UsageError out of bounds: ``what`` of the text, put for {}."""

    def read(text: str) -> Number:
        number = parse(text)
        if not least <= number <= most:
            raise UsageError(what.format(quoted(text)), hint)
        return number

    return read


def _whole(text: str) -> int:
    """A whole number, -1 for what is none or beyond reason: Python itself refuses to read one of 5000 digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else -1


def _share(text: str) -> float:
    """A share of one, -1 for what is no number."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return -1.0


parse_interval = _within(
    parse_duration, "an interval lies between 50ms and 60s, and {} does not", "write it like 500ms or 2s", 0.05, 60.0
)
"""A sampling interval in seconds: beyond a minute a dashboard is not live."""

parse_size = _within(
    parse_bytes, "{} is too little for a recording", "a day of a busy program takes about 60MiB", 1 << 20
)
"""The size of a recording in bytes."""

parse_rotate = _within(
    parse_bytes, "{} is too little for a log file", "write it like 50MiB; 64KiB is the least", 64 << 10
)
"""The size in bytes at which a log goes on in another file."""

parse_ceiling = _within(parse_bytes, "{} is no limit", "write it like 900MiB", 1)
"""A limit of memory in bytes."""

parse_run = _within(_whole, "{} is no number of a run", "memdash replay FILE.mdr says which runs there are", 0)
"""The number of a run in a recording."""

parse_keep = _within(_whole, "{} is not a number of files up to 1000", "write it like 5", 0, 1000)
"""A number of files."""

parse_depth = _within(
    _whole,
    "{} is not a number of frames from 1 to 100",
    "it is for a program to be started: memdash --trace 5 -- COMMAND",
    1,
    100,
)
"""A number of frames to trace."""

_parse_rate = _within(
    parse_bytes, "{} does not lie between 1KiB and 16MiB", "write it like 64KiB, or off", 1 << 10, 16 << 20
)

parse_count = _within(_whole, "{} is not a whole number from 1 on", "write it like 20", 1)
"""A whole number from 1 on."""

parse_cooldown = _within(
    parse_duration, "{} is less than a second between two collections", "write it like 30s or 2m", 1.0
)
"""A duration of a second or more."""

parse_share = _within(_share, "{} is not a share", "write it like 0.005 or 0.5%", 0, 1)
"""A share: ``0.5%`` is 0.005."""

parse_gc_at = _within(_share, "{} is no share of a limit from 10% to 100%", "write it like 80%", 0.1, 1)
"""A share of a limit."""


def parse_pid(text: str) -> int:
    """Read a pid. UsageError."""
    number = _whole(text)
    if number < 0:
        raise UsageError(f"{quoted(text)} is not a pid", f"to choose a process by its name: --name {text[:20]}")
    return number


def parse_name(text: str) -> str:
    """Read the name of a process, or a part of one: in nothing at all every process is named. UsageError."""
    if not text.strip():
        raise UsageError("the name is empty", "memdash ps lists the processes that can be watched")
    return text


def parse_limit(text: str) -> Limit:
    """Read a metric and its limit: ``HeapAlloc=512MiB``. UsageError."""
    name, equals, value = text.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise UsageError(f"{text!r} is not a limit", "write it like HeapAlloc=512MiB or system.threads=200")
    return Limit(name.strip(), value.strip())


def parse_most_growth(text: str) -> MostGrowth:
    """Read a growth, with a slash as a rate. UsageError."""
    try:
        return MostGrowth(parse_growth(text), True) if "/" in text else MostGrowth(parse_bytes(text), False)
    except UsageError:
        raise UsageError(f"{quoted(text)} is no growth", "write it like 1MiB/min, or 64MiB for all of it") from None


def parse_sample(text: str) -> int:
    """Read how many bytes there are between two samples in the mean, 0 for ``off``. UsageError."""
    return 0 if text.strip().lower() == "off" else _parse_rate(text)


def parse_domains(text: str) -> tuple[str, ...]:
    """Read names of Python's allocators, with commas between. UsageError."""
    names = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if unknown := [name for name in names if name not in _DOMAINS]:
        raise UsageError(f"there is no allocator {quoted(unknown[0])}", f"name some of {','.join(_DOMAINS)}")
    if not names:
        raise UsageError("no allocator is named", "--sample off samples nothing")
    return names


def parse_warm_up(text: str) -> float:
    """Read a duration in seconds, which may be none. UsageError."""
    return 0.0 if text.strip() in ("0", "0s") else parse_duration(text)


def parse_seconds(text: str) -> int:
    """Read a number of whole seconds. UsageError."""
    seconds = parse_duration(text)
    if seconds != int(seconds):
        raise UsageError(f"{text!r} is not a number of whole seconds", "write it like 30 or 1m")
    return int(seconds)
