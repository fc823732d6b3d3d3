"""A CPython process, read from its memory: it is neither stopped nor asked, and need not have been prepared.

Lives here: ``detect`` (is it CPython, and which ``version``), ``refusals`` (why it cannot be read), ``binary`` (the
file that holds it), ``interpreter`` (an opened one), ``verify`` (what must be true), ``attach``, ``collector`` and
``pauses`` → ``gc``, ``arenas`` and ``pymalloc`` → ``memstats``, ``types`` (with ``type_names``) → ``census``,
``states``, ``stacks``, ``code`` (with ``lines``), ``gil`` and ``native_ids`` → ``threads``, and ``probes``, which read
them; ``tracing`` (with ``hidden``), ``hashtable`` and ``tracebacks`` → ``traces``, ``blocks`` → ``sources``, both →
``sites``, ``library`` (which files are the program's own), which ``tracemalloc`` reads; ``text`` and ``record`` take
strings and structs apart. ``agent`` is one thread more in the target, and ``inject`` gets a script in: it alone writes
anything, and both only when asked; ``sampler`` is a heap profiler that the agent loads. ``layouts`` holds where each
CPython minor keeps things. To read more, write a module that takes an ``Interpreter``, give it a probe in ``probes``
and name that in ``attach``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memdash.errors import ProbeError, TargetError
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.target import Runtime, Target
from memdash.probes.probe import Attachment, Fit, Refusal

if TYPE_CHECKING:
    from memdash.probes.cpython.agent.agents import Agents
    from memdash.probes.cpython.sampler.sampling import Sampling

__all__ = ["CPYTHON", "CPython"]

_SCORE = 100
_CONDITIONAL = frozenset({Capability.SITES, Capability.MALLOC})
"""What a program tells only while it traces, or once it has an agent: promised to nobody beforehand."""


@dataclass(frozen=True, slots=True)
class CPython:
    """Loads its modules when asked: who watches a Go program does without them, and their 30 ms.

    ``launched`` has the agents of the programs that memdash has started; with ``sampling``, allocations are sampled as
    soon as there is an agent.
    """

    name: str = "cpython"
    capabilities: frozenset[Capability] = frozenset(
        {
            Capability.MEMSTATS,
            Capability.GC,
            Capability.MALLOC,
            Capability.TASKS,
            Capability.OBJECTS,
            Capability.SITES,
            Capability.ARENAS,
        }
    )
    launched: Agents | None = None
    sampling: Sampling | None = None
    wanted_for: frozenset[Action] = frozenset()

    def fitness(self, target: Target) -> Fit | Refusal:
        """Look at the file with the interpreter and read which version it is: 1 to 4 ms."""
        from memdash.probes.cpython.detect import judge
        from memdash.probes.cpython.refusals import NotStarted, UnreadablePython

        try:
            version = judge(target.pid)
        except (ProbeError, TargetError) as error:
            return Refusal(error.what, error.hint, recognised=isinstance(error, (UnreadablePython, NotStarted)))
        about = "the collector's generations, blocks and arenas, threads, and small objects by type, read from memory"
        at_once = self.capabilities - _CONDITIONAL
        return Fit(_SCORE, at_once, Runtime.CPYTHON, f"cpython {version.text}", about)

    def attach(self, target: Target) -> Attachment:
        """Open, verify, and say what is missing. Raises ProbeError or TargetError, and then leaves nothing open."""
        from memdash.probes.cpython.attach import attach

        return attach(target, self.launched, self.sampling)


CPYTHON = CPython()
