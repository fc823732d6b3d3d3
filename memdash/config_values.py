"""What the texts of settings mean: sizes, times, numbers, each with its bounds and an example of how to write it."""

from __future__ import annotations

from dataclasses import dataclass, field

from memdash.errors import UsageError
from memdash.units import parse_bytes, parse_duration, parse_growth, quoted

__all__ = [
    "USUAL_SOURCES",
    "Growth",
    "Limit",
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
    "parse_pid",
    "parse_rotate",
    "parse_run",
    "parse_sample",
    "parse_seconds",
    "parse_share",
    "parse_size",
    "parse_warm_up",
]

_SHORTEST_INTERVAL_S = 0.05
_LONGEST_INTERVAL_S = 60.0
_LEAST_RECORDING_BYTES = 1 << 20
_DEEPEST_TRACE = 100
_LEAST_SAMPLE_BYTES, _MOST_SAMPLE_BYTES = 1 << 10, 16 << 20
_DOMAINS = ("obj", "mem", "raw", "numpy")
_MOST_DIGITS = 18
_LEAST_LOG_BYTES, _MOST_LOG_FILES = 64 << 10, 1000
_LEAST_GC_AT, _SHORTEST_COOLDOWN_S = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Limit:
    """One ``NAME=VALUE`` of ``--max``, not yet understood: the name should be a metric's, the value in its unit.

    ``where`` says where it was found, as of all that is understood only later: for whoever cannot make sense of it.
    """

    metric: str
    value: str
    where: str = field(default="--max", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Growth:
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


def parse_interval(text: str) -> float:
    """Read a sampling interval in seconds, 50 ms to one minute: beyond that a dashboard is not live. UsageError."""
    seconds = parse_duration(text)
    if not _SHORTEST_INTERVAL_S <= seconds <= _LONGEST_INTERVAL_S:
        raise UsageError(f"an interval lies between 50ms and 60s, and {text!r} does not", "write it like 500ms or 2s")
    return seconds


def parse_pid(text: str) -> int:
    """Read a pid. UsageError."""
    number = _whole(text)
    if number is None:
        raise UsageError(f"{quoted(text)} is not a pid", f"to choose a process by its name: --name {text[:20]}")
    return number


def _whole(text: str) -> int | None:
    """A whole number that is none beyond reason: Python itself refuses to read one of 5000 digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def parse_limit(text: str) -> Limit:
    """Read a metric and its limit: ``HeapAlloc=512MiB``. UsageError."""
    name, equals, value = text.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise UsageError(f"{text!r} is not a limit", "write it like HeapAlloc=512MiB or system.threads=200")
    return Limit(name.strip(), value.strip())


def parse_most_growth(text: str) -> Growth:
    """Read a growth, with a slash as a rate. UsageError."""
    try:
        return Growth(parse_growth(text), True) if "/" in text else Growth(parse_bytes(text), False)
    except UsageError:
        raise UsageError(f"{quoted(text)} is no growth", "write it like 1MiB/min, or 64MiB for all of it") from None


def parse_size(text: str) -> int:
    """Read the size of a recording in bytes. UsageError."""
    size = parse_bytes(text)
    if size < _LEAST_RECORDING_BYTES:
        raise UsageError(f"{text} is too little for a recording", "a day of a busy program takes about 60MiB")
    return size


def parse_run(text: str) -> int:
    """Read the number of a run in a recording. UsageError."""
    number = _whole(text)
    if number is None:
        raise UsageError(f"{quoted(text)} is no number of a run", "memdash replay FILE.mdr says which runs there are")
    return number


def parse_rotate(text: str) -> int:
    """Read the size in bytes at which a log goes on in another file. UsageError."""
    size = parse_bytes(text)
    if size < _LEAST_LOG_BYTES:
        raise UsageError(f"{text} is too little for a log file", "write it like 50MiB; 64KiB is the least")
    return size


def parse_keep(text: str) -> int:
    """Read a number of files. UsageError."""
    number = _whole(text)
    if number is None or number > _MOST_LOG_FILES:
        raise UsageError(f"{quoted(text)} is not a number of files up to {_MOST_LOG_FILES}", "write it like 5")
    return number


def parse_depth(text: str) -> int:
    """Read a number of frames to trace. UsageError."""
    frames = _whole(text)
    if frames is None or not 1 <= frames <= _DEEPEST_TRACE:
        raise UsageError(
            f"{quoted(text)} is not a number of frames from 1 to {_DEEPEST_TRACE}",
            "it is for a program to be started: memdash --trace 5 -- COMMAND",
        )
    return frames


def parse_sample(text: str) -> int:
    """Read how many bytes there are between two samples in the mean, 0 for ``off``. UsageError."""
    if text.strip().lower() == "off":
        return 0
    rate = parse_bytes(text)
    if not _LEAST_SAMPLE_BYTES <= rate <= _MOST_SAMPLE_BYTES:
        raise UsageError(f"{text!r} does not lie between 1KiB and 16MiB", "write it like 64KiB, or off")
    return rate


def parse_domains(text: str) -> tuple[str, ...]:
    """Read names of Python's allocators, with commas between. UsageError."""
    names = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if unknown := [name for name in names if name not in _DOMAINS]:
        raise UsageError(f"there is no allocator {quoted(unknown[0])}", f"name some of {','.join(_DOMAINS)}")
    if not names:
        raise UsageError("no allocator is named", "--sample off samples nothing")
    return names


def parse_count(text: str) -> int:
    """Read a whole number from 1 on. UsageError."""
    number = _whole(text)
    if not number:
        raise UsageError(f"{quoted(text)} is not a whole number from 1 on", "write it like 20")
    return number


def parse_share(text: str) -> float:
    """Read a share: ``0.5%`` is 0.005. UsageError."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{text!r} is not a share", "write it like 0.005 or 0.5%")
    return share


def parse_warm_up(text: str) -> float:
    """Read a duration in seconds, which may be none. UsageError."""
    return 0.0 if text.strip() in ("0", "0s") else parse_duration(text)


def parse_gc_at(text: str) -> float:
    """Read a share of a limit, 0.1 to 1. UsageError."""
    try:
        share = parse_share(text)
    except UsageError:
        share = 0.0
    if not _LEAST_GC_AT <= share <= 1:
        raise UsageError(f"{text!r} is no share of a limit from 10% to 100%", "write it like 80%")
    return share


def parse_cooldown(text: str) -> float:
    """Read a duration of a second or more. UsageError."""
    seconds = parse_duration(text)
    if seconds < _SHORTEST_COOLDOWN_S:
        raise UsageError(f"{text!r} is less than a second between two collections", "write it like 30s or 2m")
    return seconds


def parse_ceiling(text: str) -> int:
    """Read a limit of memory in bytes. UsageError."""
    size = parse_bytes(text)
    if size < 1:
        raise UsageError(f"{text!r} is no limit", "write it like 900MiB")
    return size


def parse_seconds(text: str) -> int:
    """Read a number of whole seconds. UsageError."""
    seconds = parse_duration(text)
    if seconds != int(seconds):
        raise UsageError(f"{text!r} is not a number of whole seconds", "write it like 30 or 1m")
    return int(seconds)
