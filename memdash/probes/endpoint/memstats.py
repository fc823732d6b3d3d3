"""runtime.MemStats as a program tells them itself: all of them through expvar, most of them under a heap profile.

Source: expvar/expvar.go (memstats), runtime/pprof/pprof.go (writeHeapInternal).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from functools import cache
from typing import Any

from memdash.errors import BadAnswer
from memdash.model.gc import GcStats
from memdash.model.memstats import MemStats, SizeClass
from memdash.model.missing import Missing
from memdash.plain import excerpt
from memdash.probes.gc_figures import of_memstats
from memdash.probes.pauses import newest_first

__all__ = ["HEAP_TEXT", "cmdline_of", "gc_stats", "of_expvar", "of_heap_text"]

HEAP_TEXT = b"heap profile: "
"""How the text of a heap profile begins."""
_TRAILER = b"\n# runtime.MemStats\n"
_TRAILER_BYTES = 64 << 10
_LINE = re.compile(r"# (\w+) = (.+)")
_SPLIT = {name: (f"{name}Inuse", f"{name}Sys") for name in ("Stack", "MSpan", "MCache")}
_LARGEST = (1 << 64) - 1
_RING = 256
_MOST_SIZE_CLASSES = 1024
_MOST_CYCLES = (1 << 32) - 1
_LONGEST_NS = (1 << 63) - 1
_CLOCKS_DIFFER_S = 24 * 3600
"""A server's clock may go before ours, but not by more."""

_UNTOLD = Missing("what this endpoint answers does not hold it", "publish expvar too: it tells all of MemStats")
_IN_MEMORY = "watched by its pid, the process has it in its memory"
_NO_LIVE_HEAP = Missing("MemStats do not tell what the last collection found alive", _IN_MEMORY)
_NO_SETTING = Missing("MemStats do not tell it", _IN_MEMORY)
_RINGS = ("PauseNs", "PauseEnd")
_SWITCHES = ("EnableGC", "DebugGC")
_FRACTION = "GCCPUFraction"
_NOT_COUNTS = frozenset({_FRACTION, "BySize", "HeapSmall", *_RINGS, *_SWITCHES})
_COUNTS = tuple(name for name in MemStats.__dataclass_fields__ if name not in _NOT_COUNTS)


def of_expvar(body: bytes) -> MemStats:
    """What /debug/vars says. Raises BadAnswer."""
    import msgspec

    try:
        told: dict[str, Any] = msgspec.structs.asdict(msgspec.json.decode(body, type=_vars()).memstats)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _not_expvar(error) from None
    rows = told.pop("BySize")
    if rows is not None:
        told["BySize"] = tuple(SizeClass(row.Size, row.Mallocs, row.Frees) for row in rows[:_MOST_SIZE_CLASSES])
    return _mem_stats({name: value for name, value in told.items() if value is not None})


def cmdline_of(body: bytes) -> list[str] | None:
    """The command line that /debug/vars tells; None when it tells none. Raises BadAnswer."""
    import msgspec

    try:
        told = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get("cmdline")
        return None if told is None else msgspec.json.decode(told, type=list[str])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _not_expvar(error) from None


def _not_expvar(error: Exception) -> BadAnswer:
    return BadAnswer(f"this is not what expvar answers: {excerpt(str(error))}")


@cache
def _vars() -> Any:
    """What is looked for in the answer; whatever else a program publishes is skipped and takes no memory."""
    import msgspec  # 30 ms, wanted when an endpoint is

    row = msgspec.defstruct("Row", [("Size", int), ("Mallocs", int), ("Frees", int)])
    kinds: dict[str, Any] = dict.fromkeys(_COUNTS, int) | dict.fromkeys(_RINGS, list[int])
    kinds |= dict.fromkeys(_SWITCHES, bool) | {_FRACTION: float, "BySize": list[row]}  # type: ignore[valid-type]
    told = msgspec.defstruct("Told", [(name, kind | None, None) for name, kind in kinds.items()])
    return msgspec.defstruct("Vars", [("memstats", told)])


def of_heap_text(body: bytes) -> MemStats:
    """What stands under a heap profile in text form, as /debug/pprof/heap?debug=1 answers. Raises BadAnswer."""
    begin = body.rfind(_TRAILER)
    if not body.startswith(HEAP_TEXT) or begin < 0:
        raise BadAnswer("this is not a heap profile in text form")
    told: dict[str, Any] = {}
    for line in body[begin : begin + _TRAILER_BYTES].decode("ascii", "replace").splitlines():
        found = _LINE.fullmatch(line)
        if found:
            told |= _told(*found.groups())
    return _mem_stats(told)


def _told(name: str, text: str) -> Iterable[tuple[str, object]]:
    try:
        if name in _SPLIT:
            return list(zip(_SPLIT[name], map(int, text.split(" / ")), strict=True))
        if name in _RINGS:
            return [(name, [int(word) for word in text.strip("[]").split()])]
        if name in _SWITCHES:
            return [(name, text == "true")]
        if name == _FRACTION:
            return [(name, float(text))]
        return [(name, int(text))] if name in _COUNTS else []
    except ValueError:
        raise BadAnswer(f"this is not a heap profile in text form: its {name} is no number") from None


def _mem_stats(told: dict[str, Any]) -> MemStats:
    """Check what was told, and unroll Go's rings. Raises BadAnswer for what no program can have."""
    rings = {name: tuple(told.pop(name)[:_RING]) for name in _RINGS if name in told}
    numbers = [told[name] for name in _COUNTS if name in told]
    numbers += [number for ring in rings.values() for number in ring]
    numbers += [number for row in told.get("BySize", ()) for number in _numbers(row)]
    if "HeapAlloc" not in told or not all(0 <= number <= _LARGEST for number in numbers):
        raise BadAnswer("what it answers as MemStats is none")
    latest_ns = round((time.time() + _CLOCKS_DIFFER_S) * 1e9)
    most = {"NumGC": _MOST_CYCLES, "NumForcedGC": _MOST_CYCLES, "PauseTotalNs": _LONGEST_NS, "LastGC": latest_ns}
    bounded = [told.get(name, 0) <= largest for name, largest in most.items()]
    bounded += [number <= _LONGEST_NS for number in rings.get("PauseNs", ())]
    bounded += [number <= latest_ns for number in rings.get("PauseEnd", ())]
    if not all(bounded) or not 0 <= told.get(_FRACTION, 0) <= 1:  # which is never so of NaN
        raise BadAnswer("what it answers as MemStats is what no program can have")
    if "NumGC" in told:
        told |= {name: newest_first(ring, told["NumGC"]) for name, ring in rings.items()}
    names = (name for name in MemStats.__dataclass_fields__ if name != "HeapSmall")
    return MemStats(**{name: told.get(name, _UNTOLD) for name in names})


def _numbers(row: SizeClass) -> tuple[int, int, int]:
    return row.size_bytes, row.mallocs, row.frees


def gc_stats(stats: MemStats) -> GcStats:
    """The collector, as far as MemStats tell of it."""
    return of_memstats(stats, live=_NO_LIVE_HEAP, untold=_NO_SETTING)
