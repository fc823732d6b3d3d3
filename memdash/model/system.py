"""What the kernel knows of a target."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.missing import Maybe, Missing, known

__all__ = ["Cgroup", "Pressure", "Smaps", "SystemStats"]

_ITS_OWN = Missing("the limit is that of its own cgroup")
_UNLIMITED = Missing("its address space is not limited")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroup:
    """The memory controller of the target's cgroup.

    ``limit_bytes`` is the smallest limit on the way up to the root; where a cgroup above has it, all in that one counts
    against it: ``used_above_bytes``, without the page cache that can be dropped at once. Counts come from memory.events
    (version 2) or memory.failcnt and memory.oom_control (version 1).
    """

    version: int
    path: str
    usage_bytes: Maybe[int]
    limit_bytes: Maybe[int]
    inactive_file_bytes: Maybe[int]
    limit_hits: Maybe[int]
    oom_kills: Maybe[int]
    used_above_bytes: Maybe[int] = _ITS_OWN

    @property
    def used_bytes(self) -> Maybe[int]:
        """What counts against the limit: the usage without the page cache that can be dropped at once (inactive_file).

        Kubernetes calls it the working set. Other cache and slabs may be reclaimable too, at a price; they count as
        used, so that a limit is rather seen too early than too late.
        """
        if self.used_above_bytes != _ITS_OWN:
            return self.used_above_bytes
        if isinstance(self.usage_bytes, Missing):
            return self.usage_bytes
        return max(self.usage_bytes - known(self.inactive_file_bytes, 0), 0)

    @property
    def used_ratio(self) -> Maybe[float]:
        """What is used over the limit; what the OOM killer looks at, about."""
        used = self.used_bytes
        if isinstance(used, Missing):
            return used
        return self.limit_bytes if isinstance(self.limit_bytes, Missing) else used / self.limit_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Memory pressure (PSI) of the target's cgroup, or of the host: percent of time stalled, and since boot."""

    scope: str
    some_avg10_percent: float
    full_avg10_percent: float
    some_total_s: float
    full_total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStats:
    """Cheap figures of the kernel, read every tick. ``is_stopped``: by SIGSTOP, a shell's ctrl+z or a debugger.

    ``address_space_limit_bytes`` is RLIMIT_AS, which ``vms_bytes`` cannot exceed.
    """

    rss_bytes: Maybe[int]
    vms_bytes: Maybe[int]
    swap_bytes: Maybe[int]
    minor_faults: Maybe[int]
    major_faults: Maybe[int]
    threads: Maybe[int]
    fds: Maybe[int]
    cpu_time_s: Maybe[float]
    cpu_percent: Maybe[float]
    oom_score: Maybe[int]
    cgroup: Maybe[Cgroup]
    psi: Maybe[Pressure]
    host_available_bytes: Maybe[int]
    host_total_bytes: Maybe[int]
    is_stopped: bool = False
    address_space_limit_bytes: Maybe[int] = _UNLIMITED


@dataclass(frozen=True, slots=True, kw_only=True)
class Smaps:
    """Sums over /proc/PID/smaps_rollup; the kernel walks all page tables for it, so it has its own slower cadence.

    ``file_bytes`` are the resident pages that are not anonymous: mapped files and shared memory.
    """

    pss_bytes: Maybe[int]
    uss_bytes: Maybe[int]
    anonymous_bytes: Maybe[int]
    file_bytes: Maybe[int]
    swap_pss_bytes: Maybe[int]
