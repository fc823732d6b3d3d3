"""Every way of reading that memdash knows, most telling first."""

from __future__ import annotations

from memdash.probes.cpython import CPYTHON
from memdash.probes.go import GO
from memdash.probes.probe import ProbeEntry
from memdash.probes.system import SYSTEM

__all__ = ["PROBES"]

PROBES: tuple[ProbeEntry, ...] = (GO, CPYTHON, SYSTEM)
