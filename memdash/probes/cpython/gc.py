"""The collector as memdash's nouns have it; what CPython has no equivalent of is Missing, with the reason."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from memdash.model.gc import GcStats, Pause
from memdash.model.missing import Maybe, Missing
from memdash.probes.cpython.agent.feed import AgentPauses
from memdash.probes.cpython.collector import Collector, CollectorState
from memdash.probes.cpython.pauses import Pauses
from memdash.probes.pauses import percentile

__all__ = ["BY_COUNTS", "NO_CPU", "NO_FORCED", "CollectorWatch", "Seen", "Stopwatch", "gc_stats"]

_REMEMBERED = 256
_NS_PER_S = 1e9

BY_COUNTS = Missing("CPython collects by counts of objects, not by bytes: see its generations")
NO_FORCED = Missing("CPython does not tell collections that the program asked for from its own")
NO_CPU = Missing("CPython does not count the CPU time of its collector")
_NEVER = Missing("no collection has finished yet")
_NOT_SEEN = Missing("no collection has finished since memdash began to look")
_NO_LIVE = Missing("CPython's collector does not measure what it leaves alive")
_NO_PHASES = Missing("CPython's collections have no phases to time")
_NO_GOGC = Missing("CPython has no GOGC; gc.set_threshold sets the counts at which it collects")
_NO_LIMIT = Missing("CPython has no memory limit of its own")


@dataclass(frozen=True, slots=True)
class Seen:
    """One look and what earlier ones remember. ``pauses`` is newest first, ``last_at_s`` wall time.

    ``paused_ns`` adds up all pauses, or those since ``timed_since_s`` (wall time) when it is the agent that times them.
    ``misses`` counts the looks so far before which more collections had ended than CPython remembers the times of:
    several look, and each has to tell.
    """

    state: CollectorState
    last_at_s: Maybe[float]
    pauses: Maybe[tuple[Pause, ...]]
    paused_ns: Maybe[int]
    misses: int = 0
    timed_since_s: float | None = None


class Stopwatch(Protocol):
    """Times collections where CPython does not."""

    def pauses(self) -> Maybe[AgentPauses]:
        """Those since it began; each is told once."""


class CollectorWatch:
    """Looks, and remembers: the newest 256 pauses, and when the count of collections last rose.

    Before CPython 3.15 the pauses are those that ``stopwatch`` tells.
    """

    def __init__(self, collector: Collector, stopwatch: Stopwatch) -> None:
        self._collector = collector
        self._stopwatch = stopwatch
        self._collections = -1
        self._last_at_s: Maybe[float] = _NOT_SEEN
        self._ended: dict[int, int] = {}
        self._rings: Pauses | None = None
        self._pauses: tuple[Pause, ...] = ()
        self._timed_since_s: float | None = None
        self._misses = 0

    def look(self) -> Seen:
        """Look once. Raises BadRead, AccessDenied, TargetExited."""
        state = self._collector.read()
        newly = state.collections - self._collections if self._collections >= 0 else 0
        self._collections = state.collections
        if not state.collections:
            self._last_at_s = _NEVER
        elif newly > 0:
            self._last_at_s = time.time()
        if isinstance(state.pauses, Missing):
            return self._seen_by_agent(state, state.pauses, self._stopwatch.pauses())
        if state.pauses is self._rings:
            return self._seen_last(state)
        known_before = len(self._ended.keys() & state.pauses.ended.keys())
        self._rings = state.pauses
        self._remember(state.pauses.ended)
        self._misses += newly > len(state.pauses.ended) - known_before
        return self._seen_last(state)

    def _seen_last(self, state: CollectorState) -> Seen:
        paused_ns = state.pauses if isinstance(state.pauses, Missing) else state.pauses.total_ns
        last_at_s = self._pauses[0].ended_at_s if self._pauses else _NEVER
        return Seen(state, last_at_s, self._pauses, paused_ns, self._misses)

    def _seen_by_agent(self, state: CollectorState, untimed: Missing, told: Maybe[AgentPauses]) -> Seen:
        if isinstance(told, Missing):
            why = Missing(untimed.why, told.hint)
            return Seen(state, self._last_at_s, why, why)
        if told.since_s != self._timed_since_s:
            self._ended.clear()
            self._pauses = ()
            self._timed_since_s = told.since_s
        if told.ended:
            self._remember(told.ended)
        last_at_s = self._pauses[0].ended_at_s if self._pauses else self._last_at_s
        return Seen(state, last_at_s, self._pauses, told.total_ns, timed_since_s=told.since_s)

    def _remember(self, ended: Mapping[int, int]) -> None:
        self._ended |= ended
        for old in sorted(self._ended)[:-_REMEMBERED]:
            del self._ended[old]
        since_boot_s = time.time() - time.monotonic()
        newest_first = sorted(self._ended.items(), reverse=True)
        self._pauses = tuple(
            Pause(since_boot_s + ended_ns / _NS_PER_S, length_ns) for ended_ns, length_ns in newest_first
        )


def gc_stats(seen: Seen) -> GcStats:
    """What one look says about the collector."""
    state = seen.state
    pauses = seen.pauses
    by_length = [] if isinstance(pauses, Missing) else sorted(pause.duration_ns for pause in pauses)
    untimed = pauses if isinstance(pauses, Missing) else _NEVER
    return GcStats(
        count=state.collections,
        forced=NO_FORCED,
        last_at_s=seen.last_at_s,
        next_target_bytes=BY_COUNTS,
        live_after_gc_bytes=_NO_LIVE,
        pause_p50_ns=percentile(by_length, 50) if by_length else untimed,
        pause_p99_ns=percentile(by_length, 99) if by_length else untimed,
        pause_max_ns=by_length[-1] if by_length else untimed,
        pause_total_ns=seen.paused_ns,
        cpu_fraction=NO_CPU,
        phase="collecting" if state.collecting else "idle" if state.enabled else "off",
        gogc=_NO_GOGC,
        memory_limit_bytes=_NO_LIMIT,
        last_cycle=_NO_PHASES,
        pauses=() if isinstance(pauses, Missing) else pauses,
        generations=state.generations,
        tracked_objects=state.tracked_objects,
    )
