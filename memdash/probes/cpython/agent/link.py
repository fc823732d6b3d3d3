"""The agent of one target: absent, asked for, connected or gone; what can be done to the target through it.

Belongs to the sampler's thread, but for ``act`` and ``cancel``: while the agent does something, it is asked nothing.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeVar

from memdash.errors import AgentUnreachable, ProbeError, TimedOut, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.peer import Fields, Peer
from memdash.probes.cpython.agent.place import Place
from memdash.probes.cpython.agent.told import collected, trimmed

__all__ = ["NO_AGENT", "AgentLink", "Attempt", "Injector"]

NO_AGENT = "agent"
"""How the line of the log begins that says why one that was called does not come."""

_CALLING_S = 0.5
"""How long to wait for an agent that has just been called: a busy target has it running in 20 ms."""
_DEED_S = 60.0
_REST_S = 0.2
_PARTING_S = 3.0
"""An interpreter that ends lets its threads go first: what it frees after that takes up to seconds."""

_PAUSE_S = 0.01

_LOADS = "Runs memdash's agent in the target: one thread more, which waits to be asked and goes when memdash does"
_COLLECTS = (
    "Runs gc.collect() in the agent's thread. All threads of the target wait meanwhile, about 80 ms for a million "
    "objects, and finalizers run there"
)
_TRIMS = "Runs malloc_trim(0) in the agent's thread. Allocations of the target wait meanwhile, 3 to 50 ms"

_START_IT = "see to that and try again, or start it under memdash: memdash -- COMMAND"
_LOAD = "memdash --agent PID loads the agent"
_ABSENT = Missing("only memdash's agent inside the target can do or tell that", _LOAD)
_ONLY_AT_LAUNCH = Missing("only memdash's agent inside the target can do or tell that", "start it with memdash -- CMD")
_NOT_BROUGHT = Missing(
    "it has started without memdash's agent, as with -I, -E or -S, as another user, or with an environment of its own",
    _LOAD,
)
_GONE = Missing("memdash's agent was there and has gone", _LOAD)
_THERE = Missing("the agent is there")
_BEING_CALLED = Missing("the agent has been asked for")

T = TypeVar("T")


class Attempt(Protocol):
    """One attempt to have a target run a script; nothing of it blocks but ``close``."""

    def state(self) -> Maybe[str]:
        """How far it has come, in a clause such as ``waiting for it to wake``; Missing once it has failed."""

    def connected(self) -> None:
        """The agent is there: what has not run yet is not needed any more."""

    def close(self) -> None:
        """Take back what has not run yet. May be called at any moment, and twice."""


Injector = Callable[[Target, str], Attempt]
"""Begins to have a target run the script at a path, as the target sees it. Raises ProbeError or TargetError."""


class AgentLink:
    """Finds the agent of a target among ``launched``, when memdash has started it, or calls it with ``injector``.

    It is an Actor. ``connections`` counts the agents it has had, 0 before the first, and ``deeds`` what has been done.
    """

    def __init__(self, target: Target, launched: Agents | None, injector: Injector | None) -> None:
        self._target = target
        self._launched = launched
        self._injector = injector
        self._called: Agents | None = None
        self._met_at: Agents | None = None
        self._attempt: Attempt | None = None
        self._refusal: Missing | None = None
        self._peer: Peer | None = None
        self._news: list[str] = []
        self._cancelled = threading.Event()
        self._lock = threading.RLock()  # who acts waits for it, nobody else does
        self._gone_s = -math.inf
        self.connections = 0
        self.deeds = 0

    @property
    def epoch(self) -> tuple[int, int]:
        """What was told before it became another is out of date."""
        return self.connections, self.deeds

    @property
    def has_just_gone(self) -> bool:
        """Whether there was an agent a moment ago: most often its program ends, and what it told last still holds."""
        return time.monotonic() < self._gone_s + _PARTING_S

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """What can be done now."""
        why = self.absence()
        if why is None:
            return {Action.LOAD_AGENT: _THERE, Action.FORCE_GC: _COLLECTS, Action.TRIM: _TRIMS}
        can_call = self._injector is not None and not self._is_asked_for()
        return {Action.LOAD_AGENT: _LOADS if can_call else why, Action.FORCE_GC: why, Action.TRIM: why}

    def news(self) -> tuple[str, ...]:
        """What has happened since it was last asked."""
        with self._unless_it_acts() as is_free:
            if not is_free:
                return ()
            told, self._news = tuple(self._news), []
            return told

    @contextlib.contextmanager
    def _unless_it_acts(self) -> Iterator[bool]:
        is_free = self._lock.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._lock.release()

    def act(self, action: Action) -> str:
        """Do it and say what came of it. Raises ProbeError or TargetError."""
        match action:
            case Action.LOAD_AGENT:
                with self._lock:
                    return self._call()
            case Action.FORCE_GC:
                return self.do("collect", collected)
            case Action.TRIM:
                return self.do("trim", trimmed)
            case _:
                raise UnsupportedRuntime(f"memdash's agent cannot do that: {action.value}")

    def absence(self) -> Missing | None:
        """Why there is no agent, or None when there is; one that has come meanwhile is taken in, or let go."""
        with self._unless_it_acts() as is_free:
            if is_free:
                return self._absence()
            return _BEING_CALLED if self._peer is None else None

    def _absence(self) -> Missing | None:
        if self._peer is not None and self._peer.is_gone():
            self._drop("the agent has gone")
        if self._peer is None:
            self._claim()
        if self._peer is not None:
            return None
        if self._attempt is not None:
            state = self._failure() or self._attempt.state()
            if not isinstance(state, Missing):
                return Missing(f"the agent has been asked for: {state}")
            self._give_up()
            self._refusal = state
            self._news.append(f"{NO_AGENT}: {state.words}")
        if self._refusal is not None:
            return self._refusal
        if self._injector is None:
            return _ONLY_AT_LAUNCH
        if self.connections:
            return _GONE
        return _ABSENT if self._launched is None else _NOT_BROUGHT

    def ask(self, deed: str, patience_s: float, understood: Callable[[Fields], T], **fields: int | str) -> T:
        """What the agent answers; ``understood`` raises AgentUnreachable when that makes no sense.

        It is for what is asked again and again: an answer that came too late counts the next time. Raises TimedOut when
        it does not answer in time, as while it does something else, and ProbeError when there is none or it failed.
        """
        return self._ask(deed, patience_s, understood, anew=False, **fields)

    def _ask(
        self, deed: str, patience_s: float, understood: Callable[[Fields], T], *, anew: bool, **fields: int | str
    ) -> T:
        with self._unless_it_acts() as is_free:
            if not is_free:
                raise TimedOut("the agent is doing something else")
            why = self.absence()
            if why is not None or self._peer is None:
                raise AgentUnreachable(*((why.why, why.hint) if why else ("the agent has gone",)))
            try:
                return understood(self._peer.ask(deed, patience_s, self._cancelled, anew=anew, **fields))
            except AgentUnreachable as error:
                self._drop(error.what)
                raise

    def do(self, deed: str, understood: Callable[[Fields], T], **fields: int | str) -> T:
        """The same for a deed, done anew each time: it waits its turn, and for the answer. Raises ProbeError."""
        with self._lock:
            self.deeds += 1
            return self._ask(deed, _DEED_S, understood, anew=True, **fields)

    def bring(self, name: str, content: bytes) -> None:
        """Put a file where the agent finds it. Raises AgentUnreachable."""
        if self._met_at is None:
            raise AgentUnreachable("there is no agent yet")
        self._met_at.bring(name, content)

    def cancel(self) -> None:
        """Wait for no answer of the agent any more. From any thread."""
        self._cancelled.set()

    def close(self) -> None:
        """Let the agent go: one that was called undoes everything, one that was launched waits for the next watch."""
        self._give_up()
        if self._peer is not None:
            with contextlib.suppress(ProbeError):
                self._peer.ask("rest", _REST_S)
                if self._launched is not None and self._called is None:
                    self._launched.give_back(self._peer)
                    self._peer = None
        if self._peer is not None:
            self._peer.close()
            self._peer = None
        if self._called is not None:
            self._called.close()
            self._called = None

    def _call(self) -> str:
        why = self.absence()
        if why is None:
            return "it is there already"
        if self._injector is None or self._is_asked_for():
            raise AgentUnreachable(why.why, why.hint)
        self._refusal = None
        called = Agents(Place.seen_by(self._target), follows_forks=False)
        try:
            self._attempt = self._injector(self._target, called.script_path)
        except BaseException:
            called.close()
            raise
        self._called = called
        until_s = time.monotonic() + _CALLING_S
        while (why := self.absence()) is not None and self._is_asked_for() and time.monotonic() < until_s:
            self._cancelled.wait(_PAUSE_S)
        if why is None:
            return "it is there"
        if not self._is_asked_for():
            self._news.clear()  # this very answer tells it
            raise AgentUnreachable(why.why, why.hint)
        return why.why

    def _failure(self) -> Missing | None:
        told = self._called.failure() if self._called is not None else ""
        return Missing(f"its code could not start in the target: {told}", _START_IT) if told else None

    def _is_asked_for(self) -> bool:
        return self._attempt is not None

    def _claim(self) -> None:
        for agents in (self._launched, self._called):
            if agents is not None and (peer := agents.claim(self._target.pid)) is not None:
                self._peer, self._met_at = peer, agents
                self.connections += 1
                self._news.append("the agent is there: GC pauses, malloc and asyncio tasks are told from inside")
                break
        if self._peer is not None and self._attempt is not None:
            self._attempt.connected()

    def _drop(self, why: str) -> None:
        """Have no agent any more; the target is as before."""
        if self._peer is not None:
            self._gone_s = time.monotonic()
            self._peer.close()
            self._peer = None
        self._news.append(why)
        self._give_up()

    def _give_up(self) -> None:
        """End the attempt, so that another may be made."""
        if self._attempt is not None:
            self._attempt.close()
            self._attempt = None
        if self._called is not None and self._peer is None:
            self._called.close()
            self._called = None
