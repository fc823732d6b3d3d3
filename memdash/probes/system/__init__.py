"""What the kernel tells of any process, whatever it runs on.

Lives here: one module per source: ``process`` (the cheap files of /proc/PID, every tick), ``smaps`` (the page-table
walk, seldom), ``mappings`` (the same for each mapping, taken together in ``mapping_groups``), ``cgroup`` and
``pressure``, all of it read from files that stay open, and ``family`` (the process tree that the target belongs to;
``kinship`` says where a tree begins). Each figure that cannot be had says why on its own.
To add a figure, give ``model.system`` a field and fill it in the module of its source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memdash.errors import AccessDenied, ProbeError
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.probes.probe import Attachment, Fit, Probe
from memdash.probes.system.family import FamilyProbe
from memdash.probes.system.mappings import MappingsProbe
from memdash.probes.system.process import ProcessProbe
from memdash.probes.system.smaps import SmapsProbe

__all__ = ["SYSTEM"]


@dataclass(frozen=True, slots=True)
class _System:
    """What the kernel tells of any process."""

    name: str = "system"
    capabilities: frozenset[Capability] = frozenset(
        {Capability.SYSTEM, Capability.SMAPS, Capability.MAPPINGS, Capability.FAMILY}
    )
    wanted_for: frozenset[Action] = frozenset()

    def fitness(self, target: Target) -> Fit:
        """Every process has these figures, so it fits at the lowest score."""
        about = "RSS, swap, faults, threads, open files, CPU, cgroup, pressure, mappings, process tree: the kernel's"
        return Fit(0, self.capabilities, target.runtime, about=about)

    def attach(self, target: Target) -> Attachment:
        """Open the probes; another user's memory map stays closed, and the rest works."""
        probes: list[Probe] = [ProcessProbe(target.pid), FamilyProbe(target)]
        missing = {}
        try:
            for capability, opened in _CLOSED_TO_OTHERS:
                try:
                    probes.append(opened(target))
                except (ProbeError, AccessDenied) as error:
                    missing[capability] = Missing.of(error)
        except BaseException:
            for probe in probes:
                probe.close()
            raise
        return Attachment(tuple(probes), missing)


_CLOSED_TO_OTHERS: tuple[tuple[Capability, Callable[[Target], Probe]], ...] = (
    (Capability.SMAPS, lambda target: SmapsProbe(target.pid)),
    (Capability.MAPPINGS, MappingsProbe),
)
"""What the kernel shows only to those who may look into the process."""


SYSTEM = _System()
