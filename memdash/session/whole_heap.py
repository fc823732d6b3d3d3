"""HeapAlloc of a CPython means less once its agent has gone: then it is not known, rather than another figure."""

from __future__ import annotations

from dataclasses import replace

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.sample import Origin, Sample

__all__ = ["WholeHeap"]

_IN_PART = Missing(
    "memdash's agent has gone, and without it malloc's part is not known",
    "a check with --read-only has no agent, and judges small objects alone",
)


class WholeHeap:
    """Follows one watch, for whoever must not hold the smaller figure against a limit that is meant for the larger.

    A watch that never had an agent is left alone: there the smaller one is all that was ever meant.
    """

    def __init__(self) -> None:
        self._whole: Origin | None = None

    def kept(self, sample: Sample) -> Sample:
        """The same, without what has come to mean less; the other figures go on as if from the source that they had."""
        origin, stats = sample.origins.get(Capability.MEMSTATS), sample.memstats
        if origin is None or isinstance(stats, Missing) or isinstance(stats.HeapAlloc, Missing):
            return sample
        if not sample.counts_small_alone:
            self._whole = origin
            return sample
        if self._whole is None:
            return sample
        origins = {**sample.origins, Capability.MEMSTATS: replace(origin, source=self._whole.source)}
        return replace(sample, memstats=replace(stats, HeapAlloc=_IN_PART, Alloc=_IN_PART), origins=origins)
