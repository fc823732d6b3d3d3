"""Is it CPython, which one, and do we know where that one keeps things? Each no has its own reason and way out."""

from __future__ import annotations

import struct

from memdash.errors import BadRead
from memdash.probes.cpython.binary import Binary, find_binary
from memdash.probes.cpython.layouts import minors
from memdash.probes.cpython.refusals import SYSTEM_VIEW, NotStarted, UnreadablePython, once_started
from memdash.probes.cpython.version import CPythonVersion, from_number, from_words
from memdash.process.elf import X86_64
from memdash.process.memory import ProcessMemory

__all__ = ["judge", "version_of"]

_COOKIE = b"xdebugpy"
_HEAD = struct.Struct("<8sQQ")
_ONLY_IN_DEBUG_BUILDS = "_Py_NegativeRefcount"


def judge(pid: int) -> CPythonVersion:
    """Say cheaply which CPython a process runs on. 1 to 4 ms.

    Raises UnsupportedRuntime when it is not CPython, or not one that we read; LayoutRefused, AccessDenied,
    TargetExited, BadRead.
    """
    binary = once_started(lambda: find_binary(pid))
    with binary.elf, ProcessMemory(pid) as memory:
        return once_started(lambda: version_of(binary, memory))


def version_of(binary: Binary, memory: ProcessMemory) -> CPythonVersion:
    """The version of an interpreter that we read. Raises what ``judge`` raises."""
    if binary.elf.machine != X86_64:
        raise UnreadablePython("only programs for x86-64 can be read from memory")
    cookie, number, free_threaded = _HEAD.unpack(memory.read(binary.runtime, _HEAD.size))
    has_cookie = cookie == _COOKIE
    version = from_number(number) if has_cookie else _stated(binary, memory)
    if version is None:
        raise NotStarted("it holds a Python that does not say which one it is")
    _refuse_unknown(version)
    if has_cookie and free_threaded:
        raise UnreadablePython(
            f"it runs on a free-threaded build of CPython {version.text}, which has another allocator and collector",
            f"run it with an ordinary build; {SYSTEM_VIEW}",
        )
    if binary.exported(_ONLY_IN_DEBUG_BUILDS) is not None:
        raise UnreadablePython(
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
        raise UnreadablePython(
            f"it runs on CPython {version.text}; the oldest that memdash reads is 3.{known[0]}",
            f"run it with a newer Python; {SYSTEM_VIEW}",
        )
    raise UnreadablePython(
        f"it runs on CPython {version.text}, which is newer than the newest that memdash knows (3.{known[-1]})",
        f"a newer memdash may read it; {SYSTEM_VIEW}",
    )
