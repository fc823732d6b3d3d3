"""What can be done to a target when a person asks for it, and who does it.

To add an action:

1. Name it in ``Action``, with the question that a person is asked first, and the capabilities that it is meant to
   change: they are read before and after, and told.
2. Let an ``Actor`` offer it and do it. An entry of ``probes`` brings actors in its ``Attachment``; those who do not
   offer it need not know of it, unless they have a reason to tell why not.
3. Give it a key: a ``Command`` in ``ui.commands`` that ``needs`` it, with ``act('NAME')``.
4. Give it a verb: ``acting.verb`` makes one in a module of ``commands``, to be named in ``VERBS``.

What is asked and confirmed, who is asked, what the alert log says and what ``--read-only`` forbids follow from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self

from memdash.errors import MemdashError
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Sample
from memdash.model.target import Runtime

__all__ = ["Action", "Actor", "Deed", "nobody_does"]


_NOTHING = frozenset[Capability]()
_HEAP = frozenset({Capability.MEMSTATS, Capability.GC, Capability.SYSTEM, Capability.MALLOC})


class Action(Enum):
    """Everything beyond reading. The value is the word on screen; ``changes`` is what it is meant to change."""

    changes: frozenset[Capability]
    _asked: str

    LOAD_AGENT = "load agent", "Load memdash's agent into {}?", _NOTHING
    FORCE_GC = "force GC", "Force a collection in {}?", _HEAP
    TRIM = "trim", "Trim the memory of {}?", _HEAP
    SAMPLE = "sample allocations", "Sample the allocations of {}?", _NOTHING
    UNSAMPLE = "end sampling", "End the sampling of {}?", _NOTHING
    FIND_LEAKS = "find leaks", "Have {} search for leaks?", _HEAP | {Capability.TASKS}

    def __new__(cls, word: str, asked: str, changes: frozenset[Capability]) -> Self:
        """A member whose value is its word alone."""
        member = object.__new__(cls)
        member._value_ = word
        member._asked = asked
        member.changes = changes
        return member

    def question(self, whom: str) -> str:
        """What a person is asked before it is done to ``whom``: ``Force a collection in pid 41287?``."""
        return self._asked.format(whom)


_SAMPLED_ALREADY = Missing(
    "Go samples its allocations by itself", "its heap profile is shown without; memdash's sampling is for CPython"
)
_OF_PYTHON = "is for CPython, and of this program memdash knows no runtime"
_ELSEWHERE = {
    Runtime.GO: {
        Action.LOAD_AGENT: Missing("the agent is for CPython", "of a Go program all is read without it"),
        Action.TRIM: Missing(
            "Go gives memory back by itself", "to have it do so at once, a program calls debug.FreeOSMemory"
        ),
        Action.FIND_LEAKS: Missing(
            "nothing here can have the runtime search for leaked goroutines",
            "net/http/pprof of a program of Go 1.27 can, with --endpoint auto",
        ),
        Action.SAMPLE: _SAMPLED_ALREADY,
        Action.UNSAMPLE: _SAMPLED_ALREADY,
    },
    Runtime.CPYTHON: {
        Action.FIND_LEAKS: Missing(
            "only a Go program can search for what nothing can ever wake",
            "the pane of tasks and memdash leaks show threads and asyncio tasks that stay",
        )
    },
    Runtime.NATIVE: {
        Action.LOAD_AGENT: Missing(f"the agent {_OF_PYTHON}"),
        Action.SAMPLE: Missing(f"sampling {_OF_PYTHON}"),
        Action.UNSAMPLE: Missing(f"sampling {_OF_PYTHON}"),
    },
}
_NOBODY = Missing("nothing in this process can do that", "memdash doctor PID says how it can be read")


def nobody_does(action: Action, runtime: Runtime) -> Missing:
    """Why it cannot be done to a target of that kind, where no actor has a reason of its own; and what there is."""
    return _ELSEWHERE[runtime].get(action, _NOBODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One action: what came of it in a clause, or why it failed, and the target just before and after.

    ``after`` knows nothing of a target that could not be looked at any more. ``took_s`` is wall time; ``begun`` says
    that it is under way and that the clause tells no more than how far. ``error`` is what was raised when it was tried
    and failed. ``cause`` says why memdash did it without being asked for this very one, and is empty when a person was
    behind it.
    """

    action: Action
    outcome: Maybe[str]
    took_s: float
    before: Sample
    after: Sample
    begun: bool = False
    error: MemdashError | None = None
    cause: str = ""

    @property
    def failed(self) -> bool:
        """Whether it was not done."""
        return isinstance(self.outcome, Missing)

    @property
    def words(self) -> str:
        """What came of it, or why it failed and what helps."""
        return self.outcome.words if isinstance(self.outcome, Missing) else self.outcome


class Actor(Protocol):
    """Acts on one target. Belongs to the sampler's thread like a probe, but for ``act`` and ``cancel``.

    ``act`` runs on a thread of its own, and whatever it shares with probes must bear that: reading goes on meanwhile,
    and so do ``offers`` and ``news``, none of which may wait for it. Of all actors of a target one acts at a time.
    """

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """What could be done now, in one sentence that says what it does to the target; or why not, and what helps.

        Cheap: asked at every tick.
        """

    def act(self, action: Action) -> str:
        """Do it, blocking, and say in one clause what came of it. Raises ProbeError or TargetError.

        It must give up by itself in the end, in a minute say: nothing else is done to the target until then.
        """

    def cancel(self) -> None:
        """Have ``act``, under way or still to come, fail soon. The one thing that any thread may call."""

    def news(self) -> tuple[str, ...]:
        """Sentences about what has happened since it was last asked, for the alert log."""

    def close(self) -> None:
        """Let go of the target: what was brought into it undoes itself. Never while it acts. May be called twice."""
