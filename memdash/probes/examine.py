"""Each way of reading tried on one process: does it suit, does it open, does it read, what does that cost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from memdash.errors import MemdashError, ProbeError, TargetError, TargetExited, defects_told
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.probes.probe import Fit, Probe, ProbeEntry, Refusal, judged

__all__ = ["Examined", "Tried", "examine"]

_PATIENCE_S = 10.0
"""CPU time that what is read piece by piece may take, and time for an answer."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One probe read once, piece by piece if need be: CPU seconds it took, and why it failed if it did."""

    name: str
    cost_s: float
    failure: Missing | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """One way of reading. ``failure`` says why it would not open although it suits."""

    name: str
    verdict: Fit | Refusal
    attach_s: float = 0.0
    failure: Missing | None = None
    tried: tuple[Tried, ...] = ()
    missing: Mapping[Capability, Missing] = field(default_factory=dict)
    log: tuple[str, ...] = ()


def examine(target: Target, entries: Sequence[ProbeEntry]) -> Iterator[Examined]:
    """Try one after the other and leave nothing open. Raises TargetExited when the process ends meanwhile."""
    for entry in entries:
        verdict = judged(entry, target)
        yield _attach(entry, verdict, target) if isinstance(verdict, Fit) else Examined(entry.name, verdict)


def _attach(entry: ProbeEntry, fit: Fit, target: Target) -> Examined:
    before_s = time.thread_time()
    try:
        with defects_told():
            attachment = entry.attach(target)
    except TargetExited:
        raise
    except (ProbeError, TargetError) as error:
        return Examined(entry.name, fit, failure=_reason(error))
    attach_s = time.thread_time() - before_s
    try:
        tried = tuple(_read(probe) for probe in attachment.probes)
    finally:
        attachment.close()
    return Examined(entry.name, fit, attach_s, None, tried, attachment.missing, attachment.log)


def _read(probe: Probe) -> Tried:
    before_s, until_s = time.thread_time(), time.monotonic() + 2 * _PATIENCE_S
    failure = None
    try:
        with defects_told():
            while pending := probe.read().pending:
                if time.thread_time() - before_s >= _PATIENCE_S or time.monotonic() >= until_s:
                    failure = Missing(pending)
                    break
    except TargetExited:
        raise
    except (ProbeError, TargetError) as error:
        failure = _reason(error)
    return Tried(probe.name, time.thread_time() - before_s, failure)


def _reason(error: MemdashError) -> Missing:
    return Missing.of(error)
