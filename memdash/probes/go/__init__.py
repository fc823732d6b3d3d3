"""A Go program, read from its memory: it is neither stopped nor asked, and need not have been prepared.

Lives here: ``detect`` (is it Go, and which ``version``), ``program`` (an opened one), ``moduledata`` and ``locate``
(its globals), ``fields`` (structs), ``verify`` (what must be true), ``attach``, ``heap_counts`` and ``caches`` →
``counters`` → ``memstats`` and ``gc``, ``buckets`` → ``heap_profile``, ``goroutine``, ``stacks`` and ``stack_pieces`` →
``goroutines``, with ``wait_reasons`` and ``waits`` → ``tasks``, ``types`` → ``objects``, ``arenas`` (where the heap
is), ``pclntab`` → ``symbols`` (names of code), and ``probes``, which read them. ``layouts`` holds where each Go minor
keeps things. To read something more, write a module that takes a ``Program``, give it a probe in ``probes`` and name
that in ``attach``.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from memdash.errors import ProbeError, TargetError, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.target import Runtime, Target
from memdash.probes.go.detect import judge
from memdash.probes.go.program import open_program
from memdash.probes.probe import Attachment, Fit, Refusal
from memdash.process.identity import require_same

__all__ = ["GO", "Go"]

_SCORE = 100
_STARTUP_S = 1.0
_RETRY_S = 0.02


@dataclass(frozen=True, slots=True)
class Go:
    """``with_ids`` has goroutines told apart, by their ids."""

    with_ids: bool = False
    name: str = "go"
    capabilities: frozenset[Capability] = frozenset(
        {
            Capability.MEMSTATS,
            Capability.GC,
            Capability.SITES,
            Capability.TASKS,
            Capability.OBJECTS,
            Capability.ARENAS,
        }
    )
    wanted_for: frozenset[Action] = frozenset()

    def fitness(self, target: Target) -> Fit | Refusal:
        """Look at the executable's headers and try to read a byte of memory: 1 ms, some 20 ms without build info."""
        try:
            version = judge(target)
            if version is None:
                with closing(open_program(target)) as program:
                    version = program.version
        except (ProbeError, TargetError) as error:
            return Refusal(error.what, error.hint)
        about = "MemStats, the collector, allocation sites, goroutines and objects, read from memory"
        return Fit(_SCORE, self.capabilities, Runtime.GO, version.text, about)

    def attach(self, target: Target) -> Attachment:
        """Open, verify, and say what is missing. Raises ProbeError or TargetError, and then leaves nothing open.

        A program that has only just started may not have set up its runtime: then what makes no sense is tried again.
        """
        from memdash.probes.go.attach import attach_once  # 15 ms, spared those who only ask what a process is

        while True:
            try:
                return attach_once(target, with_ids=self.with_ids)
            except ProbeError as error:
                require_same(target)  # what made no sense may have been another program's
                is_new = time.time() - target.started_at_s < _STARTUP_S
                if isinstance(error, UnsupportedRuntime) or not is_new:
                    raise
            time.sleep(_RETRY_S)


GO = Go()
