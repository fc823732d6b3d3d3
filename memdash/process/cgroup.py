"""Where the memory of a process is accounted: its cgroup, version 1 or 2, as seen from where memdash runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from memdash.model.missing import Maybe, Missing
from memdash.process.fields import number_of

__all__ = ["MemoryCgroup", "locate", "parse_locations"]

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class MemoryCgroup:
    """``path`` is its name below the root of our cgroup namespace, ``folders`` its directory and all those above it.

    ``folders`` goes up to what is mounted here: a container usually sees no further than itself.
    """

    version: int
    path: str
    folders: tuple[Path, ...]

    @property
    def oom_file(self) -> Path:
        """The file whose ``oom_kill`` counts the processes of this cgroup that the kernel killed for memory."""
        return self.folders[0] / ("memory.events" if self.version == 2 else "memory.oom_control")

    def oom_kills(self) -> Maybe[int]:
        """That count."""
        try:
            return number_of(self.oom_file.read_bytes(), b"oom_kill")
        except (OSError, KeyError, ValueError):
            return Missing(f"{self.oom_file.name} of the cgroup has no oom_kill count")


@dataclass(frozen=True, slots=True)
class _Mount:
    """A hierarchy of cgroups that memory belongs to: which part of it is mounted, and where."""

    version: int
    root: PurePosixPath
    point: Path


def _mounts(mountinfo: str) -> Iterable[_Mount]:
    """The memory hierarchies in /proc/PID/mountinfo (proc_pid_mountinfo(5))."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        version = 2 if kind[0] == "cgroup2" else 1
        if version == 1 and "memory" not in kind[2].split(","):
            continue
        root, point = (_unescaped(field) for field in fields[3:5])
        yield _Mount(version, PurePosixPath(root), Path(point))


def _unescaped(field: str) -> str:
    r"""Undo the octal escapes of mountinfo: blanks stand there as ``\040``."""
    head, *rest = field.split("\\")
    return head + "".join(chr(int(part[:3], 8)) + part[3:] for part in rest)


def parse_locations(cgroup: str) -> dict[int, str]:
    """The paths in /proc/PID/cgroup by version; 1 is there only if that hierarchy has the memory controller."""
    locations = {}
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            locations[1] = path
        elif number == "0" and not controllers:
            locations[2] = path
    return locations


def locate(pid: int, proc: Path = _PROC) -> MemoryCgroup | Missing:
    """Find the memory cgroup of ``pid``. On a hybrid system the memory controller lives in version 1.

    A cgroup of version 2 without the controller is charged to the nearest one above that has it.
    """
    try:
        locations = parse_locations((proc / str(pid) / "cgroup").read_text(errors="surrogateescape"))
        mountinfo = (proc / "self" / "mountinfo").read_text(errors="surrogateescape")
    except OSError as error:
        return Missing(f"the cgroup cannot be read: {error.strerror}")
    if not locations:
        return Missing("the kernel has no memory cgroups")
    version = 1 if 1 in locations else 2
    path = PurePosixPath(locations[version])
    for mount in _mounts(mountinfo):
        if mount.version == version and path.is_relative_to(mount.root) and ".." not in path.parts:
            return _descend(mount, path)
    return Missing("the cgroup of this process is not visible from here", "run memdash outside the container")


def _descend(mount: _Mount, path: PurePosixPath) -> MemoryCgroup | Missing:
    inner = path.relative_to(mount.root)
    folders = [mount.point / inner, *(mount.point / above for above in inner.parents)]
    usage = "memory.current" if mount.version == 2 else "memory.usage_in_bytes"
    while folders and not (folders[0] / usage).exists():
        if mount.version == 1:
            return Missing("the cgroup of this process is not visible from here", "run memdash outside the container")
        folders.pop(0)
    if not folders:
        return Missing("the process is in no cgroup that accounts memory")
    charged = mount.root / folders[0].relative_to(mount.point)
    return MemoryCgroup(mount.version, str(charged), tuple(folders))
