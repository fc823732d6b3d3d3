"""The memory of a watch into whose target memdash's agent is to come: what that takes itself is no growth of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from memdash.analysis.rules import Rule
from memdash.model.capability import Capability, Source
from memdash.model.finding import Finding, NotYet
from memdash.model.missing import Missing
from memdash.model.sample import Sample
from memdash.model.snapshot import Snapshot
from memdash.session.memory import Memory

__all__ = ["Settling"]

_SETTLES_S = 1.0
"""Its first answers allocate what is kept for the next ones."""
_OF_AGENT = "the agent has come"
_OF_SAMPLER = "allocations are sampled now"


class Settling(Memory):
    """Begins anew once the agent is there, and once more when it samples; what was there at first changes nothing.

    The log stays, and says so.
    """

    def __init__(self, interval_s: float, rules: Sequence[Rule], muted: Sequence[str] = ()) -> None:
        super().__init__(interval_s, rules, muted)
        self._there: frozenset[str] | None = None
        self._settled = frozenset[str]()
        self._settles_s = math.inf

    def has_settled(self, *, sampling: bool) -> bool:
        """Whether the agent is there, and samples where that is wanted, for long enough. Safe from any thread."""
        return self._settled >= ({_OF_AGENT, _OF_SAMPLER} if sampling else {_OF_AGENT})

    def add(
        self, shown: Snapshot, sample: Sample, also: Mapping[str, Finding | NotYet | None] = MappingProxyType({})
    ) -> Snapshot:
        """As ``Memory`` does."""
        there = _inside(sample)
        if self._there is None:
            self._there = self._settled = there
        if come := there - self._there:
            self._there |= come
            self._settles_s = sample.at.mono_s + _SETTLES_S
            self.note(sample.at, f"{' and '.join(sorted(come))}: history and changes begin after that")
        if sample.at.mono_s >= self._settles_s:
            self._settles_s = math.inf
            self.begin_anew()
            self._settled = self._there
        return super().add(shown, sample, also)


def _inside(sample: Sample) -> frozenset[str]:
    """What is in the target of ours, in words for the log: malloc is told by the agent alone."""
    sites = sample.origins.get(Capability.SITES)
    found = {_OF_SAMPLER} if sites is not None and sites.source is Source.AGENT else set()
    return frozenset(found if isinstance(sample.malloc, Missing) else {_OF_AGENT, *found})
