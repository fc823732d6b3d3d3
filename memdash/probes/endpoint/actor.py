"""Having a program collect its garbage through its endpoint."""

from __future__ import annotations

from collections.abc import Mapping

from memdash.errors import UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.missing import Maybe
from memdash.network.address import Address
from memdash.network.client import Client

__all__ = ["EndpointActor"]

_NOBODY = "an endpoint can force a collection and nothing else"


class EndpointActor:
    """Asks for ``heap?gc=1``: runtime.GC, then a heap profile. ``pprof`` is where net/http/pprof is."""

    def __init__(self, pprof: Address) -> None:
        self._client = Client(pprof)

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """Force a collection."""
        url = self._client.address.at("heap", "gc=1").url
        return {
            Action.FORCE_GC: f"it asks {url} for a heap profile after a collection: the program runs runtime.GC, which"
            " stops it twice for a moment and takes CPU time from it until all of its heap has been marked and swept"
        }

    def act(self, action: Action) -> str:
        """Have it done. Raises EndpointUnreachable, BadAnswer."""
        from memdash.probes.endpoint.profiles import LONGEST_GC_S, decoded

        if action is not Action.FORCE_GC:
            raise UnsupportedRuntime(_NOBODY)
        answer = self._client.get("heap", "gc=1", longer_s=LONGEST_GC_S)
        decoded(answer)  # whoever answers that to everything has collected nothing
        return "the program collected its garbage"

    def cancel(self) -> None:
        """Have ``act`` fail soon. From any thread."""
        self._client.cancel()

    def news(self) -> tuple[str, ...]:
        """Nothing happens on its own."""
        return ()

    def close(self) -> None:
        """Nothing stays behind. May be called twice."""
        self._client.cancel()
