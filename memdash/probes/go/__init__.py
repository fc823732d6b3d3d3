"""A Go program, read from its memory: it is neither stopped nor asked, and need not have been prepared.

Lives here: ``detect`` (is it Go, and which), ``program`` (an opened one), ``locate`` (its globals), ``verify`` (what
must be true), ``counters`` → ``memstats`` and ``gc``, ``buckets`` → ``heap_profile``, and ``probes``, which read them.
``layouts`` holds where each Go minor keeps things. To read something more, write a module that takes a ``Program``, and
give it a probe in ``probes``.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from memdash.errors import LayoutRefused, ProbeError, TargetError, UnsupportedRuntime
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Runtime, Target
from memdash.probes.go.counters import CounterReader
from memdash.probes.go.detect import judge
from memdash.probes.go.probes import HeapProfileProbe, MemStatsProbe, why_no_profile
from memdash.probes.go.program import Program, open_program, require_same
from memdash.probes.go.verify import Check, refuse_if_failed, verify
from memdash.probes.probe import Attachment, Fit, Probe, Refusal
from memdash.units import nanoseconds

__all__ = ["GO"]

_SCORE = 100
_STARTUP_S = 1.0
_RETRY_S = 0.02


@dataclass(frozen=True, slots=True)
class _Go:
    name: str = "go"
    capabilities: frozenset[Capability] = frozenset({Capability.MEMSTATS, Capability.GC, Capability.SITES})

    def fitness(self, target: Target) -> Fit | Refusal:
        """Look at the executable's headers and try to read a byte of memory: 1 ms, some 20 ms without build info."""
        try:
            version = judge(target)
            if version is None:
                with closing(open_program(target)) as program:
                    version = program.version
        except (ProbeError, TargetError) as error:
            return Refusal(error.what, error.hint)
        about = "MemStats, the collector and allocation sites, read from memory"
        return Fit(_SCORE, self.capabilities, Runtime.GO, version.text, about)

    def attach(self, target: Target) -> Attachment:
        """Open, verify, and say what is missing. Raises ProbeError or TargetError, and then leaves nothing open.

        A program that has only just started may not have set up its runtime: then what makes no sense is tried again.
        """
        while True:
            try:
                return _attach(target)
            except ProbeError as error:
                require_same(target)  # what made no sense may have been another program's
                is_new = time.time() - target.started_at_s < _STARTUP_S
                if isinstance(error, UnsupportedRuntime) or not is_new:
                    raise
            time.sleep(_RETRY_S)


def _attach(target: Target) -> Attachment:
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
    refuse_if_failed(checks, Capability.MEMSTATS)
    probes: list[Probe] = [MemStatsProbe(program, reader)]
    missing = {}
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
            refuse_if_failed(checks, Capability.SITES)
            probes.append(HeapProfileProbe(program))
        except LayoutRefused as error:
            return Missing(error.what, error.hint)
    return why


GO = _Go()
