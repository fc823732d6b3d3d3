"""Who a process is: from a pid to a pinned Target, or one clear sentence why not."""

from __future__ import annotations

import os
import time
from pathlib import Path

from memdash.errors import AccessDenied, NoSuchTarget, TargetError, TargetExited
from memdash.model.target import Target
from memdash.process.stat import TICKS_PER_S, Stat, parse_stat

__all__ = ["UNREADABLE", "executable", "identify", "ids_in", "pid_inside", "require_same"]

UNREADABLE = (0, 0)
"""The identity of an executable that the kernel does not show."""

_ARGV_BYTES = 32 * 1024  # a Java class path may fill megabytes; nobody reads further
_DELETED = " (deleted)"
_LARGEST_PID = 2**31 - 1


def identify(pid: int) -> Target:
    """Say who ``pid`` is now. The runtime is left at NATIVE: finding out what it runs on is the probes' business.

    ``exe`` is empty and ``exe_id`` (0, 0) when the process belongs to somebody else: what the kernel shows to everybody
    can still be watched. Raises NoSuchTarget, TargetExited (a zombie), AccessDenied, TargetError (a kernel thread).
    """
    if not 0 < pid <= _LARGEST_PID:
        raise NoSuchTarget(f"no process has pid {pid}")
    try:
        stat = parse_stat(_read(pid, "stat"))
        group, uid = _owner(_read(pid, "status"))
        _refuse_what_has_no_memory(pid, group, stat)
        argv = _argv(_settled_cmdline(pid))
    except (FileNotFoundError, ProcessLookupError):
        raise _absent(pid) from None
    except PermissionError:
        raise _hidden(pid) from None
    exe, exe_id = executable(pid)
    return Target(
        pid=pid,
        start_ticks=stat.start_ticks,
        started_at_s=_wall_time_s(stat.start_ticks),
        name=_full_name(stat.name, argv),
        argv=argv,
        exe=exe,
        exe_id=exe_id,
        uid=uid,
    )


def pid_inside(pid: int) -> int:
    """The pid by which a process knows itself: in a container another one than ours. Raises TargetExited."""
    try:
        ids = ids_in(_read(pid, "status"))
    except OSError:
        raise TargetExited(f"process {pid} has ended") from None
    return ids[-1] if ids else pid


def ids_in(status: bytes) -> list[int]:
    """What a process or thread is numbered in each namespace of pids, from ours on, by its status; none if that is."""
    for line in status.splitlines():
        if line.startswith(b"NSpid:"):
            return [int(word) for word in line.split()[1:]]
    return []


def _read(pid: int, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
        return file.read(_ARGV_BYTES) or b""


def _settled_cmdline(pid: int) -> bytes:
    """A process in the middle of exec has no arguments for some microseconds; few have none for good."""
    for _ in range(10):
        if cmdline := _read(pid, "cmdline"):
            return cmdline
        time.sleep(0.001)
    return b""


def _absent(pid: int) -> TargetError:
    """/proc does not show the pid: there is none, or /proc is mounted with hidepid. Only the kernel can tell."""
    try:
        os.close(os.pidfd_open(pid))
    except OSError:
        return NoSuchTarget(f"no process has pid {pid}")
    return _hidden(pid)


def _hidden(pid: int) -> AccessDenied:
    return AccessDenied(
        f"process {pid} belongs to another user, and /proc is mounted so that it shows nothing of it (hidepid)",
        "run memdash as the user who owns the process, or with sudo",
    )


def _refuse_what_has_no_memory(pid: int, group: int, stat: Stat) -> None:
    if group != pid:
        raise NoSuchTarget(f"{pid} is a thread of process {group}", f"watch the whole process: memdash {group}")
    if stat.has_exited:
        raise TargetExited(
            f"process {pid} ({stat.name}) has already exited and waits for its parent {stat.parent} (a zombie)",
            "memdash ps lists the processes that can be watched",
        )
    if stat.is_kernel_thread:
        raise TargetError(
            f"{pid} ({stat.name}) is a kernel thread: it has no memory of its own",
            "memdash ps lists the processes that can be watched",
        )


def _owner(status: bytes) -> tuple[int, int]:
    """Thread group and effective uid, as ps and top show it."""
    fields = dict(line.split(b":", 1) for line in status.splitlines() if b":" in line)
    return int(fields[b"Tgid"]), int(fields[b"Uid"].split()[1])


def _argv(cmdline: bytes) -> tuple[str, ...]:
    """The arguments; a program that rewrote its title may leave one string, or a tail of NULs."""
    text = cmdline.rstrip(b"\0").decode(errors="backslashreplace")
    return tuple(text.split("\0")) if text else ()


def _full_name(comm: str, argv: tuple[str, ...]) -> str:
    """The kernel keeps 15 bytes of the name; the rest may stand in argv[0]."""
    program = argv[0].rpartition("/")[2] if argv else ""
    return program if len(comm.encode()) >= 15 and program.startswith(comm) else comm


def executable(pid: int) -> tuple[str, tuple[int, int]]:
    """Path and (device, inode) of the file that runs, also when it has been deleted or replaced on disk since.

    Empty and UNREADABLE when the kernel does not show it: the process is another user's, or has no memory (left).
    """
    link = Path(f"/proc/{pid}/exe")
    try:
        path = os.fsencode(link.readlink()).decode(errors="backslashreplace")
        file = link.stat()
    except OSError:
        return "", UNREADABLE
    if file.st_nlink == 0:
        path = path.removesuffix(_DELETED)
    return path, (file.st_dev, file.st_ino)


def require_same(target: Target) -> None:
    """Raise TargetExited unless the target's executable is still what runs under its pid; AccessDenied if closed."""
    try:
        file = Path(f"/proc/{target.pid}/exe").stat()
    except PermissionError:
        raise AccessDenied(f"the executable of process {target.pid} cannot be opened") from None
    except OSError:
        raise TargetExited(f"process {target.pid} has ended") from None
    if target.exe_id not in (UNREADABLE, (file.st_dev, file.st_ino)):
        raise TargetExited(f"process {target.pid} runs another program now", "watch it again by its pid")


def _wall_time_s(ticks: int) -> float:
    """Ticks since boot as Unix time, to the tick. CLOCK_BOOTTIME is what the kernel stamps processes with."""
    boot_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return round(boot_s + ticks / TICKS_PER_S, 2)
