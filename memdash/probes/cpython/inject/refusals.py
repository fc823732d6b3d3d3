"""The ways in which a process does not let a script in, each with its reason and the way out."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from memdash.errors import AccessDenied, ProbeError
from memdash.model.target import Target

__all__ = ["START_IT", "OptedOut", "closed_memory", "require_descriptor"]

_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
START_IT = "start it under memdash: memdash -- COMMAND"


class OptedOut(ProbeError):
    """The process was started so that nothing may be put into it."""

    def __init__(self) -> None:
        super().__init__(
            "it was started with remote debugging disabled (PYTHON_DISABLE_REMOTE_DEBUG or -X disable-remote-debug)",
            f"start it without that, or {START_IT}",
        )


def closed_memory(target: Target) -> AccessDenied:
    """Why the kernel does not let us write: another's process, Yama, or a sandbox."""
    if os.geteuid() not in (0, target.uid):
        return AccessDenied(f"it belongs to another user (uid {target.uid})", "run memdash as that user, or with sudo")
    try:
        scope = int(_YAMA.read_text(encoding="ascii"))
    except (OSError, ValueError):
        scope = 0
    if scope and os.geteuid():
        return AccessDenied(
            f"kernel.yama.ptrace_scope is {scope}: only root may write to a process that memdash has not started",
            f"run memdash with sudo, or {START_IT}",
        )
    return AccessDenied("the kernel does not let memdash write to it")


def require_descriptor(pid: int) -> None:
    """A CPython that cannot open the script complains on the target's stderr. Raises ProbeError when it could not."""
    try:
        limit, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        held = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    except (OSError, ValueError):
        return
    if limit != resource.RLIM_INFINITY and held.issuperset(range(limit)):
        raise ProbeError("it has no file descriptor left to read the script by", "raise its limit: prlimit --nofile")
