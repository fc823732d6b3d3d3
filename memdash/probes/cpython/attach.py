"""Open a CPython interpreter, verify its layout, and make the probes that read it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from memdash.errors import BadRead, LayoutRefused, ProbeError
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.feed import AgentFeed
from memdash.probes.cpython.agent.link import AgentLink, Attempt
from memdash.probes.cpython.arenas import ArenaTable, find_arenas, list_arenas
from memdash.probes.cpython.census import Census
from memdash.probes.cpython.collector import Collector
from memdash.probes.cpython.gc import CollectorWatch
from memdash.probes.cpython.interpreter import Interpreter, open_interpreter
from memdash.probes.cpython.probes import ArenasProbe, CensusProbe, GcProbe, PymallocProbe, ThreadsProbe
from memdash.probes.cpython.pymalloc import NO_TABLE, NOT_IN_USE, Pymalloc
from memdash.probes.cpython.refusals import PATIENCE_S, SYSTEM_VIEW, NotStarted, once_started
from memdash.probes.cpython.sampler.frames import frame_words
from memdash.probes.cpython.sampler.readings import SamplerFeed, SitesProbe
from memdash.probes.cpython.sampler.sampling import Sampling
from memdash.probes.cpython.sampler.switch import Switch
from memdash.probes.cpython.threads import ThreadWatch
from memdash.probes.cpython.tracemalloc import TracedSites
from memdash.probes.cpython.tracing import Tracing, find_tracing
from memdash.probes.cpython.types import Types
from memdash.probes.cpython.verify import MODIFIED, verify
from memdash.probes.invariants import Check, refuse_if_failed
from memdash.probes.probe import Attachment, Probe
from memdash.process.identity import require_same
from memdash.units import nanoseconds

__all__ = ["attach"]

_YOUNG_S = 5.0
_PAUSE_S = 0.01

T = TypeVar("T")


def attach(target: Target, launched: Agents | None, sampling: Sampling | None) -> Attachment:
    """``launched`` has the agents of what memdash has started; ``sampling`` is wanted as soon as there is one.

    Raises ProbeError or TargetError, and then leaves nothing open.
    """
    started_ns = time.perf_counter_ns()
    until_s = time.monotonic() + PATIENCE_S
    while True:
        found = once_started(lambda: _attach(target, launched, sampling, started_ns))
        if _is_set_up(found) or not _is_young(target) or time.monotonic() > until_s:
            return found
        for actor in found.actors:
            actor.close()
        for probe in found.probes:
            probe.close()
        time.sleep(_PAUSE_S)


def _is_young(target: Target) -> bool:
    return time.time() - target.started_at_s < _YOUNG_S


def _is_set_up(found: Attachment) -> bool:
    """Whether nothing is missing that a Python lacks while it sets itself up: types, collector, arenas."""
    return not any(why.hint == MODIFIED or why is NOT_IN_USE for why in found.missing.values())


def _attach(target: Target, launched: Agents | None, sampling: Sampling | None, started_ns: int) -> Attachment:
    """Raises NotStarted when what makes no sense may be that of a Python which is just setting itself up."""
    interpreter = None
    try:
        interpreter = open_interpreter(target)
        return _attached(target, interpreter, AgentLink(target, launched, _inject), sampling, started_ns)
    except BaseException as error:
        if interpreter is not None:
            interpreter.close()
        if isinstance(error, ProbeError):
            require_same(target)  # what made no sense may have been another program's
        if isinstance(error, BadRead):
            raise (NotStarted if _is_young(target) else LayoutRefused)(
                f"its memory is not laid out as expected: {error.what}", SYSTEM_VIEW
            ) from error
        raise


def _inject(target: Target, script: str) -> Attempt:
    """Loads its modules, subprocess among them, only when a script is to get in."""
    from memdash.probes.cpython.inject.injection import Injection

    return Injection(target, script)


def _attached(
    target: Target, interpreter: Interpreter, link: AgentLink, sampling: Sampling | None, started_ns: int
) -> Attachment:
    feed = AgentFeed(link)
    switch = Switch(target, link, frame_words(interpreter.layout, interpreter.version.minor), sampling)
    sampler = SamplerFeed(target, interpreter, link, switch)
    collector, table, threads = Collector(interpreter), find_arenas(interpreter), _threads(interpreter, feed)
    tracing = find_tracing(interpreter)
    interpreter.binary.elf.rest()
    checks = verify(interpreter, collector, table, threads)
    watch = _unless_failed(checks, Capability.GC) or CollectorWatch(collector, feed)
    heap = _unless_failed(checks, Capability.MEMSTATS) or _heap(interpreter, table)
    if isinstance(watch, Missing) and isinstance(heap, Missing):
        refuse_if_failed(checks, Capability.GC, MODIFIED)
    depth = _depth(tracing)
    threads = _unless_failed(checks, Capability.TASKS) or threads
    census = _unless_failed(checks, Capability.OBJECTS) or _census(interpreter, table)
    probes: list[Probe] = []
    missing: dict[Capability, Missing] = {}

    def add(capability: Capability, found: Maybe[T], probe: Callable[[T], Probe]) -> None:
        if isinstance(found, Missing):
            missing[capability] = found
        else:
            probes.append(probe(found))

    add(Capability.GC, watch, lambda watch: GcProbe(interpreter, watch))
    probes.append(PymallocProbe(interpreter, heap, watch, feed, sampler))
    traced = None if isinstance(depth, Missing) or tracing is None else TracedSites(target, interpreter, tracing)
    probes.append(SitesProbe(interpreter, sampler, traced))
    add(Capability.TASKS, threads, lambda threads: ThreadsProbe(interpreter, threads, feed.others))
    add(Capability.OBJECTS, census, lambda census: CensusProbe(interpreter, census))
    add(Capability.ARENAS, heap, lambda heap: ArenasProbe(interpreter, heap))
    log = [*_log(interpreter, table, checks, started_ns), *_tracing_log(depth)]
    return Attachment(tuple(probes), missing, tuple(log), (link, switch))


def _depth(tracing: Tracing | None) -> Maybe[int]:
    """Frames of each allocation's stack that are kept now; 0 when allocations are not traced."""
    try:
        return 0 if tracing is None else tracing.depth()
    except BadRead as error:
        return Missing(error.what, MODIFIED)


def _tracing_log(depth: Maybe[int]) -> list[str]:
    if isinstance(depth, Missing) or not depth:
        return []
    return [f"it traces its allocations, with stacks of up to {depth} frames: that slows it several times"]


def _unless_failed(checks: tuple[Check, ...], capability: Capability) -> Missing | None:
    try:
        refuse_if_failed(checks, capability, MODIFIED)
    except LayoutRefused as error:
        return Missing.of(error)
    return None


def _threads(interpreter: Interpreter, feed: AgentFeed) -> Maybe[ThreadWatch]:
    try:
        return ThreadWatch(interpreter, feed.names)
    except LayoutRefused as error:
        return Missing.of(error)


def _heap(interpreter: Interpreter, table: ArenaTable | None) -> Maybe[Pymalloc]:
    return NO_TABLE if table is None else Pymalloc(interpreter, table)


def _census(interpreter: Interpreter, table: ArenaTable | None) -> Maybe[Census]:
    if table is None or table.arenas_at is None or table.length_at is None:
        return NO_TABLE
    if not list_arenas(interpreter, table.arenas_at, table.length_at):
        return NOT_IN_USE
    return Census(interpreter, table.arenas_at, table.length_at, Types(interpreter))


def _log(interpreter: Interpreter, table: ArenaTable | None, checks: tuple[Check, ...], started_ns: int) -> list[str]:
    spent = nanoseconds(time.perf_counter_ns() - started_ns)
    failed = [check for check in checks if not check.holds]
    parts = [
        f"read from memory in {spent}",
        *([interpreter.binary.name] if interpreter.binary.name else []),
        f"allocator found by {table.found_by}" if table else "allocator not found",
        f"{len(checks) - len(failed)} of {len(checks)} invariants hold",
    ]
    return [" · ".join(parts), *(f"does not hold: {check.name}: {check.why}" for check in failed)]
