"""Having a program collect its garbage, and search for leaked goroutines, through its endpoint."""

from __future__ import annotations

from collections.abc import Mapping

from memdash.errors import BadAnswer, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.network.address import Address
from memdash.network.client import Client
from memdash.probes.asking import COLLECTS
from memdash.probes.endpoint.discover import VARS_BYTES
from memdash.probes.endpoint.leaks import LeakSearch
from memdash.probes.endpoint.memstats import of_expvar
from memdash.units import count

__all__ = ["EndpointActor"]

_NO_VARS = Missing("nothing else tells of its collections")
_NOBODY = "an endpoint can force a collection and find leaks, and nothing else"


class EndpointActor:
    """Asks for ``heap?gc=1``, which is runtime.GC and then a heap profile, and has ``search`` do its own.

    Where expvar is too, at ``vars_``, that it was done is not merely believed.
    """

    def __init__(
        self, search: LeakSearch, vars_: Maybe[Address] = _NO_VARS, why_no_search: Missing | None = None
    ) -> None:
        self._client = Client(search.pprof, check=search.check)
        self._vars = vars_
        self._why_no_search = why_no_search
        self._search = search

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """Force a collection, or one that finds leaks."""
        url = self._client.address.at("heap", "gc=1").url
        return {
            Action.FORCE_GC: f"Asks {url} for a heap profile after a collection: {COLLECTS}",
            Action.FIND_LEAKS: self._why_no_search
            or f"Asks {self._search.url} for the goroutines that nothing can ever wake: to find them"
            f" {COLLECTS}, several times over if need be",
        }

    def act(self, action: Action) -> str:
        """Have it done. Raises EndpointUnreachable, BadAnswer."""
        from memdash.probes.endpoint.profiles import LONGEST_GC_S, decoded, require_kind

        if action is Action.FIND_LEAKS:
            return _found(self._search.run())
        if action is not Action.FORCE_GC:
            raise UnsupportedRuntime(_NOBODY)
        before = self._forced()
        answer = self._client.get("heap", "gc=1", longer_s=LONGEST_GC_S)
        require_kind(decoded(answer), "heap", answer.url)  # whoever answers that to everything has collected nothing
        after = self._forced()
        if before is not None and after is not None and after <= before:
            raise BadAnswer(f"{answer.url} is answered, but the program has forced no collection since")
        return "the program collected its garbage"

    def _forced(self) -> int | None:
        """How many collections have been forced so far, where that is told."""
        if isinstance(self._vars, Missing):
            return None
        forced = of_expvar(self._client.get(self._vars.path, most_bytes=VARS_BYTES).body).NumForcedGC
        return None if isinstance(forced, Missing) else forced

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
