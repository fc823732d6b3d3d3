"""Is it CPython, which one, and do we know where that one keeps things? Each no has its own reason and way out."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import TypeVar

from memdash.errors import BadRead, LayoutRefused, UnsupportedRuntime
from memdash.probes.cpython.binary import SYSTEM_VIEW, Binary, find_binary
from memdash.probes.cpython.layouts import minors
from memdash.probes.cpython.version import CPythonVersion, from_number, from_words
from memdash.process.elf import X86_64
from memdash.process.memory import ProcessMemory

__all__ = ["NotStarted", "judge", "once_started", "version_of"]

_COOKIE = b"xdebugpy"
_HEAD = struct.Struct("<8sQQ")
_ONLY_IN_DEBUG_BUILDS = "_Py_NegativeRefcount"

_PATIENCE_S = 0.5
_PAUSE_S = 0.01

T = TypeVar("T")


class NotStarted(LayoutRefused):
    """Python is there, but its interpreter has not been started, or has been shut down."""

    default_hint = f"if the process has only just started, try again in a moment; {SYSTEM_VIEW}"


def once_started(attempt: Callable[[], T]) -> T:
    """Try again for half a second: a process that was started a moment ago takes some 20 ms to start Python."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return attempt()
        except NotStarted:
            if time.monotonic() > until_s:
                raise
            time.sleep(_PAUSE_S)


def judge(pid: int) -> CPythonVersion:
    """Say cheaply which CPython a process runs on. 1 to 4 ms.

    Raises UnsupportedRuntime when it is not CPython, or not one that we read; LayoutRefused, AccessDenied,
    TargetExited, BadRead.
    """
    binary = find_binary(pid)
    with binary.elf, ProcessMemory(pid) as memory:
        return once_started(lambda: version_of(binary, memory))


def version_of(binary: Binary, memory: ProcessMemory) -> CPythonVersion:
    """The version of an interpreter that we read. Raises what ``judge`` raises."""
    if binary.elf.machine != X86_64:
        raise UnsupportedRuntime("only programs for x86-64 can be read from memory", SYSTEM_VIEW)
    cookie, number, free_threaded = _HEAD.unpack(memory.read(binary.runtime, _HEAD.size))
    has_cookie = cookie == _COOKIE
    version = from_number(number) if has_cookie else _stated(binary, memory)
    if version is None:
        raise NotStarted("it holds a Python that does not say which one it is")
    _refuse_unknown(version)
    if has_cookie and free_threaded:
        raise UnsupportedRuntime(
            f"it runs on a free-threaded build of CPython {version.text}, which has another allocator and collector",
            f"run it with an ordinary build; {SYSTEM_VIEW}",
        )
    if binary.exported(_ONLY_IN_DEBUG_BUILDS) is not None:
        raise UnsupportedRuntime(
            f"it runs on a debug build of CPython {version.text}, which keeps things elsewhere",
            f"run it with an ordinary build; {SYSTEM_VIEW}",
        )
    return version


def _stated(binary: Binary, memory: ProcessMemory) -> CPythonVersion | None:
    """Before 3.13 there is no cookie: a constant says it from 3.11 on, before that only the words of sys.version."""
    address = binary.exported("Py_Version")
    if address is not None:
        return from_number(memory.u64(address))
    for start, size in binary.blank_variables:
        try:
            version = from_words(memory.read(start, size))
        except BadRead:
            continue  # a guard page among them
        if version is not None:
            return version
    return None


def _refuse_unknown(version: CPythonVersion) -> None:
    known = minors()
    if version.minor in known:
        return
    if version.minor < known[0]:
        raise UnsupportedRuntime(
            f"it runs on CPython {version.text}; the oldest that memdash reads is 3.{known[0]}",
            f"run it with a newer Python; {SYSTEM_VIEW}",
        )
    raise UnsupportedRuntime(
        f"it runs on CPython {version.text}, which is newer than the newest that memdash knows (3.{known[-1]})",
        f"a newer memdash may read it; {SYSTEM_VIEW}",
    )
