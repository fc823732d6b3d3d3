"""Every way of reading that memdash knows, most telling first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memdash.probes.cpython import CPYTHON, CPython
from memdash.probes.go import GO, Go
from memdash.probes.probe import ProbeEntry
from memdash.probes.system import SYSTEM

if TYPE_CHECKING:
    from memdash.probes.cpython.agent.agents import Agents

__all__ = ["PROBES", "TELLING_APART", "probes_with"]

PROBES: tuple[ProbeEntry, ...] = (GO, CPYTHON, SYSTEM)

TELLING_APART: tuple[ProbeEntry, ...] = tuple(Go(with_ids=True) if entry is GO else entry for entry in PROBES)
"""The same, with the ids of all tasks that have any."""


def probes_with(launched: Agents) -> tuple[ProbeEntry, ...]:
    """The same, where the targets may be programs that memdash has started with its agent in them."""
    return tuple(CPython(launched=launched) if entry is CPYTHON else entry for entry in PROBES)
