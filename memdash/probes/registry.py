"""Every way of reading that memdash knows, most telling first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memdash.probes.cpython import CPYTHON, CPython
from memdash.probes.go import GO
from memdash.probes.probe import ProbeEntry
from memdash.probes.system import SYSTEM

if TYPE_CHECKING:
    from memdash.probes.cpython.agent.agents import Agents
    from memdash.probes.endpoint import Endpoint

__all__ = ["PROBES", "probes_with"]

PROBES: tuple[ProbeEntry, ...] = (GO, CPYTHON, SYSTEM)


def probes_with(launched: Agents | None = None, endpoint: Endpoint | None = None) -> tuple[ProbeEntry, ...]:
    """The same, where the targets may be programs that memdash has started with its agent in them.

    An ``endpoint`` that a person wants asked comes after those who read memory: they cost the target nothing.
    """
    python = CPYTHON if launched is None else CPython(launched=launched)
    return (GO, python, *([] if endpoint is None else [endpoint]), SYSTEM)
