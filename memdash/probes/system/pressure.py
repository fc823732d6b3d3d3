"""Pressure stall information (PSI): how long tasks stood still because memory was short."""

from __future__ import annotations

from pathlib import Path

from memdash.model.system import Pressure

__all__ = ["HOST_PRESSURE", "parse_pressure"]

HOST_PRESSURE = Path("/proc/pressure/memory")


def parse_pressure(text: bytes, scope: str) -> Pressure:
    """Read ``some avg10=0.00 avg60=0.00 avg300=0.00 total=0`` and the same for ``full``; totals there are in µs."""
    lines = {}
    for line in text.decode().splitlines():
        kind, *pairs = line.split()
        lines[kind] = dict(pair.split("=", 1) for pair in pairs)
    some, full = lines["some"], lines["full"]
    return Pressure(
        scope=scope,
        some_avg10_percent=float(some["avg10"]),
        full_avg10_percent=float(full["avg10"]),
        some_total_s=int(some["total"]) / 1e6,
        full_total_s=int(full["total"]) / 1e6,
    )
