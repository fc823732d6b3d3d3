"""Waiting for what another thread or process does, and giving up as one does on something that is stuck."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from memdash.model.sample import Reading
from memdash.probes.probe import Probe

__all__ = ["until", "whole_reading"]

T = TypeVar("T")

_PATIENCE_S = 60.0
"""For a machine with much else to do: what comes at all is not waited for as long."""

_PAUSES_S = (0.001, 0.02)
"""Between two looks, at first and at most."""

_PAUSE = threading.Event()


def until(look: Callable[[], T | None], what: str = "what was waited for") -> T:
    """What it finds, once it finds something: it is called again and again. TimeoutError says ``what`` never came."""
    until_s, (pause_s, longest_s) = time.monotonic() + _PATIENCE_S, _PAUSES_S
    while not (found := look()):
        if time.monotonic() > until_s:
            raise TimeoutError(f"{what} has not come within {_PATIENCE_S:.0f} s")
        _PAUSE.wait(pause_s)
        pause_s = min(1.5 * pause_s, longest_s)
    return found


def whole_reading(probe: Probe) -> Reading:
    """What it reads, however many looks that takes."""

    def look() -> Reading | None:
        reading = probe.read()
        return None if reading.pending else reading

    return until(look, f"the reading of {probe.name}")
