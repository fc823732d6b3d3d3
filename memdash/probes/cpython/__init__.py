"""A CPython process, read from its memory: it is neither stopped nor asked, and need not have been prepared.

Lives here: ``detect`` (is it CPython, and which), ``binary`` (the file that holds it), ``interpreter`` (an opened one),
``verify`` (what must be true), ``attach``, ``collector`` and ``pauses`` → ``gc``, ``arenas`` and ``pymalloc`` →
``memstats``, ``text``, ``type_names`` and ``types`` → ``census``, and ``probes``, which read them. ``layouts`` holds
where each CPython minor keeps things. To read more, write a module that takes an ``Interpreter``, give it a probe in
``probes`` and name that in ``attach``.
"""

from __future__ import annotations

from dataclasses import dataclass

from memdash.errors import ProbeError, TargetError
from memdash.model.capability import Capability
from memdash.model.target import Runtime, Target
from memdash.probes.probe import Attachment, Fit, Refusal

__all__ = ["CPYTHON"]

_SCORE = 100


@dataclass(frozen=True, slots=True)
class _CPython:
    """Loads its modules when asked: who watches a Go program does without them, and their 30 ms."""

    name: str = "cpython"
    capabilities: frozenset[Capability] = frozenset({Capability.MEMSTATS, Capability.GC, Capability.OBJECTS})

    def fitness(self, target: Target) -> Fit | Refusal:
        """Look at the file with the interpreter and read which version it is: 1 to 4 ms."""
        from memdash.probes.cpython.detect import judge
        from memdash.probes.cpython.refusals import NotStarted, UnreadablePython

        try:
            version = judge(target.pid)
        except (ProbeError, TargetError) as error:
            return Refusal(error.what, error.hint, recognised=isinstance(error, (UnreadablePython, NotStarted)))
        about = "the collector's generations, blocks and arenas, and small objects by type, read from memory"
        return Fit(_SCORE, self.capabilities, Runtime.CPYTHON, f"cpython {version.text}", about)

    def attach(self, target: Target) -> Attachment:
        """Open, verify, and say what is missing. Raises ProbeError or TargetError, and then leaves nothing open."""
        from memdash.probes.cpython.attach import attach

        return attach(target)


CPYTHON = _CPython()
