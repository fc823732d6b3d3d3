"""Open a Go program, verify its layout, and make the probes that read it."""

from __future__ import annotations

import time

from memdash.errors import LayoutRefused
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.probes.go.counters import CounterReader
from memdash.probes.go.probes import HeapProfileProbe, MemStatsProbe, why_no_profile
from memdash.probes.go.program import Program, open_program
from memdash.probes.go.verify import MODIFIED, verify
from memdash.probes.invariants import Check, refuse_if_failed
from memdash.probes.probe import Attachment, Probe
from memdash.units import nanoseconds

__all__ = ["attach_once"]

_NOT_READ = {
    Capability.TASKS: Missing("memdash does not read the goroutines of a Go program"),
    Capability.OBJECTS: Missing("memdash does not count the objects of a Go program by type"),
}


def attach_once(target: Target) -> Attachment:
    """Raises ProbeError or TargetError, and then leaves nothing open."""
    started_ns = time.perf_counter_ns()
    program = open_program(target)
    try:
        return _attached(program, started_ns)
    except BaseException:
        program.close()
        raise


def _attached(program: Program, started_ns: int) -> Attachment:
    reader = CounterReader(program)
    checks = verify(program, reader)
    refuse_if_failed(checks, Capability.MEMSTATS, MODIFIED)
    probes: list[Probe] = [MemStatsProbe(program, reader)]
    missing = dict(_NOT_READ)
    if (why := _add_profile(program, checks, probes)) is not None:
        missing[Capability.SITES] = why
    failed = [check for check in checks if not check.holds]
    spent = nanoseconds(time.perf_counter_ns() - started_ns)
    words = [f"read from memory in {spent}", "stripped" if program.is_stripped else "symbol table"]
    if not program.layout.recipes:
        words.append("layout from its debug information")
    log = [" · ".join([*words, f"{len(checks) - len(failed)} of {len(checks)} invariants hold"])]
    log += [f"does not hold: {check.name}: {check.why}" for check in failed]
    return Attachment(tuple(probes), missing, tuple(log))


def _add_profile(program: Program, checks: tuple[Check, ...], probes: list[Probe]) -> Missing | None:
    """Add the probe of allocation sites, or say why there is none."""
    why = why_no_profile(program)
    if why is None:
        try:
            refuse_if_failed(checks, Capability.SITES, MODIFIED)
            probes.append(HeapProfileProbe(program))
        except LayoutRefused as error:
            return Missing(error.what, error.hint)
    return why
