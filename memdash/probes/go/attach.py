"""Open a Go program, verify its layout, and make the probes that read it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from memdash.errors import LayoutRefused
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.probes.go.counters import CounterReader
from memdash.probes.go.probes import (
    ArenasProbe,
    GoroutineProbe,
    HeapProfileProbe,
    MemStatsProbe,
    ObjectProbe,
    why_no_profile,
)
from memdash.probes.go.program import Program, open_program
from memdash.probes.go.verify import MODIFIED, verify
from memdash.probes.invariants import refuse_if_failed
from memdash.probes.probe import Attachment, Probe, Unable
from memdash.units import nanoseconds

__all__ = ["attach_once"]


def attach_once(target: Target, *, with_ids: bool) -> Attachment:
    """``with_ids`` is for goroutines. Raises ProbeError or TargetError, and then leaves nothing open."""
    started_ns = time.perf_counter_ns()
    program = open_program(target)
    try:
        return _attached(program, started_ns, with_ids=with_ids)
    except BaseException:
        program.close()
        raise


def _attached(program: Program, started_ns: int, *, with_ids: bool) -> Attachment:
    reader = CounterReader(program)
    checks = verify(program, reader)
    refuse_if_failed(checks, Capability.MEMSTATS, MODIFIED)
    probes: list[Probe] = [MemStatsProbe(program, reader)]
    missing = {}
    for capability, why_not, make in _more(with_ids=with_ids):
        why = why_not(program)
        if why is None:
            try:
                refuse_if_failed(checks, capability, MODIFIED)
                probes.append(make(program))
            except LayoutRefused as error:
                why = Missing.of(error)
        if why is not None:
            missing[capability] = why
    failed = [check for check in checks if not check.holds]
    spent = nanoseconds(time.perf_counter_ns() - started_ns)
    words = [f"read from memory in {spent}", "stripped" if program.is_stripped else "symbol table"]
    if not program.layout.recipes:
        words.append("layout from its debug information")
    log = [" · ".join([*words, f"{len(checks) - len(failed)} of {len(checks)} invariants hold"])]
    log += [f"does not hold: {check.name}: {check.why}" for check in failed]
    return Attachment(tuple(probes), missing, tuple(log), (_ONLY_READ,))


_ONLY_READ = Unable(
    {
        Action.FORCE_GC: Missing(
            "a Go program is only read, and collects its garbage when it thinks fit",
            "with --endpoint auto its net/http/pprof or gops agent is asked, if it has one",
        ),
        Action.FIND_LEAKS: Missing(
            "a Go program is only read, and searches for leaked goroutines only when it is asked",
            "with --endpoint auto its net/http/pprof is asked, if it serves that: Go 1.27 and later can search",
        ),
    }
)


def _why_no_goroutines(program: Program) -> Missing | None:
    if {"allglen", "allgptr"} <= program.addresses.keys():
        return None
    return Missing(
        "the runtime's list of goroutines could not be located in this stripped program",
        "a build with its symbol table (without -ldflags=-s) can be read",
    )


_More: TypeAlias = tuple[Capability, Callable[[Program], Missing | None], Callable[[Program], Probe]]


def _more(*, with_ids: bool) -> tuple[_More, ...]:
    """What is read beside the counters: a reason known beforehand why not, and the probe."""
    return (
        (Capability.SITES, why_no_profile, HeapProfileProbe),
        (Capability.TASKS, _why_no_goroutines, partial(GoroutineProbe, with_ids=with_ids)),
        (Capability.OBJECTS, lambda _: None, ObjectProbe),
        (Capability.ARENAS, lambda _: None, ArenasProbe),
    )
