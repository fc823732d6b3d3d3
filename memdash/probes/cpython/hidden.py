"""tracemalloc's tables in a stripped interpreter before 3.12: the variables that point at them, told by what is there.

Looked for once, while allocations are traced: a variable is believed to be that of the traces if it points at a hash
table whose functions are the interpreter's own and whose entries are traces that lead to tracebacks with right hashes.
Source: Modules/_tracemalloc.c (tracemalloc_init, tracemalloc_create_domains_table).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.probes.cpython.hashtable import TableFormat
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.tracebacks import Tracebacks
from memdash.probes.cpython.tracing import Variables
from memdash.process.scatter import Scatter

__all__ = ["find_hidden"]

_PIECE_BYTES = 1 << 16
_MOST_SEARCHED_BYTES = 1 << 26
_LARGEST_ADDRESS = 1 << 47
_ALIGNMENT_BYTES = 16
_NEIGHBOUR_BYTES = 256
_LOOKED_AT = 64
_TRUSTED = 0.5
"""So many of the tracebacks have to have the right hash: each is proof, but the program runs on while they are read."""

_TRACE_BYTES = 16
_MOST_TRIES = 4


class _Candidate(NamedTuple):
    """A variable, the table that it points at, and the functions of that table."""

    variable: int
    table: int
    functions: tuple[int, ...]


def find_hidden(interpreter: Interpreter) -> Variables | None:
    """None when no variable, or more than one, looks like that of the traces. 10 to 50 ms.

    Raises AccessDenied, TargetExited.
    """
    tables, tracebacks = TableFormat(interpreter), Tracebacks(interpreter)
    for _ in range(_MOST_TRIES):
        candidates = list(_candidates(interpreter))
        found = [each for each in candidates if _holds_traces(interpreter, tables, tracebacks, each.table)]
        if len(found) == 1:
            return Variables("search", found[0].variable, _domains(found[0], candidates))
    return None


def _candidates(interpreter: Interpreter) -> Iterator[_Candidate]:
    """Variables that point at what looks like a table: hash and compare functions in the interpreter's code."""
    at: dict[int, int] = {}
    for start, words in _variables(interpreter):
        at |= {
            word: start + 8 * number
            for number, word in enumerate(words)
            if word and word < _LARGEST_ADDRESS and not word % _ALIGNMENT_BYTES
        }
    members = interpreter.layout.structs["_Py_hashtable_t"].offsets
    size = interpreter.layout.size("_Py_hashtable_t")
    buckets_at, entries_at = members["nbuckets"] // 8, members["nentries"] // 8
    functions_at = (max(members.values()) + 8) // 8
    scatter = Scatter(interpreter.memory, size)
    for tables, content in scatter.read(array("Q", at)):
        columns = content.cast("Q")
        for number, table in enumerate(tables):
            head = columns[number * (size // 8) : (number + 1) * (size // 8)]
            buckets, entries = head[buckets_at], head[entries_at]
            functions = tuple(head[functions_at:])
            is_table = buckets and not buckets & (buckets - 1) and entries < buckets
            if is_table and all(_is_code(interpreter, function) for function in functions[:2]):
                yield _Candidate(at[table], table, functions)


def _variables(interpreter: Interpreter) -> Iterator[tuple[int, array[int]]]:
    """The variables that begin as zeros, some thousand at a time; guard pages are left out."""
    left = _MOST_SEARCHED_BYTES
    for address, size in interpreter.binary.blank_variables:
        start, end = address & ~7, min(address + size, address + left) & ~7
        left -= end - start
        for piece in range(start, end, _PIECE_BYTES):
            try:
                yield piece, array("Q", interpreter.memory.read(piece, min(_PIECE_BYTES, end - piece)))
            except BadRead:
                continue


def _is_code(interpreter: Interpreter, address: int) -> bool:
    address -= interpreter.binary.bias
    return any(
        segment.is_loaded
        and not segment.is_writable
        and segment.address <= address < segment.address + segment.file_bytes
        for segment in interpreter.binary.elf.segments
    )


def _holds_traces(interpreter: Interpreter, tables: TableFormat, tracebacks: Tracebacks, table: int) -> bool:
    """Whether the first entries are traces whose tracebacks have the hash of their content.

    They have to be in the table still when they have been read: what another of tracemalloc's tables frees is at once
    an entry of that of the traces, if the program switches its tracing off and on.
    """
    try:
        head = tables.head(table)
        values = [
            value
            for entries in islice(tables.pieces(head), _LOOKED_AT)
            for value in tables.reachable(head, entries, list(filter(None, entries.values[:4])))
        ]
    except BadRead:
        return False
    found = [
        traceback
        for _, content in Scatter(interpreter.memory, _TRACE_BYTES).read(array("Q", values))
        for traceback in content.cast("Q")[1::2].tolist()
    ]
    for _ in tracebacks.learn(found):
        pass
    right = sum(tracebacks.stack(address) is not None for address in found)
    return right > 0 and right >= _TRUSTED * len(found)


def _domains(traces: _Candidate, candidates: list[_Candidate]) -> int | None:
    """The table of the domains: it stands nearby, compares alike, hashes otherwise, and does not own its keys."""
    for other in candidates:
        is_near = 0 < abs(other.variable - traces.variable) <= _NEIGHBOUR_BYTES
        if is_near and len(other.functions) > 4:
            _, hashed, compared, key_destroyed, value_destroyed = other.functions[:5]
            same = compared == traces.functions[2] and hashed != traces.functions[1]
            if same and not key_destroyed and value_destroyed not in (0, traces.functions[4]):
                return other.variable
    return None
