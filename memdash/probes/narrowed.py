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
    """An entry of which no more is read than what has a pace."""

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
        """Open all. What is not wanted stays open and unread: probes of one entry may share what they hold."""
        attachment = self.entry.attach(target)
        missing = {capability: why for capability, why in attachment.missing.items() if capability in self.paces_s}
        wanted = [probe for probe in attachment.probes if probe.capabilities & self.paces_s.keys()]
        others = [probe for probe in attachment.probes if probe not in wanted]
        if not wanted:
            for probe in others:
                probe.close()
        kept = [_Paced(probe, self._pace_s(probe), others if probe is wanted[0] else ()) for probe in wanted]
        return replace(attachment, probes=tuple(kept), missing=missing)

    def _pace_s(self, probe: Probe) -> float:
        return min(self.paces_s[capability] for capability in probe.capabilities & self.paces_s.keys())


@dataclass(frozen=True, slots=True)
class _Paced:
    """A probe that may be read more seldom than it says itself; ``others`` end with it."""

    probe: Probe
    pace_s: float
    others: Sequence[Probe]

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
        for probe in (*self.others, self.probe):
            probe.close()
