"""The sampler of one target, on or off: switched by whoever wanted it from the start, or by a person later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from memdash.errors import ProbeError, TargetError, TimedOut, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.cpython.agent.told import sampling, unsampled
from memdash.probes.cpython.sampler.sampling import Sampling
from memdash.units import byte_size

if TYPE_CHECKING:
    from memdash.probes.cpython.sampler.fitting import Fitting

__all__ = ["NOT_SAMPLED", "OF_ANOTHER", "Switch"]

NOT_SAMPLED = "allocations are not sampled"
"""How the line of the log begins that says why."""

OF_ANOTHER = "another memdash samples its allocations already, at a rate of its own"
"""The line of the log that says so."""

_OFF = Missing(
    "CPython keeps no record of where objects are allocated, unless its allocations are sampled",
    "memdash --agent --sample 64KiB PID samples its allocations, memdash -- COMMAND those of what it starts",
)
_PATIENCE_S = 0.05
_ASKED = Missing("the target has been asked to sample its allocations")
_ON = Missing("its allocations are sampled already")
_IS_OFF = Missing("its allocations are not sampled")
_BEGINS = (
    "Loads memdash's sampler into the target and hooks its allocators, for the sites that hold its memory: one"
    " allocation is looked at every {rate}, which takes 4 to 15 % more CPU time of what allocates much. It goes when"
    " memdash does"
)
_ENDS = "Gives the target its own allocators back: what was sampled is forgotten, and it runs as fast as before"


class Switch:
    """It is an Actor. ``header_at`` belongs to the thread that reads, ``act`` runs on another.

    ``wish`` is what is to be sampled once the agent is there; None when nobody has said anything of it. A person who
    begins it, or has ended it and begins again, means the same.
    """

    def __init__(self, target: Target, link: AgentLink, frames: tuple[int, ...], wish: Sampling | None) -> None:
        self._target = target
        self._link = link
        self._frames = "-".join(map(str, frames))
        self._how = wish or Sampling()
        self._is_wanted = wish is not None and wish.at_once
        self._at: Maybe[int] = _OFF
        self._connection = 0
        self._news: list[str] = []
        self._library: Maybe[Fitting] | None = None

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """To begin, or to end."""
        why = self._link.absence()
        library = why or self._fitting()
        if isinstance(library, Missing):
            return {Action.SAMPLE: library, Action.UNSAMPLE: library}
        if self._at is _ASKED:
            return {Action.SAMPLE: _ASKED, Action.UNSAMPLE: _ASKED}
        if not isinstance(self._at, Missing):
            return {Action.SAMPLE: _ON, Action.UNSAMPLE: _ENDS}
        return {Action.SAMPLE: _BEGINS.format(rate=byte_size(self._how.rate_bytes)), Action.UNSAMPLE: _IS_OFF}

    def act(self, action: Action) -> str:
        """Begin or end. Raises ProbeError or TargetError."""
        if action not in (Action.SAMPLE, Action.UNSAMPLE):
            raise UnsupportedRuntime(f"the sampler cannot do that: {action.value}")
        if action is Action.SAMPLE:
            begun = self._link.do("sample", sampling, **self._order())
            self._at = begun.header_at
            self._connection = self._link.connections
            self._is_wanted = True  # last: from now on the other thread would begin it, were the others not set
            return (
                f"one allocation is looked at every {byte_size(self._how.rate_bytes)}" if begun.is_ours else OF_ANOTHER
            )
        self._is_wanted, self._at = False, _OFF
        return self._link.do("unsample", unsampled)

    def cancel(self) -> None:
        """The link cancels what is asked of the agent."""

    def news(self) -> tuple[str, ...]:
        """That it has begun, or why it could not."""
        told, self._news = tuple(self._news), []
        return told

    def close(self) -> None:
        """The agent stops the sampler when it goes; with one that stays, it goes on."""

    def header_at(self) -> Maybe[int]:
        """Where the sampler's header is in the target, once it samples; it is started when that was wished for."""
        if not self._is_wanted:
            return _OFF
        why = self._link.absence()
        if why is not None:
            self._at = why
            return why
        if self._connection != self._link.connections or self._at is _ASKED:
            self._connection = self._link.connections
            self._at = self._first()
        return self._at

    def has_ended(self, why: Missing) -> None:
        """It was found to be off, though nobody here has switched it off."""
        self._at = why

    def _first(self) -> Maybe[int]:
        """Begin unless that takes long: then it is done all the same, and asked again."""
        try:
            begun = self._link.ask("sample", _PATIENCE_S, sampling, **self._order())
        except TimedOut:
            return _ASKED
        except ProbeError as error:
            self._news.append(f"{NOT_SAMPLED}: {error.what}")
            return Missing.of(error)
        rate = byte_size(self._how.rate_bytes)
        self._news.append(f"allocations are sampled, one every {rate}" if begun.is_ours else OF_ANOTHER)
        return begun.header_at

    def _order(self) -> dict[str, int | str]:
        """What the agent needs to be told, once the library is where it finds it. Raises ProbeError."""
        library = self._fitting()
        if isinstance(library, Missing):
            raise UnsupportedRuntime(library.why, library.hint)
        import zlib  # wanted only where there is an agent

        self._link.bring(library.name, library.content)
        return {
            "library": library.name,
            "build": zlib.crc32(library.content),
            "frames": self._frames,
            "rate": self._how.rate_bytes,
            "depth": self._how.depth,
            "domains": self._how.bits,
        }

    def _fitting(self) -> Maybe[Fitting]:
        """Looked for once."""
        if self._library is None:
            from memdash.probes.cpython.sampler.fitting import fitting  # wanted only where there is an agent

            try:
                self._library = fitting(self._target)
            except (ProbeError, TargetError) as error:
                self._library = Missing.of(error)
        return self._library
