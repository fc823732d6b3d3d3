"""What every client library tells of a process, whatever it runs on, under the same names."""

from __future__ import annotations

from collections.abc import Iterator

from memdash.exports.prometheus.family import Family, Row, Type, family, figure_of
from memdash.model.capability import Capability
from memdash.model.snapshot import Snapshot

__all__ = ["PROCESS", "TOLD"]

TOLD = frozenset({"system.vms_bytes", "system.rss_bytes", "system.fds"})
"""The keys of the metrics that go by these names."""


def _system(name: str, field: str, explanation: str) -> Family:
    return family(name, explanation, Capability.SYSTEM, figure_of("system", field))


def _start(snapshot: Snapshot) -> Iterator[Row]:
    if snapshot.target.is_local:
        yield Row(snapshot.target.started_at_s)


PROCESS = (
    _system("process_cpu_seconds_total", "cpu_time_s", "Total user and system CPU time spent in seconds."),
    _system("process_open_fds", "fds", "Number of open file descriptors."),
    _system("process_resident_memory_bytes", "rss_bytes", "Resident memory size in bytes."),
    _system("process_virtual_memory_bytes", "vms_bytes", "Virtual memory size in bytes."),
    _system(
        "process_virtual_memory_max_bytes",
        "address_space_limit_bytes",
        "Maximum amount of virtual memory available in bytes.",
    ),
    Family("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", Type.GAUGE, _start),
)
