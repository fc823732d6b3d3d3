"""A Go program asked through the HTTP endpoints that it serves itself: only when a person wants it.

Lives here: ``discover`` (which of a URL, or of a process's own ports, is an endpoint), ``owner`` (whether it is the
target that answers, each time), ``memstats`` (of expvar, or of the text of a heap profile) and ``profiles``
(profile.proto), which ``probes`` read; ``actor`` (has it collect its garbage or, with ``leaks``, search for leaked
goroutines) and ``pulse`` (whether it still answers).
May import: ``network``, ``pprof``, ``process`` and what all probes may. Each answer is made by code that runs in the
program, so every fact says what it costs there. To read another endpoint, write a function from an ``Answer`` to facts
and name it in ``probes``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from memdash.errors import ProbeError, TargetError
from memdash.model.action import Action, Actor
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Runtime, Target
from memdash.network.address import Address
from memdash.probes.endpoint.pulse import Pulse
from memdash.probes.probe import Attachment, Fit, Refusal, Unable

if TYPE_CHECKING:
    from memdash.probes.endpoint.discover import Found

__all__ = ["Endpoint"]

_SCORE = 50
_ABOUT = "MemStats, allocation sites and goroutines, each told by code that runs in the program for it"
_FAR = Missing(
    "a server that is asked by its URL tells nothing of its process",
    "watched by its pid, where it runs, it shows this too",
)
_SERVED = frozenset({Capability.MEMSTATS, Capability.GC, Capability.SITES, Capability.TASKS})
_ONLY_LOCAL = frozenset(Capability) - _SERVED


_OLDEST_SEARCH = 26
"""Go 1.26 can be built with it (GOEXPERIMENT=goroutineleakprofile), 1.27 has it always."""


def _why_no_search(version: str) -> Missing | None:
    """Where the version is known beforehand, nobody need be asked for a yes to what cannot be done."""
    minor = version.removeprefix("go1.").partition(".")[0]
    if not minor.isdecimal() or int(minor) >= _OLDEST_SEARCH:
        return None
    return Missing(f"{version} has no search for leaked goroutines", "Go 1.27 and later have one")


@dataclass(slots=True)
class Endpoint:
    """Reads through ``address``, or through what it finds among the target's own ports when that is None.

    It asks nothing before it is asked itself, and remembers what it has found: looking again would cost the program
    more.
    """

    address: Address | None = None
    name: str = "endpoint"
    capabilities: frozenset[Capability] = _SERVED
    wanted_for: frozenset[Action] = frozenset({Action.FORCE_GC, Action.FIND_LEAKS})
    pulse: Pulse = field(default_factory=Pulse)
    _found: dict[Target, Found] = field(default_factory=dict)

    def fitness(self, target: Target) -> Fit | Refusal:
        """Look for a process's endpoint: a request or two for each port. That of a URL is asked when it is opened."""
        if not target.is_local:
            return Fit(_SCORE, self.capabilities, Runtime.GO, about=_ABOUT)
        try:
            found = self.find(target)
        except (ProbeError, TargetError) as error:
            return Refusal(error.what, error.hint)
        return Fit(_SCORE, self.capabilities - found.missing.keys(), Runtime.GO, about=_ABOUT)

    def attach(self, target: Target) -> Attachment:
        """Make the probes; they ask when they are read. Raises ProbeError or TargetError when there is no endpoint."""
        from memdash.probes.endpoint.actor import EndpointActor
        from memdash.probes.endpoint.leaks import LeakSearch
        from memdash.probes.endpoint.probes import probes_of

        found = self.find(target)
        search = None if isinstance(found.pprof, Missing) else LeakSearch(found.pprof, found.check)
        probes = probes_of(found, self.pulse, search)
        actors: tuple[Actor, ...] = ()
        if found.doubt is not None:
            actors = (Unable(dict.fromkeys(self.wanted_for, found.doubt)),)
        elif search is not None:
            actors = (EndpointActor(search, found.vars, _why_no_search(target.runtime_version)),)
        far = {} if target.is_local else dict.fromkeys(_ONLY_LOCAL, _FAR)
        log = (found.words,) if found.doubt is None else (found.words, found.doubt.why)
        return Attachment(probes, {**found.missing, **far}, log, actors)

    def find(self, target: Target) -> Found:
        """Where the target's endpoints are. Raises ProbeError or TargetError when there are none."""
        from memdash.probes.endpoint.discover import found_at, found_in
        from memdash.probes.endpoint.owner import Owner

        if target not in self._found:
            if not target.is_local and self.address is not None:
                self._found[target] = found_at(self.address)
            else:
                owner, address = Owner(target), self.address
                check = owner.check
                found = found_in(target, check=check) if address is None else found_at(address, check=check)
                self._found[target] = replace(found, check=check, doubt=owner.doubt(found))
        return self._found[target]
