"""Every way of reading that memdash knows, most telling first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from memdash.probes.cpython import CPYTHON, CPython
from memdash.probes.go import GO, Go
from memdash.probes.probe import ProbeEntry
from memdash.probes.system import SYSTEM

if TYPE_CHECKING:
    from memdash.probes.cpython.agent.agents import Agents
    from memdash.probes.cpython.sampler.sampling import Sampling

__all__ = ["PROBES", "probes_with", "sampling_with", "telling_apart"]

PROBES: tuple[ProbeEntry, ...] = (GO, CPYTHON, SYSTEM)


def telling_apart(entries: Sequence[ProbeEntry]) -> tuple[ProbeEntry, ...]:
    """The same, with the ids of all tasks that have any."""
    return tuple(Go(with_ids=True) if entry is GO else entry for entry in entries)


def sampling_with(entries: Sequence[ProbeEntry], sampling: Sampling | None) -> tuple[ProbeEntry, ...]:
    """The same, where the allocations of a Python with an agent are sampled from the start, or are not."""
    return tuple(replace(entry, sampling=sampling) if isinstance(entry, CPython) else entry for entry in entries)


def probes_with(launched: Agents | None = None, asked: Sequence[ProbeEntry] = ()) -> tuple[ProbeEntry, ...]:
    """The same, where the targets may be programs that memdash has started with its agent in them.

    What a person wants ``asked`` comes after those who read memory: they cost the target nothing.
    """
    python = CPYTHON if launched is None else CPython(launched=launched)
    return (GO, python, *asked, SYSTEM)
