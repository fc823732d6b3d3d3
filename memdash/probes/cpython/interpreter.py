"""A live CPython process, opened: its memory, and where its main interpreter keeps what we read."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from memdash.errors import BadRead, LayoutRefused
from memdash.model.target import Target
from memdash.probes.cpython.binary import Binary, find_binary
from memdash.probes.cpython.detect import version_of
from memdash.probes.cpython.layouts import Layout, load
from memdash.probes.cpython.refusals import SYSTEM_VIEW, NotStarted, once_started
from memdash.probes.cpython.version import CPythonVersion
from memdash.process.identity import require_same
from memdash.process.memory import ProcessMemory
from memdash.process.struct_type import StructType

__all__ = ["SHUT_DOWN", "Interpreter", "open_interpreter"]

_STATED: Mapping[str, tuple[str, str]] = {
    "runtime_state.interpreters_head": ("_PyRuntimeState", "interpreters.head"),
    "interpreter_state.id": ("PyInterpreterState", "id"),
    "interpreter_state.next": ("PyInterpreterState", "next"),
    "interpreter_state.threads_head": ("PyInterpreterState", "threads.head"),
    "interpreter_state.gc": ("PyInterpreterState", "gc"),
    "interpreter_state.ceval_gil": ("PyInterpreterState", "ceval.gil"),
    "thread_state.next": ("PyThreadState", "next"),
    "thread_state.interp": ("PyThreadState", "interp"),
    "thread_state.current_frame": ("PyThreadState", "current_frame"),
    "thread_state.thread_id": ("PyThreadState", "thread_id"),
    "thread_state.native_thread_id": ("PyThreadState", "native_thread_id"),
    "interpreter_frame.previous": ("_PyInterpreterFrame", "previous"),
    "interpreter_frame.executable": ("_PyInterpreterFrame", "f_executable"),
    "interpreter_frame.instr_ptr": ("_PyInterpreterFrame", "instr_ptr"),
    "interpreter_frame.owner": ("_PyInterpreterFrame", "owner"),
    "code_object.filename": ("PyCodeObject", "co_filename"),
    "code_object.name": ("PyCodeObject", "co_name"),
    "code_object.qualname": ("PyCodeObject", "co_qualname"),
    "code_object.linetable": ("PyCodeObject", "co_linetable"),
    "code_object.firstlineno": ("PyCodeObject", "co_firstlineno"),
    "code_object.co_code_adaptive": ("PyCodeObject", "co_code_adaptive"),
    "unicode_object.state": ("PyASCIIObject", "state"),
    "unicode_object.length": ("PyASCIIObject", "length"),
    "bytes_object.ob_size": ("PyBytesObject", "ob_size"),
    "bytes_object.ob_sval": ("PyBytesObject", "ob_sval"),
}
"""What _Py_DebugOffsets says, and the struct and member it says it of."""

SHUT_DOWN = "the process has shut its Python interpreter down"
"""What is wrong when ``main_at`` no longer leads to ``main``."""

_MOST_INTERPRETERS = 1024


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Everything the probes of one CPython target share. It belongs to one thread.

    ``main`` is the address of the main interpreter's PyInterpreterState and ``gc`` that of its collector's state;
    ``main_at`` is where the runtime keeps the former, 0 there once it has shut down, and ``head_at`` where it keeps
    that of the newest interpreter.
    """

    memory: ProcessMemory
    binary: Binary
    version: CPythonVersion
    layout: Layout
    head_at: int
    main_at: int
    main: int
    gc: int

    def others(self) -> int:
        """How many sub-interpreters stand before the main one in the list. Raises BadRead."""
        next_at = self.layout.offset("PyInterpreterState", "next")
        count, found = 0, self.memory.u64(self.head_at)
        while found not in (0, self.main) and count < _MOST_INTERPRETERS:
            count += 1
            found = self.memory.u64(found + next_at)
        return count

    def require_running(self) -> None:
        """Raises BadRead when it has been shut down, or another one runs in its place."""
        if self.memory.u64(self.main_at) != self.main:
            raise BadRead(SHUT_DOWN)

    def close(self) -> None:
        """Give back the file and the memory. May be called twice."""
        self.binary.elf.close()
        self.memory.close()


def open_interpreter(target: Target) -> Interpreter:
    """Open a CPython target: find its version, its layout, and its main interpreter. 1 to 4 ms.

    Raises UnsupportedRuntime, LayoutRefused, AccessDenied, BadRead, and TargetExited, also when another program runs
    under the pid by now.
    """
    with ExitStack() as opened:
        memory = opened.enter_context(ProcessMemory(target.pid))
        binary = once_started(lambda: find_binary(target.pid))
        opened.callback(binary.elf.close)
        interpreter = once_started(lambda: _open(binary, memory))
        require_same(target)
        opened.pop_all()
        return interpreter


def _open(binary: Binary, memory: ProcessMemory) -> Interpreter:
    version = version_of(binary, memory)
    filed = load(version.minor)
    if filed is None:
        raise LayoutRefused(f"memdash has no layout for CPython {version.text}", SYSTEM_VIEW)
    layout = _corrected(filed, memory, binary.runtime)
    head_at = binary.runtime + layout.offset("_PyRuntimeState", "interpreters.head")
    main_at = binary.runtime + layout.offset("_PyRuntimeState", "interpreters.main")
    main = memory.u64(main_at)
    if not main or not memory.u64(main + layout.offset("PyInterpreterState", "threads.head")):
        raise NotStarted("it holds a Python whose interpreter has not been started, or has been shut down")
    # CPython 3.8 has one collector for all interpreters, and keeps it in the runtime itself.
    in_runtime = layout.has("_PyRuntimeState", "gc")
    gc = (
        binary.runtime + layout.offset("_PyRuntimeState", "gc")
        if in_runtime
        else main + layout.offset("PyInterpreterState", "gc")
    )
    return Interpreter(memory, binary, version, layout, head_at, main_at, main, gc)


def _corrected(layout: Layout, memory: ProcessMemory, runtime: int) -> Layout:
    """From 3.13 on the process itself says where some members stand; it is believed before the file."""
    if "_Py_DebugOffsets" not in layout.structs:
        return layout
    places = layout.structs["_Py_DebugOffsets"].offsets
    plan = memory.plan([(runtime + places[name], 8) for name in _STATED])
    stated = plan.read().cast("Q")
    structs = dict(layout.structs)
    for (struct, member), offset in zip(_STATED.values(), stated, strict=True):
        kind = structs[struct]
        moved_by = offset - kind.offsets[member]
        offsets = {**kind.offsets, member: offset}
        if member == "interpreters.head":
            offsets["interpreters.main"] += moved_by  # it is not stated, and has always been the next member
        structs[struct] = StructType(kind.size, offsets)
    return replace(layout, structs=structs)
