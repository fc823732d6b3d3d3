"""How a process ended, as its pidfd remembers once its parent has waited for it."""

from __future__ import annotations

import fcntl
import os
import struct

__all__ = ["exit_and_signal", "reaped_status"]

# struct pidfd_info of include/uapi/linux/pidfd.h in its first published size: u64 mask, u64 cgroupid, eleven u32 ids,
# s32 exit_code. Asking for the exit status works from Linux 6.15 on.
_PIDFD_INFO = struct.Struct("=QQ11Ii")
_PIDFD_INFO_EXIT = 1 << 3
_PIDFD_GET_INFO = (3 << 30) | (_PIDFD_INFO.size << 16) | (0xFF << 8) | 11  # _IOWR(0xFF, 11, struct pidfd_info)


def reaped_status(pidfd: int) -> int | None:
    """The wait status of a process that its parent has waited for, or None where the kernel keeps none (yet)."""
    answer = bytearray(_PIDFD_INFO.pack(_PIDFD_INFO_EXIT, *[0] * 13))
    try:
        fcntl.ioctl(pidfd, _PIDFD_GET_INFO, answer)
    except OSError:
        return None
    mask, *_, status = _PIDFD_INFO.unpack(answer)
    return int(status) if mask & _PIDFD_INFO_EXIT else None


def exit_and_signal(status: int | None) -> tuple[int | None, int | None]:
    """Exit code or signal number, whichever a wait status holds."""
    if status is None:
        return None, None
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None
