"""Why a file of /proc/PID cannot be read, as an error that says so."""

from __future__ import annotations

import os
from typing import NamedTuple

from memdash.errors import AccessDenied, BadRead, TargetExited, UnsupportedRuntime

__all__ = ["Refusals"]


class Refusals(NamedTuple):
    """What is said of the file ``name``: where the kernel has none, and what helps then; and where we may not look."""

    name: str
    absent: str
    hint: str = ""
    denied: str = "the kernel shows the memory map of a process only to its owner"

    def of(self, pid: int, error: OSError) -> AccessDenied | UnsupportedRuntime | TargetExited | BadRead:
        """What ``error`` means. The file may be absent although the process is there."""
        if isinstance(error, PermissionError):
            return AccessDenied(self.denied)
        if isinstance(error, FileNotFoundError) and os.path.exists(f"/proc/{pid}"):  # noqa: PTH110 - no path to be kept
            return UnsupportedRuntime(self.absent, self.hint)
        if isinstance(error, (FileNotFoundError, ProcessLookupError)):
            return TargetExited(f"process {pid} has ended")
        return BadRead(f"{self.name} cannot be read: {error.strerror}")
