"""The probe of allocation sites: by the sampler while that is on, else by tracemalloc, while the program traces."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from memdash.errors import AgentUnreachable, BadRead, TimedOut
from memdash.model.capability import Capability, Source
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Reading
from memdash.model.target import Target
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.memstats import NO_TOTALS
from memdash.probes.cpython.sampler.cost import Cost, Counted
from memdash.probes.cpython.sampler.sampling import DOMAINS
from memdash.probes.cpython.sampler.switch import Switch
from memdash.probes.cpython.tracemalloc import TracedSites
from memdash.probes.slices import Done, Slices
from memdash.units import byte_size, clock_time, count, ratio

if TYPE_CHECKING:
    from memdash.probes.cpython.sampler.sites import Sampled, SampledSites
    from memdash.probes.cpython.sampler.tables import Header

__all__ = ["Asked", "SamplerFeed", "SitesProbe"]

_FIRST_SLICES_S, _SLICE_S = (0.018, 0.5), 0.018
_NS_PER_S = 1e9
_ALL = DOMAINS["raw"] | DOMAINS["mem"] | DOMAINS["obj"]
_IN_PART = Missing("only some of its allocators are sampled", "--sample-domains obj,mem,raw,numpy takes all")
_ELSEWHERE = Missing("its allocations are not sampled any more: that was ended elsewhere")
_NOT_NAMED = "the target has been asked for the names of what was sampled"


class Asked(NamedTuple):
    """Bytes that were asked of all allocators together since ``since_s`` (wall time)."""

    size: int
    since_s: float


class SamplerFeed:
    """What the sampler in one target counts, once it is on. Belongs to the thread that reads."""

    def __init__(self, target: Target, interpreter: Interpreter, link: AgentLink, switch: Switch) -> None:
        self._target = target
        self._interpreter = interpreter
        self._link = link
        self._switch = switch
        self._sites: SampledSites | None = None

    def sites(self) -> Maybe[SampledSites]:
        """Who reads them, or why there are none. Raises BadRead, AccessDenied, TargetExited."""
        at = self._switch.header_at()
        if isinstance(at, Missing):
            self._sites = None
            return at
        if self._sites is None or at != self._sites.tables.header_at:
            from memdash.probes.cpython.sampler.sites import SampledSites  # wanted only while it samples

            self._sites = SampledSites(self._target, self._interpreter, self._link, at)
        if not self._sites.tables.look().header.enabled:
            self._switch.has_ended(_ELSEWHERE)
            return _ELSEWHERE
        return self._sites

    @property
    def has_just_gone(self) -> bool:
        """Whether it was there a moment ago, and went with the agent."""
        return self._link.has_just_gone

    def asked(self) -> Maybe[Asked]:
        """All that was ever asked for, or why that is not known. Raises AccessDenied, TargetExited."""
        try:
            sites = self.sites()
            if isinstance(sites, Missing):
                return NO_TOTALS
            look = sites.tables.look()
        except BadRead as error:  # the other figures of the memory do not depend on it
            return Missing.of(error)
        if look.header.domains & _ALL != _ALL:
            return _IN_PART
        return Asked(look.asked_bytes, _begun_s(look.header))


class SitesProbe:
    """Sites, in slices of 18 ms of CPU time. ``traced`` reads those of tracemalloc, where that can be read."""

    name = "cpython.sites"
    capabilities = frozenset({Capability.SITES})
    cadence_s = 2.0

    def __init__(
        self,
        interpreter: Interpreter,
        feed: SamplerFeed,
        traced: TracedSites | None,
        cpu_s: Callable[[], float] = time.thread_time,
    ) -> None:
        self._interpreter = interpreter
        self._feed = feed
        self._traced = traced
        self._cost = Cost()
        self._was_sampled = False
        self._slices: Slices[None, Sampled] = Slices(_FIRST_SLICES_S, _SLICE_S, cpu_s)

    def read(self) -> Reading:
        """Read for a while; the last slice of a round returns a profile. Raises ProbeError, TargetError."""
        self._interpreter.require_running()
        sites = self._feed.sites()
        if isinstance(sites, Missing):
            self._slices.begin_anew()
            if self._was_sampled and self._feed.has_just_gone:
                raise AgentUnreachable(sites.why, sites.hint)  # what was sampled last still holds while a program ends
            self._was_sampled = False
            traced = None if self._traced is None else self._traced.read()
            return traced or Reading(Source.MEMORY, (), absent=sites)
        try:
            done = self._slices.go_on(sites.read)
        except TimedOut:
            return Reading(Source.AGENT, (), pending=_NOT_NAMED)
        if not isinstance(done, Done):
            return Reading(Source.AGENT, (), pending="the samples are being added up")
        self._was_sampled = True
        return Reading(Source.AGENT, (done.result.profile,), tuple(self._caveats(done.result)))

    def _caveats(self, sampled: Sampled) -> Iterator[str]:
        header, total = sampled.header, sampled.profile.total
        yield f"sampled since {clock_time(_begun_s(header))}"
        calls = 2 * total.alloc_objects - total.inuse_objects
        share = self._cost.share(Counted(time.monotonic(), calls, header.call_ps, header.slow_ns))
        if share is not None:
            yield f"sampling takes {ratio(share)} of a core (measured)"
        if sampled.own_bytes:
            yield f"without the {byte_size(sampled.own_bytes)} of memdash's own agent"
        if header.dropped:
            yield f"{count(header.dropped)} samples are missing: the sampler's tables are full, a larger rate helps"

    def close(self) -> None:
        """Give the interpreter back. May be called twice."""
        self._interpreter.close()


def _begun_s(header: Header) -> float:
    """When the sampling began, in wall time."""
    return time.time() - (time.monotonic_ns() - header.started_ns) / _NS_PER_S
