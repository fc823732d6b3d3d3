"""The memory of a watch whose samples somebody else remembers and judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from memdash.model.finding import Finding, NotYet
from memdash.model.sample import Sample
from memdash.model.snapshot import Snapshot
from memdash.session.memory import Memory

__all__ = ["Passing"]


class Passing(Memory):
    """Keeps the log, with what was done and what was noted; samples only pass through it."""

    def __init__(self, interval_s: float) -> None:
        super().__init__(interval_s, ())

    def add(
        self, shown: Snapshot, sample: Sample, also: Mapping[str, Finding | NotYet | None] = MappingProxyType({})
    ) -> Snapshot:
        """The snapshot that follows: no history, no verdict, no changes."""
        self._log.observe(sample.at, dict(also))
        return self.refreshed(replace(shown, at=sample.at, sample=sample))
