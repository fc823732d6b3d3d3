"""Allocations sampled for a while, without a screen: what a process has allocated since, and still holds of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing

from memdash.errors import AgentUnreachable, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.finding import Finding
from memdash.model.missing import Missing
from memdash.model.profile import Profile
from memdash.model.snapshot import Snapshot
from memdash.model.target import Runtime, Target
from memdash.probes.cpython.sampler.switch import NOT_SAMPLED, OF_ANOTHER
from memdash.probes.probe import ProbeEntry
from memdash.session.inside import AgentWatch, tells_of_no_agent

__all__ = ["SampledWatch", "sampled", "tells_of_hindrance", "tells_of_refusal"]

_LAST_READING_S = 20.0
"""Where it takes longer, the reading before counts."""


class SampledWatch(AgentWatch):
    """A watch over a process whose allocations the agent samples, from now until it is closed; then the agent is gone.

    Raises AgentUnreachable when it does not come to that, or it was ended elsewhere, UnsupportedRuntime when it never
    can, ProbeError when nothing can be read, TargetExited.
    """

    def __init__(self, target: Target, entries: Sequence[ProbeEntry]) -> None:
        super().__init__(target, entries, Capability.SITES)

    def begin(self) -> Profile:
        """Wait for the first sites."""
        return _require_sampling(self.begun(_is_sampled, tells_of_refusal))

    def look(self) -> Snapshot:
        """The newest moment."""
        shown = self.newest()
        _require_sampling(shown)
        return shown

    def look_after(self, until_s: float) -> Snapshot:
        """The first moment whose sites were read after a time of the monotonic clock, or what there is long after."""

        def is_over(shown: Snapshot) -> bool:
            origin = shown.sample.origins.get(Capability.SITES)
            return origin is not None and origin.at.mono_s >= until_s

        shown = self.wait(is_over, until_s - time.monotonic() + _LAST_READING_S)
        _require_sampling(shown)
        return shown


def sampled(
    target: Target, entries: Sequence[ProbeEntry], for_s: float, begun: Callable[[Profile], object]
) -> Snapshot:
    """Have the agent sample what ``target`` allocates for so long, and read it; then the agent is gone again.

    ``begun`` is given the first sites when they are there. Raises what a ``SampledWatch`` raises.
    """
    with closing(SampledWatch(target, entries)) as watch:
        begun(watch.begin())
        return watch.look_after(time.monotonic() + for_s)


def tells_of_refusal(finding: Finding) -> bool:
    """Whether a line of the log says that the target is not sampled, or that its agent does not come."""
    return tells_of_no_agent(finding) or finding.summary.startswith(NOT_SAMPLED)


def tells_of_hindrance(finding: Finding) -> bool:
    """Whether it says that, or what the agent still waits for, or that somebody else samples it in another way."""
    is_waiting = finding.summary.startswith(f"{Action.LOAD_AGENT.value}, under way:")
    return is_waiting or finding.summary == OF_ANOTHER or tells_of_refusal(finding)


def _is_sampled(shown: Snapshot) -> bool:
    origin = shown.sample.origins.get(Capability.SITES)
    return origin is not None and origin.source is Source.AGENT


def _require_sampling(shown: Snapshot) -> Profile:
    target = shown.target
    if target.runtime is not Runtime.CPYTHON:
        raise UnsupportedRuntime(
            f"{target.words} is no Python: only the allocations of a Python are sampled by the agent",
            "leave --agent away",
        )
    sites = shown.sample.sites
    if isinstance(sites, Missing):
        told = next(filter(tells_of_refusal, shown.findings), None)
        if told is not None:
            raise AgentUnreachable(told.summary)
        raise AgentUnreachable(f"its allocations are not sampled: {sites.why}", sites.hint)
    if not _is_sampled(shown):
        raise UnsupportedRuntime(
            f"{target.words} traces its allocations with tracemalloc", "leave --agent away for these sites"
        )
    return sites
