"""Having a program collect its garbage through its gops agent."""

from __future__ import annotations

from collections.abc import Mapping

from memdash.errors import BadAnswer, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.missing import Maybe
from memdash.probes.asking import COLLECTS
from memdash.probes.gops.client import Agent, Question

__all__ = ["GopsActor"]

_OFFER = f"Asks the gops agent in the program for a collection: {COLLECTS}"
_DONE = b"ok"


class GopsActor:
    """Has the target run runtime.GC."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """Force a collection."""
        return {Action.FORCE_GC: _OFFER}

    def act(self, action: Action) -> str:
        """Have it done. Raises ProbeError, AccessDenied, TargetExited."""
        if action is not Action.FORCE_GC:
            raise UnsupportedRuntime("a gops agent can force a collection and nothing else")
        if self._agent.ask(Question.COLLECT) != _DONE:
            raise BadAnswer("the gops agent does not say that it has collected")
        return "the program collected its garbage"

    def cancel(self) -> None:
        """Have ``act`` fail soon. From any thread."""
        self._agent.cancel()

    def news(self) -> tuple[str, ...]:
        """Nothing happens on its own."""
        return ()

    def close(self) -> None:
        """Nothing stays behind. May be called twice."""
        self._agent.cancel()
