"""A watch with memdash's agent in the target, without a screen; and the asyncio tasks, which nobody else can tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from memdash.errors import AgentUnreachable, ProbeError, TargetExited, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.finding import Finding, Severity
from memdash.model.series import watched_s
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Runtime, Target
from memdash.probes.cpython.agent.link import NO_AGENT
from memdash.probes.probe import ProbeEntry
from memdash.session.live import Live

__all__ = ["AgentWatch", "tasks_inside", "tells_of_no_agent"]

_PATIENCE_S = 60.0
"""For the agent to come and to begin: in a target with many busy threads both take seconds."""

_INTERVAL_S = 0.5
_LOOK_S = 0.1

_OF_AGENT = "malloc.in_use_bytes"
"""What is known of a Python for as long as the agent is there."""

_SECOND_LOOK_S = 1.5
"""So long after it came an agent has been asked for tasks: at the first look that may have timed out."""


class AgentWatch:
    """A watch over a process with the agent in it, from now until it is closed; then the agent is gone.

    ``wanted`` is what it is watched for, and says why where that cannot be had.
    """

    def __init__(self, target: Target, entries: Sequence[ProbeEntry], wanted: Capability) -> None:
        self._wanted = wanted
        self._session = Live(target, interval_s=_INTERVAL_S, entries=entries, asked=(Action.LOAD_AGENT,))
        self._news = threading.Event()
        self._session.subscribe(lambda _: self._news.set())
        self._session.start()

    def close(self) -> None:
        """End it."""
        self._session.close()

    def wait(self, holds: Callable[[Snapshot], bool], most_s: float) -> Snapshot:
        """The first moment of which it holds, or that when the time is up. Raises as ``newest`` does."""
        until_s = time.monotonic() + most_s
        while not holds(shown := self.newest()) and time.monotonic() <= until_s:
            self._news.wait(_LOOK_S)
            self._news.clear()
        return shown

    def begun(self, is_told: Callable[[Snapshot], bool], refuses: Callable[[Finding], bool]) -> Snapshot:
        """The first moment at which ``is_told``, or at which it is plain that it never will be. Raises as ``newest``.

        ``refuses`` says so of a line of the log. When patience is at its end it is the moment that there is then.
        """

        def is_settled(shown: Snapshot) -> bool:
            if shown.state is not State.LIVE:
                return False
            is_refused = any(map(refuses, shown.findings))
            return is_told(shown) or is_refused or shown.target.runtime is not Runtime.CPYTHON

        return self.wait(is_settled, _PATIENCE_S)

    def newest(self) -> Snapshot:
        """The newest moment. Raises TargetExited or ProbeError when there will be none any more."""
        shown = self._session.snapshot()
        if shown.state is State.ENDED:
            raise TargetExited(f"{shown.target.words} has ended before it was over")
        if shown.state is State.REFUSED:
            why = shown.missing[self._wanted]
            raise ProbeError(why.why, why.hint)
        return shown


def tasks_inside(target: Target, entries: Sequence[ProbeEntry]) -> Snapshot:
    """A moment with the asyncio tasks of a Python, if it has any, as the agent tells them; then the agent is gone.

    Raises UnsupportedRuntime where there is no Python, AgentUnreachable when it does not come, ProbeError when nothing
    can be read, TargetExited.
    """
    with closing(AgentWatch(target, entries, Capability.TASKS)) as watch:
        shown = watch.begun(_is_told, tells_of_no_agent)
    if shown.target.runtime is not Runtime.CPYTHON:
        raise UnsupportedRuntime(
            f"{shown.target.words} is no Python: asyncio tasks are a Python's alone", "leave --agent away"
        )
    if not _is_told(shown):
        refusal = next(filter(tells_of_no_agent, shown.findings), None)
        raise AgentUnreachable(refusal.summary if refusal else "the agent has not told its tasks")
    return shown


def tells_of_no_agent(finding: Finding) -> bool:
    """Whether a line of the log says that the agent does not come."""
    is_of_agent = finding.severity is Severity.WARNING and finding.summary.startswith(f"{Action.LOAD_AGENT.value}:")
    return is_of_agent or finding.summary.startswith(f"{NO_AGENT}:")


def _is_told(shown: Snapshot) -> bool:
    """Of a program without asyncio tasks too: that is so once the agent, which tells malloc, has named none."""
    told = shown.sample.origins.get(Capability.TASKS)
    if told is None or told.source is Source.AGENT:
        return told is not None
    inside = shown.history.series(_OF_AGENT, watched_s(shown.history)).known
    return bool(inside) and told.at.mono_s > inside[0][0] + _SECOND_LOOK_S
