"""Which line of its file a piece of bytecode stands for: three encodings since CPython 3.8.

Source: Objects/lnotab_notes.txt (until 3.10), Objects/locations.md and InternalDocs/code_objects.md (from 3.11).
"""

from __future__ import annotations

__all__ = ["line_of"]

_UNIT_BYTES = 2
_NO_LOCATION, _LONG, _NO_COLUMNS, _FIRST_ONE_LINE = 15, 14, 13, 10


def line_of(minor: int, table: bytes, first_line: int, offset: int) -> int:
    """The line of the instruction at byte ``offset`` of the code of CPython 3.``minor``; 0 when it has none.

    ``table`` is co_lnotab before 3.10, else co_linetable. A code that has not begun (offset below 0) is at its first.
    """
    if offset < 0:
        return first_line
    if minor < 10:
        return _by_increments(table, first_line, offset)
    if minor == 10:
        return _by_ranges(table, first_line, offset)
    return _by_locations(table, first_line, offset)


def _by_increments(table: bytes, line: int, offset: int) -> int:
    """Pairs of bytes: how much further in the code, how many lines further (signed)."""
    at = 0
    for step, change in zip(table[::2], table[1::2], strict=False):
        at += step
        if at > offset:
            break
        line += _signed(change)
    return line


def _by_ranges(table: bytes, line: int, offset: int) -> int:
    """Pairs of bytes: the length of a range, and by how many lines it differs from the one before; -128 is no line."""
    end = 0
    for length, change in zip(table[::2], table[1::2], strict=False):
        end += length
        delta = _signed(change)
        has_line = delta != -128
        line += delta if has_line else 0
        if end > offset:
            return line if has_line else 0
    return 0


def _by_locations(table: bytes, line: int, offset: int) -> int:
    """Entries of one byte that says kind and length, and more bytes without its highest bit."""
    end, at = 0, 0
    while at < len(table):
        head = table[at]
        kind, at = head >> 3 & 15, at + 1
        end += ((head & 7) + 1) * _UNIT_BYTES
        if kind in (_LONG, _NO_COLUMNS):
            line += _signed_varint(table, at)
        elif kind >= _FIRST_ONE_LINE and kind != _NO_LOCATION:
            line += kind - _FIRST_ONE_LINE
        if end > offset:
            return 0 if kind == _NO_LOCATION else line
        while at < len(table) and not table[at] & 128:
            at += 1
    return 0


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _signed_varint(table: bytes, at: int) -> int:
    """Six bits a byte, the lowest first; bit 6 says that more follow. The lowest bit of all is the sign."""
    value = shift = 0
    for byte in table[at : at + 6]:
        value |= (byte & 63) << shift
        shift += 6
        if not byte & 64:
            break
    return -(value >> 1) if value & 1 else value >> 1
