"""Whether a Python traces its allocations, and where it keeps what it traces.

From 3.12 on all of it belongs to the runtime; before that it is some static variables: whether it traces stands in one
that is exported, the others are found by the symbol table or, in a stripped file, by looking for what they point at.
Source: Include/internal/pycore_tracemalloc.h, Modules/_tracemalloc.c.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from memdash.errors import BadRead, LayoutRefused
from memdash.model.missing import Maybe, Missing
from memdash.probes.cpython.hashtable import TableFormat, TableHead
from memdash.probes.cpython.interpreter import Interpreter

__all__ = ["Tracing", "Variables", "find_tracing"]

_STATE = "_tracemalloc_runtime_state"
_CONFIG = struct.Struct("<Iii")
"""struct _PyTraceMalloc_Config: initialized, tracing, max_nframe; the same in 3.8 to 3.15."""

_INITIALIZED, _FINALIZED = 1, 2
_STATICS = (
    "tracemalloc_traces",
    "tracemalloc_domains",
    "tracemalloc_traced_memory",
    "tracemalloc_peak_traced_memory",
)
_MOST_DOMAINS = 256
_NOT_LOCATED = Missing("tracemalloc's totals could not be located in this stripped interpreter")


@dataclass(frozen=True, slots=True)
class Variables:
    """Addresses of tracemalloc's variables; those that are not there, or could not be located, are None.

    ``found_by`` says how in a word or two. ``traces_at`` and ``domains_at`` hold the addresses of tables: of the traces
    by address of the block, and of more such tables by domain, for what others than Python have reported.
    """

    found_by: str
    traces_at: int
    domains_at: int | None = None
    held_at: int | None = None
    peak_at: int | None = None


class Totals(NamedTuple):
    """What tracemalloc.get_traced_memory says: bytes of the blocks traced now, and the most that there ever were."""

    held_bytes: Maybe[int]
    peak_bytes: Maybe[int]


class Tracing:
    """Looks at the state of tracemalloc again and again. Everything raises BadRead, AccessDenied, TargetExited."""

    def __init__(self, interpreter: Interpreter, config_at: int, find: Callable[[], Variables | None]) -> None:
        self._interpreter = interpreter
        self._config_at = config_at
        self._find = find
        self._variables: Variables | None = None
        self._tables: TableFormat | None = None

    def depth(self) -> int:
        """So many frames of each allocation's stack are kept now; 0 when allocations are not traced."""
        state, tracing, depth = _CONFIG.unpack(self._interpreter.memory.read(self._config_at, _CONFIG.size))
        if state > _FINALIZED or tracing not in (0, 1) or depth < 1:
            raise BadRead("the state of tracemalloc holds something else")
        return depth if tracing and state == _INITIALIZED else 0

    def variables(self) -> Variables:
        """Where the tables are; found while allocations are traced, and then the same for good. LayoutRefused."""
        if self._variables is None:
            self._variables = self._find()
        if self._variables is None:
            raise LayoutRefused(
                "it traces its allocations, but the tables could not be located in this stripped interpreter",
                "an interpreter with its symbol table, or CPython 3.12 or newer, can be read",
            )
        return self._variables

    @property
    def tables(self) -> TableFormat:
        """How its tables are read; made once there are any."""
        if self._tables is None:
            self._tables = TableFormat(self._interpreter)
        return self._tables

    def heads(self) -> dict[int, TableHead]:
        """The tables of traces, by address: that of Python itself, and those of other domains."""
        variables, memory = self.variables(), self._interpreter.memory
        traces = memory.u64(variables.traces_at)
        found = {traces: self.tables.head(traces)}
        if variables.domains_at is not None and (domains := memory.u64(variables.domains_at)):
            for entries in self.tables.pieces(self.tables.head(domains), 1):
                for address in entries.values[: _MOST_DOMAINS - len(found)]:
                    found[address] = self.tables.head(address)
        return found

    def totals(self) -> Totals:
        """Bytes traced, now and at most."""
        variables, memory = self.variables(), self._interpreter.memory
        held_at, peak_at = variables.held_at, variables.peak_at
        return Totals(
            _NOT_LOCATED if held_at is None else memory.u64(held_at),
            _NOT_LOCATED if peak_at is None else memory.u64(peak_at),
        )


def find_tracing(interpreter: Interpreter) -> Tracing | None:
    """None when nothing of it was found: one symbol is looked up, the rest waits until allocations are traced."""
    layout, binary = interpreter.layout, interpreter.binary
    if _STATE in layout.structs:
        at = binary.runtime + layout.offset("_PyRuntimeState", "tracemalloc")
        members = layout.structs[_STATE].offsets
        variables = Variables(
            "runtime state",
            traces_at=at + members["traces"],
            domains_at=at + members["domains"],
            held_at=at + members["traced_memory"],
            peak_at=at + members["peak_traced_memory"],
        )
        return Tracing(interpreter, at + members["config"], lambda: variables)
    config_at = binary.exported("_Py_tracemalloc_config")
    return None if config_at is None else Tracing(interpreter, config_at, lambda: _statics(interpreter))


def _statics(interpreter: Interpreter) -> Variables | None:
    at = interpreter.binary.variables(_STATICS)
    interpreter.binary.elf.rest()
    if _STATICS[0] not in at:
        from memdash.probes.cpython.hidden import find_hidden  # seldom needed

        return find_hidden(interpreter)
    return Variables(
        "symbol table",
        traces_at=at[_STATICS[0]],
        domains_at=at.get(_STATICS[1]),
        held_at=at.get(_STATICS[2]),
        peak_at=at.get(_STATICS[3]),
    )
