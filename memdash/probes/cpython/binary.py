"""The file that holds the interpreter: the executable itself, or the libpython it has loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from memdash.errors import AccessDenied, BadRead, ProbeError, TargetExited, UnsupportedRuntime
from memdash.probes.cpython.refusals import SYSTEM_VIEW, NotStarted, UnreadablePython
from memdash.process.auxv import load_bias
from memdash.process.elf import Elf
from memdash.process.identity import executable
from memdash.process.maps import MappedFile, mapped_files

__all__ = ["Binary", "find_binary"]

_RUNTIME = "_PyRuntime"
_RUNTIME_SECTION = ".PyRuntime"
_OTHER_PYTHONS = {"pypy": "PyPy", "graalpy": "GraalPy"}
_FIRST_WITH_RUNTIME = (3, 7)
_VERSIONED_NAME = re.compile(r"(?:lib)?python([23])\.(\d+)[a-z]*(?:\.so.*)?")


@dataclass(frozen=True, slots=True)
class Binary:
    """An open file with an interpreter in it, where it was loaded, and where its ``_PyRuntime`` stands in the process.

    ``name`` is the file's: untrusted text.
    """

    elf: Elf
    bias: int
    name: str
    runtime: int

    def exported(self, name: str) -> int | None:
        """The address in the process of a symbol that the file offers to others, also when it is stripped."""
        symbol = self.elf.dynamic_symbols([name]).get(name)
        return None if symbol is None else symbol.address + self.bias

    def variables(self, names: Iterable[str]) -> dict[str, int]:
        """Addresses in the process by the symbol table; a stripped file has none. Raises BadRead."""
        return {name: symbol.address + self.bias for name, symbol in self.elf.symbols(names).items()}

    @property
    def blank_variables(self) -> list[tuple[int, int]]:
        """(address in the process, bytes) of the variables that begin as zeros."""
        return [
            (self.bias + segment.address + segment.file_bytes, segment.memory_bytes - segment.file_bytes)
            for segment in self.elf.segments
            if segment.is_loaded and segment.is_writable
        ]


def find_binary(pid: int) -> Binary:
    """Open the file with the interpreter: 1 ms when it is the executable, 3 ms for a libpython; the caller closes it.

    Raises UnsupportedRuntime when there is none, NotStarted, AccessDenied, TargetExited, BadRead.
    """
    with ExitStack() as opened:
        exe = opened.enter_context(Elf(f"/proc/{pid}/exe"))
        address = _exported_runtime(exe)
        if address is None:
            files = list(mapped_files(pid))
            for file in files:
                if "python" in file.name and (binary := _in_mapped(file)) is not None:
                    return binary
            symbol = exe.symbols([_RUNTIME]).get(_RUNTIME)
            if symbol is None:
                exe_name = executable(pid)[0].rpartition("/")[2]  # in the middle of exec it is not mapped yet
                raise _not_cpython((exe_name, *(file.name for file in files)))
            address = symbol.address
        bias = load_bias(pid, exe)
        opened.pop_all()
        return Binary(exe, bias, "", address + bias)


def _exported_runtime(elf: Elf) -> int | None:
    symbol = elf.dynamic_symbols([_RUNTIME]).get(_RUNTIME)
    if symbol is not None:
        return symbol.address
    section = elf.sections.get(_RUNTIME_SECTION)
    return section.address if section is not None else None


def _in_mapped(file: MappedFile) -> Binary | None:
    """None when the file is no ELF file with an interpreter."""
    try:
        elf = file.open()
    except (UnsupportedRuntime, BadRead):
        return None
    except (AccessDenied, TargetExited):
        if not file.is_deleted or not _VERSIONED_NAME.fullmatch(file.name):
            return None
        raise UnreadablePython(
            f"its {file.name} has been deleted or replaced since it started, and only root can still open it",
            f"run memdash with sudo, or restart the process; {SYSTEM_VIEW}",
        ) from None
    address = _exported_runtime(elf)
    if address is None:
        elf.close()
        return None
    bias = file.bias(elf)
    return Binary(elf, bias, file.name, address + bias)


def _not_cpython(names: Iterable[str]) -> ProbeError:
    """Say what else it is, going by the names of its files: other Pythons, and CPythons before 3.7.

    A python3.12 without an interpreter is one whose libpython is still being loaded.
    """
    for name in names:
        for word, other in _OTHER_PYTHONS.items():
            if word in name:
                return UnreadablePython(f"it runs on {other}, of which memdash reads nothing")
        match = _VERSIONED_NAME.fullmatch(name)
        if match and (int(match[1]), int(match[2])) >= _FIRST_WITH_RUNTIME:
            return NotStarted("its libpython has not been loaded")
        if match:
            return UnreadablePython(
                f"it runs on CPython {match[1]}.{match[2]}; the oldest that memdash reads is 3.8",
                f"run it with a newer Python; {SYSTEM_VIEW}",
            )
    return UnsupportedRuntime("not a CPython program")
