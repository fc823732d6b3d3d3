"""The memory cgroup of a process: usage, limit, how often it met the limit, and the pressure it is under."""

from __future__ import annotations

from pathlib import Path

from memdash.model.missing import Maybe, Missing, known
from memdash.model.system import Cgroup, Pressure
from memdash.probes.system.pressure import HOST_PRESSURE, parse_pressure
from memdash.process.cgroup import MemoryCgroup, locate
from memdash.process.fields import number_of
from memdash.process.kept import KeptFile

__all__ = ["CgroupReader"]

_UNLIMITED_BYTES = 1 << 60
"""Version 1 writes "no limit" as the largest count of pages there is, 2**63 - 4096 bytes; no machine has so much."""

_NO_LIMIT = Missing("no memory limit is set")


class _OpenCgroup:
    """The open files of one cgroup."""

    def __init__(self, where: MemoryCgroup) -> None:
        self._where = where
        own = where.folders[0]
        self._two = where.version == 2
        self._usage = KeptFile(own / ("memory.current" if self._two else "memory.usage_in_bytes"))
        self._stat = KeptFile(own / "memory.stat")
        self._oom = KeptFile(where.oom_file)
        self._failures = KeptFile(own / ("memory.events" if self._two else "memory.failcnt"))
        self._limits = [KeptFile(folder / "memory.max") for folder in where.folders] if self._two else []
        self._above: dict[int, tuple[KeptFile, KeptFile]] = {}
        self.pressure = KeptFile(own / "memory.pressure")

    def read(self) -> Cgroup:
        """Raises OSError once the cgroup has been removed, KeyError for what is no memory.stat."""
        stat = self._stat.read()
        limit, level = self._limit(stat)
        used_above = {"used_above_bytes": self._used_above(level)} if level else {}
        return Cgroup(
            version=self._where.version,
            path=self._where.path,
            usage_bytes=self._usage.get(int, "the cgroup does not tell its usage"),
            limit_bytes=limit,
            inactive_file_bytes=self._inactive_file(stat),
            limit_hits=self._failures.get(self._hits, "the cgroup does not count how often it met its limit"),
            oom_kills=self._oom.get(_oom_kills, "the kernel is older than 4.13"),
            **used_above,
        )

    def _inactive_file(self, stat: bytes) -> Maybe[int]:
        try:
            return number_of(stat, b"inactive_file" if self._two else b"total_inactive_file")
        except KeyError:
            return Missing("the cgroup does not tell its page cache")

    def _limit(self, stat: bytes) -> tuple[Maybe[int], int]:
        """The smallest, and how many levels above our own it stands; the lowest of equals.

        Version 1 sums the way up in one figure, which also counts what lies above a container, and tells no level.
        """
        if self._two:
            limits = [known(file.get(int, "max"), _UNLIMITED_BYTES) for file in self._limits]
            smallest = min(limits)
            level = limits.index(smallest)
        else:
            smallest, level = number_of(stat, b"hierarchical_memory_limit"), 0
        return (smallest, level) if smallest < _UNLIMITED_BYTES else (_NO_LIMIT, 0)

    def _used_above(self, level: int) -> Maybe[int]:
        """What counts against the limit of a cgroup above; its files are opened when it is first needed."""
        if level not in self._above:
            folder = self._where.folders[level]
            self._above[level] = (KeptFile(folder / "memory.current"), KeptFile(folder / "memory.stat"))
        usage, stat = self._above[level]
        charged = usage.get(int, "the cgroup that has the limit does not tell its usage")
        if isinstance(charged, Missing):
            return charged
        return max(charged - known(stat.get(lambda text: number_of(text, b"inactive_file"), ""), 0), 0)

    def _hits(self, text: bytes) -> int:
        return number_of(text, b"max") if self._two else int(text)

    def close(self) -> None:
        above = (file for files in self._above.values() for file in files)
        for file in (self._usage, self._stat, self._oom, self._failures, *self._limits, *above, self.pressure):
            file.close()


def _oom_kills(text: bytes) -> int:
    return number_of(text, b"oom_kill")


class CgroupReader:
    """Follows the process into whatever cgroup it is in: /proc/PID/cgroup is compared at each read."""

    def __init__(self, pid: int, proc: Path = Path("/proc"), host_pressure: Path = HOST_PRESSURE) -> None:
        self._pid = pid
        self._proc = proc
        self._membership = KeptFile(proc / str(pid) / "cgroup")
        self._host_pressure = KeptFile(host_pressure)
        self._member_of: bytes | None = None
        self._here: _OpenCgroup | Missing = Missing("the kernel does not tell the cgroup of this process")

    def read(self) -> tuple[Maybe[Cgroup], Maybe[Pressure]]:
        """The cgroup, and the pressure within it or, where it tells none, on the host."""
        self._follow()
        if isinstance(self._here, Missing):
            return self._here, self._pressure_of_host()
        try:
            cgroup = self._here.read()
        except (OSError, KeyError):
            self._member_of = None  # look again at the next read: it may have been removed, and another be in its place
            return Missing("the cgroup of this process has been removed"), self._pressure_of_host()
        pressure = self._here.pressure.get(lambda text: parse_pressure(text, "cgroup"), "")
        return cgroup, self._pressure_of_host() if isinstance(pressure, Missing) else pressure

    def _follow(self) -> None:
        try:
            member_of = self._membership.read()
        except OSError:
            return  # no memory cgroups in this kernel, or the process has just gone
        if member_of != self._member_of:
            self._member_of = member_of
            self._leave()
            where = locate(self._pid, self._proc)
            self._here = where if isinstance(where, Missing) else _OpenCgroup(where)

    def _pressure_of_host(self) -> Maybe[Pressure]:
        return self._host_pressure.get(
            lambda text: parse_pressure(text, "host"),
            "the kernel keeps no pressure figures",
            "boot with psi=1 (Linux 4.20 or newer)",
        )

    def _leave(self) -> None:
        if not isinstance(self._here, Missing):
            self._here.close()

    def close(self) -> None:
        """Close every file; may be called twice."""
        self._leave()
        self._membership.close()
        self._host_pressure.close()
