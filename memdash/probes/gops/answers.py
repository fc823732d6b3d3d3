"""What a gops agent answers, as memdash's nouns. It is text from the target: refused when no agent would say it.

Every function here raises BadAnswer for that. Source: github.com/google/gops, agent/agent.go (handle,
formatBytes).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from memdash.errors import BadAnswer
from memdash.model.gc import GcStats, Pause
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.model.tasks import Task, TaskKind, Tasks
from memdash.probes.gc_figures import of_memstats

__all__ = ["goroutines", "memory", "text", "version"]

T = TypeVar("T")

_VERSION = re.compile(r"(?:go1\.|devel )[\x20-\x7e]{1,100}\n", re.ASCII)
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)
_BYTES = re.compile(r"(?:when heap-alloc >= )?(?:\d+\.\d\d[KMGTP]B \((\d{1,20}) bytes\)|(\d{1,20}) bytes)", re.ASCII)
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)(?:\.(\d{1,9}))?(s|ms|µs|ns))", re.ASCII)
_DECIMALS = {"s": 9, "ms": 6, "µs": 3, "ns": 0}
_LARGEST = 1 << 64
_NS_PER_S = 1e9

_UNTOLD = Missing("the gops agent does not tell it")
_NEWEST_ALONE = Missing("the gops agent tells only of the newest pause")
_ONLY_COUNTED = "only counted"
_ONLY_A_NUMBER = Missing("the gops agent tells only how many goroutines there are")


def text(answer: bytes) -> str:
    """An answer in words."""
    try:
        return answer.decode("utf-8")
    except UnicodeDecodeError:
        raise _nonsense() from None


def version(told: str) -> str:
    """The Go version of the program, as runtime.Version has it."""
    if not _VERSION.fullmatch(told):
        raise _nonsense()
    return told.rstrip()


def goroutines(told: str) -> Tasks:
    """All goroutines as one group, for no more is told of them than how many there are."""
    task = Task(
        kind=TaskKind.GOROUTINE,
        count=_whole(_fields(told, "num CPU").get("goroutines", "")),
        state=_ONLY_COUNTED,
        stack=(),
        created_by=_ONLY_A_NUMBER,
        waiting_s=_ONLY_A_NUMBER,
    )
    return Tasks((task,))


def memory(told: str) -> tuple[MemStats, GcStats]:
    """What the answer holds of MemStats, to the byte and the nanosecond, and says of the collector.

    LastGC is the end of the newest pause: the runtime writes one number to both (runtime/mgc.go, gcMarkTermination).
    """
    fields = _fields(told, "debug-gc")

    def field(name: str, meant: Callable[[str], T]) -> Maybe[T]:
        return meant(fields[name]) if name in fields else _UNTOLD

    alloc, cycles = field("alloc", _size), _whole(fields.get("num-gc", ""))
    pause, ended = field("gc-pause", _whole), field("gc-pause-end", _whole)
    stats = MemStats(
        Alloc=alloc,
        TotalAlloc=field("total-alloc", _size),
        Sys=field("sys", _size),
        Lookups=field("lookups", _whole),
        Mallocs=field("mallocs", _whole),
        Frees=field("frees", _whole),
        HeapAlloc=field("heap-alloc", _size),
        HeapSys=field("heap-sys", _size),
        HeapIdle=field("heap-idle", _size),
        HeapInuse=field("heap-in-use", _size),
        HeapReleased=field("heap-released", _size),
        HeapObjects=field("heap-objects", _whole),
        StackInuse=field("stack-in-use", _size),
        StackSys=field("stack-sys", _size),
        MSpanInuse=field("mspan-in-use", _size),
        MSpanSys=field("mspan-sys", _size),
        MCacheInuse=field("mcache-in-use", _size),
        MCacheSys=field("mcache-sys", _size),
        BuckHashSys=field("buck-hash-sys", _size),
        GCSys=field("gc-sys", _size),
        OtherSys=field("other-sys", _size),
        NextGC=field("next-gc", _size),
        LastGC=ended if cycles else 0,
        PauseTotalNs=field("gc-pause-total", _nanoseconds),
        NumGC=cycles,
        NumForcedGC=field("num-forced-gc", _whole),
        GCCPUFraction=field("gc-cpu-fraction", _share),
        EnableGC=field("enable-gc", _truth),
        DebugGC=field("debug-gc", _truth),
        BySize=_UNTOLD,
        PauseNs=_all_or_none(pause, cycles),
        PauseEnd=_all_or_none(ended, cycles),
    )
    return stats, _gc_stats(stats, cycles, pause, ended)


def _gc_stats(stats: MemStats, cycles: int, pause: Maybe[int], ended: Maybe[int]) -> GcStats:
    gc = of_memstats(stats, live=_UNTOLD, untold=_UNTOLD)
    if not cycles or isinstance(pause, Missing) or isinstance(ended, Missing):
        return gc
    return replace(gc, pauses=(Pause(ended / _NS_PER_S, pause),))


def _all_or_none(newest: Maybe[int], cycles: int) -> Maybe[tuple[int, ...]]:
    """The newest pauses, when the newest one is all there have been."""
    if not cycles:
        return ()
    return newest if isinstance(newest, Missing) else (newest,) if cycles == 1 else _NEWEST_ALONE


def _fields(told: str, last: str) -> dict[str, str]:
    """``name: value`` lines, of which the last must be there: an answer that was broken off is none."""
    fields = {}
    for line in told.removesuffix("\n").split("\n"):
        name, colon, value = line.partition(": ")
        if not colon or name in fields:
            raise _nonsense()
        fields[name] = value
    if last not in fields:
        raise _nonsense()
    return fields


def _size(told: str) -> int:
    match = _BYTES.fullmatch(told)
    return _whole((match[1] or match[2]) if match else "")


def _whole(told: str) -> int:
    if not _NUMBER.fullmatch(told) or int(told) >= _LARGEST:
        raise _nonsense()
    return int(told)


def _nanoseconds(told: str) -> int:
    """A time.Duration as Go writes it, which loses nothing: ``1m2.003s``, ``1.5µs``, ``0s``."""
    match = _DURATION.fullmatch(told)
    if match is None or len(told) > 40:
        raise _nonsense()
    hours, minutes, whole, part, unit = match.groups(default="")
    decimals = _DECIMALS[unit]
    if len(part) > decimals:
        raise _nonsense()
    seconds = int(hours or 0) * 3600 + int(minutes or 0) * 60
    return seconds * 10**9 + int(whole + part.ljust(decimals, "0"))


def _share(told: str) -> float:
    try:
        share = float(told)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise _nonsense()
    return share


def _truth(told: str) -> bool:
    if told not in ("true", "false"):
        raise _nonsense()
    return told == "true"


def _nonsense() -> BadAnswer:
    return BadAnswer("the gops agent told something that makes no sense")
