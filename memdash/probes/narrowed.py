"""The usual ways of reading, held to a part of what they can: for those who may take little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.sample import Reading
from memdash.model.target import Target
from memdash.probes.probe import Attachment, Fit, Probe, ProbeEntry, Refusal

__all__ = ["narrowed"]


def narrowed(entries: Sequence[ProbeEntry], paces_s: Mapping[Capability, float]) -> tuple[ProbeEntry, ...]:
    """The same entries, which read these alone, each no more often than its pace says in seconds (0: as usual)."""
    return tuple(_Narrowed(entry, paces_s) for entry in entries)


@dataclass(frozen=True, slots=True)
class _Narrowed:
    entry: ProbeEntry
    paces_s: Mapping[Capability, float]

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self.entry.capabilities & self.paces_s.keys()

    @property
    def wanted_for(self) -> frozenset[Action]:
        return self.entry.wanted_for

    def fitness(self, target: Target) -> Fit | Refusal:
        return self.entry.fitness(target)

    def attach(self, target: Target) -> Attachment:
        """Open all and let go again of what is not wanted."""
        attachment = self.entry.attach(target)
        kept: list[Probe] = []
        for probe in attachment.probes:
            paces_s = [self.paces_s[capability] for capability in probe.capabilities & self.paces_s.keys()]
            if paces_s:
                kept.append(_Paced(probe, min(paces_s)) if min(paces_s) else probe)
            else:
                probe.close()
        missing = {capability: why for capability, why in attachment.missing.items() if capability in self.paces_s}
        return replace(attachment, probes=tuple(kept), missing=missing)


@dataclass(frozen=True, slots=True)
class _Paced:
    """A probe that is read more seldom than it says itself."""

    probe: Probe
    pace_s: float

    @property
    def name(self) -> str:
        return self.probe.name

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self.probe.capabilities

    @property
    def cadence_s(self) -> float:
        return max(self.probe.cadence_s, self.pace_s)

    def read(self) -> Reading:
        return self.probe.read()

    def close(self) -> None:
        self.probe.close()
