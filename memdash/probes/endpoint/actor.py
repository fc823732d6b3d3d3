"""Having a program collect its garbage, and search for leaked goroutines, through its endpoint."""

from __future__ import annotations

from collections.abc import Mapping

from memdash.errors import UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.missing import Maybe
from memdash.network.client import Client
from memdash.probes.endpoint.leaks import LeakSearch
from memdash.units import count

__all__ = ["EndpointActor"]

_NOBODY = "an endpoint can force a collection and find leaks, and nothing else"
_COLLECTS = (
    "the program runs runtime.GC, which stops it twice for a moment and takes CPU time from it until all of its heap"
    " has been marked and swept"
)


class EndpointActor:
    """Asks for ``heap?gc=1``, which is runtime.GC and then a heap profile, and has ``search`` do its own."""

    def __init__(self, search: LeakSearch) -> None:
        self._client = Client(search.pprof)
        self._search = search

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """Force a collection, or one that finds leaks."""
        url = self._client.address.at("heap", "gc=1").url
        return {
            Action.FORCE_GC: f"Asks {url} for a heap profile after a collection: {_COLLECTS}",
            Action.FIND_LEAKS: f"Asks {self._search.url} for the goroutines that nothing can ever wake: to find them"
            f" {_COLLECTS}, several times over if need be",
        }

    def act(self, action: Action) -> str:
        """Have it done. Raises EndpointUnreachable, BadAnswer."""
        from memdash.probes.endpoint.profiles import LONGEST_GC_S, decoded

        if action is Action.FIND_LEAKS:
            return _found(self._search.run())
        if action is not Action.FORCE_GC:
            raise UnsupportedRuntime(_NOBODY)
        answer = self._client.get("heap", "gc=1", longer_s=LONGEST_GC_S)
        decoded(answer)  # whoever answers that to everything has collected nothing
        return "the program collected its garbage"

    def cancel(self) -> None:
        """Have ``act`` fail soon. From any thread."""
        self._client.cancel()
        self._search.cancel()

    def news(self) -> tuple[str, ...]:
        """Nothing happens on its own."""
        return ()

    def close(self) -> None:
        """Nothing stays behind. May be called twice."""
        self.cancel()


def _found(number: int) -> str:
    return f"found {count(number) if number else 'no'} leaked goroutine{'s' if number > 1 else ''}"
