"""The environment a process was started with, from /proc/PID/environ. Source: proc_pid_environ(5)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

__all__ = ["environment"]

_LARGEST_BYTES = 1 << 21


def environment(pid: int) -> Mapping[str, str]:
    """The variables as they were at exec, the first of each name; none when the kernel does not let us see them.

    Untrusted text. What the program has changed since does not show.
    """
    try:
        content = _settled(pid)
    except OSError:
        return {}
    pairs = (os.fsdecode(entry).partition("=") for entry in reversed(content.split(b"\0")) if b"=" in entry)
    return {name: value for name, _, value in pairs}


def _settled(pid: int) -> bytes:
    """A process in the middle of exec has no environment for some microseconds; few have none for good."""
    for _ in range(10):
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            if content := file.read(_LARGEST_BYTES):
                return content
        time.sleep(0.001)
    return b""
