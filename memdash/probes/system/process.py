"""The cheap figures of /proc/PID, read at every tick from files that stay open."""

from __future__ import annotations

import time
from pathlib import Path

from memdash.errors import TargetExited
from memdash.model.capability import Capability, Source
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Reading
from memdash.model.system import SystemStats
from memdash.probes.system.cgroup import CgroupReader
from memdash.process.fields import bytes_of
from memdash.process.kept import KeptFile
from memdash.process.stat import STAT_BYTES, TICKS_PER_S, Stat, parse_stat

__all__ = ["ProcessProbe"]


class ProcessProbe:
    """One SystemStats a read. Opening raises TargetExited when the process has gone."""

    name = "system.process"
    capabilities = frozenset({Capability.SYSTEM})
    cadence_s = 0.0

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stat = KeptFile(f"/proc/{pid}/stat", STAT_BYTES)
        self._status = KeptFile(f"/proc/{pid}/status")
        self._oom_score = KeptFile(f"/proc/{pid}/oom_score", 32)
        self._meminfo = KeptFile("/proc/meminfo")
        self._limits = KeptFile(f"/proc/{pid}/limits")
        self._fds = Path(f"/proc/{pid}/fd")
        self._cgroup = CgroupReader(pid)
        self._cpu_before: tuple[float, float] | None = None
        try:
            self._read_stat()
        except BaseException:
            self.close()
            raise

    def read(self) -> Reading:
        """The figures of this moment; the share of CPU is since the read before."""
        stat = self._read_stat()
        memory = self._status.get(bytes, "the kernel does not tell")
        host = self._meminfo.get(bytes, "the kernel does not tell")
        cpu_time_s = _cpu_time_s(self._pid, stat)
        cgroup, pressure = self._cgroup.read()
        stats = SystemStats(
            rss_bytes=_line(memory, b"VmRSS", "status"),
            vms_bytes=_line(memory, b"VmSize", "status"),
            swap_bytes=_line(memory, b"VmSwap", "status"),
            minor_faults=stat.minor_faults,
            major_faults=stat.major_faults,
            threads=stat.threads,
            fds=_open_files(self._fds),
            cpu_time_s=cpu_time_s,
            cpu_percent=self._cpu_percent(cpu_time_s),
            oom_score=self._oom_score.get(int, "the kernel does not tell the OOM score"),
            cgroup=cgroup,
            psi=pressure,
            host_available_bytes=_line(host, b"MemAvailable", "/proc/meminfo"),
            host_total_bytes=_line(host, b"MemTotal", "/proc/meminfo"),
            is_stopped=stat.is_stopped,
            address_space_limit_bytes=_address_space(self._limits.get(bytes, "the kernel does not tell")),
        )
        return Reading(Source.PROC, (stats,))

    def _read_stat(self) -> Stat:
        try:
            stat = parse_stat(self._stat.read())
        except (ProcessLookupError, FileNotFoundError):
            raise TargetExited(f"process {self._pid} has ended") from None
        if stat.has_exited and stat.threads <= 1:
            raise TargetExited(f"process {self._pid} has ended")
        return stat

    def _cpu_percent(self, cpu_time_s: float) -> Maybe[float]:
        """100 is one core. Both clocks stand still while the machine sleeps."""
        now_s = time.monotonic()
        before, self._cpu_before = self._cpu_before, (now_s, cpu_time_s)
        if before is None or now_s <= before[0]:
            return Missing("the share of CPU takes two readings")
        return max(0.0, 100 * (cpu_time_s - before[1]) / (now_s - before[0]))

    def close(self) -> None:
        """Close every file; may be called twice."""
        for file in (self._stat, self._status, self._oom_score, self._meminfo, self._limits, self._cgroup):
            file.close()


def _line(text: Maybe[bytes], name: bytes, file: str) -> Maybe[int]:
    if isinstance(text, Missing):
        return text
    try:
        return bytes_of(text, name)
    except KeyError:
        return Missing(f"{file} has no line {name.decode()}")


def _address_space(limits: Maybe[bytes]) -> Maybe[int]:
    """The soft limit in /proc/PID/limits (proc_pid_limits(5)): ``Max address space  unlimited  unlimited  bytes``."""
    if isinstance(limits, Missing):
        return limits
    _, _, row = limits.partition(b"\nMax address space")
    soft = next(iter(row.split()), b"")
    return int(soft) if soft.isdigit() else Missing("its address space is not limited")


def _cpu_time_s(pid: int, stat: Stat) -> float:
    """CPU time of all threads: from the process's own clock, to the ns; stat counts in hundredths of a second.

    clock_getcpuclockid(3) makes the clock's id out of the pid in this way; anyone may read it.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return (stat.user_ticks + stat.system_ticks) / TICKS_PER_S


def _open_files(folder: Path) -> Maybe[int]:
    """From Linux 6.2 on the size of /proc/PID/fd is their number, for everyone to see; before, they are counted."""
    try:
        return folder.stat().st_size or sum(1 for _ in folder.iterdir())
    except OSError:
        return Missing("the kernel shows open files only to the owner", "run memdash as that user, or with sudo")
