"""Pressure stall information (PSI): how long tasks stood still because memory was short."""

from __future__ import annotations

import re
from pathlib import Path

from memdash.model.system import Pressure

__all__ = ["HOST_PRESSURE", "parse_pressure"]

_PRESSURE = re.compile(rb"some avg10=([\d.]+) .*total=(\d+)\nfull avg10=([\d.]+) .*total=(\d+)\n")

HOST_PRESSURE = Path("/proc/pressure/memory")


def parse_pressure(text: bytes, scope: str) -> Pressure:
    """Read ``some avg10=0.00 avg60=0.00 avg300=0.00 total=0`` and the same for ``full``; totals there are in µs.

    Raises ValueError for anything else.
    """
    match = _PRESSURE.fullmatch(text)
    if match is None:
        raise ValueError("not a memory pressure file")
    some_avg10, some_total, full_avg10, full_total = match.groups()
    return Pressure(
        scope=scope,
        some_avg10_percent=float(some_avg10),
        full_avg10_percent=float(full_avg10),
        some_total_s=int(some_total) / 1e6,
        full_total_s=int(full_total) / 1e6,
    )
