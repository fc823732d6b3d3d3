"""Struct layouts and constants from an executable's DWARF, without reading it all.

A full reader visits every entry, which takes seconds. The Go compiler writes names inline (DW_FORM_string), so an entry
is found by searching for its name and stepping back to where it begins; a program of 4 MB costs 30 ms, most of it for
inflating. DWARF 4 and 5, 32-bit offsets. Only what those entries use is understood.

Source: the DWARF 5 standard, sections 7.5.1 (unit headers) and 7.5.6 (forms).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.process.elf import Elf
from memdash.process.struct_type import StructType

__all__ = ["Dwarf", "structs"]


_TAG_MEMBER, _TAG_STRUCTURE, _TAG_CONSTANT = 0x0D, 0x13, 0x27
_AT_NAME, _AT_BYTE_SIZE, _AT_CONST_VALUE, _AT_MEMBER_LOCATION = 0x03, 0x0B, 0x1C, 0x38
_FORM_BLOCK1, _FORM_SDATA, _FORM_STRING, _FORM_EXPRLOC = 0x0A, 0x0D, 0x08, 0x18
_FORM_FLAG_PRESENT, _FORM_IMPLICIT_CONST = 0x19, 0x21
_FIXED_SIZE = {
    **dict.fromkeys((0x0B, 0x0C, 0x11), 1),  # data1 flag ref1
    **dict.fromkeys((0x05, 0x12), 2),  # data2 ref2
    **dict.fromkeys((0x06, 0x0E, 0x10, 0x13, 0x17, 0x1F), 4),  # data4 strp ref_addr ref4 sec_offset line_strp
    **dict.fromkeys((0x01, 0x07, 0x14), 8),  # addr data8 ref8
}
_ULEB = frozenset((0x0F, 0x15, 0x1A, 0x1B, 0x22, 0x23))  # udata ref_udata strx addrx loclistx rnglistx

_NAME_FIRST = ((_AT_NAME, _FORM_STRING, 0),)

_Value = int | bytes


class _Unit(NamedTuple):
    """A compilation unit: where it begins in .debug_info, and its abbreviations in .debug_abbrev."""

    start: int
    abbreviations_at: int


class _Abbreviation(NamedTuple):
    """The shape of an entry: its tag, whether children follow, and (attribute, form, implied value)."""

    tag: int
    has_children: bool
    attributes: tuple[tuple[int, int, int], ...]


class _Entry(NamedTuple):
    """One entry, and where the next one begins."""

    shape: _Abbreviation
    values: Mapping[int, _Value]
    end: int


class Dwarf:
    """The .debug_info of one executable, held inflated as long as this object is."""

    def __init__(self, elf: Elf) -> None:
        """Inflate and list the units. Raises BadRead when there is no DWARF, or it does not add up."""
        info, abbreviations = elf.section_bytes(".debug_info"), elf.section_bytes(".debug_abbrev")
        if info is None or abbreviations is None:
            raise BadRead("the executable holds no DWARF: it was linked with -w or stripped")
        self._info, self._abbreviation_bytes = info, abbreviations
        self._units = list(_units(info))
        self._unit_starts = [unit.start for unit in self._units]
        self._tables: dict[int, dict[int, _Abbreviation]] = {}

    def struct(self, name: str) -> StructType | None:
        """The struct of that full name (``runtime.mstats``), or None. Raises BadRead."""
        try:
            for unit, entry in self._named(name.encode() + b"\0", _TAG_STRUCTURE):
                size = entry.values.get(_AT_BYTE_SIZE)
                if isinstance(size, int):
                    return StructType(size, dict(self._members(unit, entry)))
        except (IndexError, ValueError, KeyError, struct.error) as error:
            raise _broken(name, error) from None
        return None

    def constant(self, name: str) -> int | None:
        """The value of the constant of that full name, or None. Raises BadRead."""
        return self.constants(name + "\0").get(name)

    def constants(self, prefix: str) -> dict[str, int]:
        """The constants whose full name begins so, in no order. Raises BadRead."""
        found = {}
        try:
            for _, entry in self._named(prefix.encode(), _TAG_CONSTANT):
                name, value = entry.values[_AT_NAME], entry.values.get(_AT_CONST_VALUE)
                if isinstance(name, bytes) and isinstance(value, int):
                    found[name.decode(errors="backslashreplace")] = value
        except (IndexError, ValueError, KeyError, struct.error) as error:
            raise _broken(prefix, error) from None
        return found

    def _named(self, start_of_name: bytes, tag: int) -> Iterator[tuple[_Unit, _Entry]]:
        """Entries with that tag whose inline name begins so. The byte or two before the name are the entry's code."""
        at = self._info.find(start_of_name)
        while at >= 0:
            for start in (at - 1, at - 2):
                unit = self._unit_of(start)
                if unit is None:
                    continue
                code, end = _uleb(self._info, start)
                shape = self._table(unit).get(code)
                if end == at and shape and shape.tag == tag and shape.attributes[:1] == _NAME_FIRST:
                    yield unit, self._entry(shape, end)
                    break
            at = self._info.find(start_of_name, at + 1)

    def _members(self, unit: _Unit, structure: _Entry) -> Iterator[tuple[str, int]]:
        at, table = structure.end, self._table(unit)
        while structure.shape.has_children:
            code, at = _uleb(self._info, at)
            if not code:
                return
            entry = self._entry(table[code], at)
            at = entry.end
            name, offset = entry.values.get(_AT_NAME), entry.values.get(_AT_MEMBER_LOCATION, 0)
            if entry.shape.tag == _TAG_MEMBER and isinstance(name, bytes) and isinstance(offset, int):
                yield name.decode(errors="backslashreplace"), offset

    def _entry(self, shape: _Abbreviation, at: int) -> _Entry:
        values: dict[int, _Value] = {}
        for attribute, form, implied in shape.attributes:
            values[attribute], at = (implied, at) if form == _FORM_IMPLICIT_CONST else _value(self._info, at, form)
        return _Entry(shape, values, at)

    def _unit_of(self, at: int) -> _Unit | None:
        index = bisect_right(self._unit_starts, at) - 1
        return self._units[index] if index >= 0 else None

    def _table(self, unit: _Unit) -> dict[int, _Abbreviation]:
        table = self._tables.get(unit.abbreviations_at)
        if table is None:
            table = dict(_abbreviations(self._abbreviation_bytes, unit.abbreviations_at))
            self._tables[unit.abbreviations_at] = table
        return table


def structs(elf: Elf, names: Iterable[str]) -> dict[str, StructType]:
    """The structs of these full names that the executable's DWARF holds. Raises BadRead."""
    dwarf = Dwarf(elf)
    found = ((name, dwarf.struct(name)) for name in names)
    return {name: kind for name, kind in found if kind is not None}


def _units(info: bytes) -> Iterator[_Unit]:
    at = 0
    while at < len(info):
        try:
            length, version = struct.unpack_from("<IH", info, at)
            # In version 5 the kind of unit and the size of an address come first.
            (abbreviations_at,) = struct.unpack_from("<I", info, at + (8 if version >= 5 else 6))
        except struct.error:
            raise BadRead("the executable's DWARF is cut short") from None
        if length >= 0xFFFFFFF0:
            raise BadRead("the executable's DWARF has 64-bit offsets, which are not supported")
        yield _Unit(at, abbreviations_at)
        at += 4 + length


def _abbreviations(held: bytes, at: int) -> Iterator[tuple[int, _Abbreviation]]:
    while True:
        code, at = _uleb(held, at)
        if not code:
            return
        tag, at = _uleb(held, at)
        has_children, at = bool(held[at]), at + 1
        attributes = []
        while True:
            attribute, at = _uleb(held, at)
            form, at = _uleb(held, at)
            implied = 0
            if form == _FORM_IMPLICIT_CONST:
                implied, at = _sleb(held, at)
            if not attribute:
                break
            attributes.append((attribute, form, implied))
        yield code, _Abbreviation(tag, has_children, tuple(attributes))


def _value(held: bytes, at: int, form: int) -> tuple[_Value, int]:
    """One attribute's value and where the next begins; blocks and strings as bytes."""
    if form in _FIXED_SIZE:
        end = at + _FIXED_SIZE[form]
        return int.from_bytes(held[at:end], "little"), end
    if form in _ULEB:
        return _uleb(held, at)
    if form == _FORM_SDATA:
        return _sleb(held, at)
    if form == _FORM_STRING:
        end = held.index(b"\0", at)
        return held[at:end], end + 1
    if form == _FORM_FLAG_PRESENT:
        return 1, at
    if form in {_FORM_EXPRLOC, _FORM_BLOCK1}:
        size, at = _uleb(held, at) if form == _FORM_EXPRLOC else (held[at], at + 1)
        return held[at : at + size], at + size
    raise ValueError(f"form {form:#x} is not supported")


def _uleb(held: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = held[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _sleb(held: bytes, at: int) -> tuple[int, int]:
    value, end = _uleb(held, at)
    bits = 7 * (end - at)
    return (value - (1 << bits) if value >> (bits - 1) else value), end


def _broken(name: str, error: Exception) -> BadRead:
    return BadRead(f"the executable's DWARF for {name} does not add up: {error}")
