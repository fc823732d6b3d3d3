"""What the kernel tells of any process, whatever it runs on.

Lives here: one module per source: ``process`` (the cheap files of /proc/PID, every tick), ``smaps`` (the page-table
walk, seldom), ``cgroup`` and ``pressure``, all of it read from files that stay open, and ``family`` (the process tree
that the target belongs to; ``kinship`` says where a tree begins). Each figure that cannot be had says why on its own.
To add a figure, give ``model.system`` a field and fill it in the module of its source.
"""

from __future__ import annotations

from dataclasses import dataclass

from memdash.errors import AccessDenied, ProbeError
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.probes.probe import Attachment, Fit, Probe
from memdash.probes.system.family import FamilyProbe
from memdash.probes.system.process import ProcessProbe
from memdash.probes.system.smaps import SmapsProbe

__all__ = ["SYSTEM"]


@dataclass(frozen=True, slots=True)
class _System:
    name: str = "system"
    capabilities: frozenset[Capability] = frozenset({Capability.SYSTEM, Capability.SMAPS, Capability.FAMILY})
    wanted_for: frozenset[Action] = frozenset()

    def fitness(self, target: Target) -> Fit:
        """Every process has these figures, so it fits at the lowest score."""
        about = "RSS, swap, faults, threads, open files, CPU, cgroup, pressure, process tree, as the kernel tells it"
        return Fit(0, self.capabilities, target.runtime, about=about)

    def attach(self, target: Target) -> Attachment:
        """Open the probes; another user's memory map stays closed, and the rest works."""
        probes: list[Probe] = [ProcessProbe(target.pid), FamilyProbe(target)]
        missing = {}
        try:
            probes.append(SmapsProbe(target.pid))
        except (ProbeError, AccessDenied) as error:
            missing[Capability.SMAPS] = Missing(error.what, error.hint)
        except BaseException:
            for probe in probes:
                probe.close()
            raise
        return Attachment(tuple(probes), missing)


SYSTEM = _System()
