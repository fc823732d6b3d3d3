"""The types of a program, told from whatever else a word of its memory may be.

A type is an object whose own type is ``type``, or a metaclass: one whose flags say that its instances are types. Its
flags also say where an instance keeps the pointer to it. Source: Include/object.h, Include/internal/pycore_object.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from memdash.errors import BadRead, LayoutRefused
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.refusals import SYSTEM_VIEW
from memdash.probes.cpython.type_names import LONGEST_NAME, TypeNames

__all__ = ["HOMES", "ObjectType", "Types"]

HOMES = (1, 3, 5)
"""Where the pointer to its type may stand in an object's block, in words: right after the reference count, which comes
first, or after the collector's two words, or after two more for the instance's dict and weak references."""

_HEAP_TYPE, _READY, _COLLECTED = 1 << 9, 1 << 12, 1 << 14
_STR_SUBCLASS, _TYPE_SUBCLASS = 1 << 28, 1 << 31
"""Py_TPFLAGS_…: bits that mean the same in 3.8 to 3.15."""

_EXPORTED = {"type": "PyType_Type", "dict": "PyDict_Type", "str": "PyUnicode_Type"}
_WORD_BYTES = 8
_PART_BYTES = 16
"""The collector's head, and what may stand before it, take that much each."""

_FEWEST_BYTES, _MOST_BYTES = 16, 1 << 20
_MOST_TYPES = 20_000
_MOST_REJECTED = 1 << 14
_NAME_BYTES = 16


class ObjectType(NamedTuple):
    """``home`` is the word of an instance's block that points to the type; no block of one is below ``least_bytes``."""

    name: str
    home: int
    least_bytes: int


class _Head(NamedTuple):
    """What is looked at of a type to tell it from another one."""

    metatype: int
    name_at: int
    basic_bytes: int
    flags: int


class _Seen(NamedTuple):
    """A type as it was when it was looked at: ``begins`` is the first bytes of its C name, with the NUL if it is short.

    A class that is gone may have left its place to another of the same shape.
    """

    head: _Head
    begins: bytes


class Types:
    """Looks at addresses and remembers what is there: the types, and up to 16 000 that are none."""

    def __init__(self, interpreter: Interpreter) -> None:
        """Raises LayoutRefused when the interpreter does not offer its type of types, or the layout lacks a member."""
        layout = interpreter.layout
        self._memory = interpreter.memory
        self._names = TypeNames(interpreter)
        self._bytes = layout.offset("PyTypeObject", "tp_flags") + _WORD_BYTES
        self._places = tuple(
            layout.offset("PyTypeObject", name) for name in ("ob_type", "tp_name", "tp_basicsize", "tp_flags")
        )
        self._before_head = layout.constants["Py_TPFLAGS_PREHEADER"]
        self.homes = HOMES if self._before_head else HOMES[:-1]
        """Those that this minor uses."""
        self._exported = {name: interpreter.binary.exported(symbol) for name, symbol in _EXPORTED.items()}
        type_of_types = self._exported["type"]
        if type_of_types is None:
            raise LayoutRefused("the interpreter does not say where its type of types is", SYSTEM_VIEW)
        self._type_of_types = type_of_types
        self._telling = _HEAP_TYPE | _READY | _COLLECTED | _STR_SUBCLASS | _TYPE_SUBCLASS | self._before_head
        self._seen: dict[int, _Seen] = {}
        self._rejected: set[int] = set()
        self.known: Mapping[int, dict[int, ObjectType]] = {home: {} for home in HOMES}
        """The types found so far by home and address."""

    def disproved(self) -> str:
        """What is wrong with the types that every Python has; empty if nothing is. May raise BadRead."""
        for expected, address in self._exported.items():
            found = None if address is None else self.at(address)
            if found is None or found.name != expected:
                return f"{expected} is {'not there' if found is None else found.name}"
        itself = self._head(self._type_of_types).metatype
        return "" if itself == self._type_of_types else "type is of another type"

    def at(self, address: int) -> ObjectType | None:
        """The type at ``address``, None when there is none. 15 to 80 µs at first, then next to nothing."""
        if address in self._rejected:
            return None
        for known in self.known.values():
            if address in known:
                return known[address]
        try:
            return self._looked_at(address)
        except BadRead:
            self._reject(address)
            return None

    def renew(self) -> None:
        """Forget what may be something else by now: classes come and go, and what was none may be one."""
        self._rejected.clear()
        self._names.forget()
        mortal = [address for address, seen in self._seen.items() if seen.head.flags & _HEAP_TYPE]
        for address in self._changed(mortal):
            del self._seen[address]
            for known in self.known.values():
                known.pop(address, None)

    def _looked_at(self, address: int) -> ObjectType | None:
        head = self._head(address)
        if len(self._seen) >= _MOST_TYPES or not self._is_type(head):
            self._reject(address)
            return None
        own_name = self._names.of_c(head.name_at)
        name = own_name.decode("utf-8", "backslashreplace")[:LONGEST_NAME]
        if head.flags & _HEAP_TYPE:
            name = self._names.of_heap_type(address, name)
        before = _PART_BYTES * (bool(head.flags & _COLLECTED) + bool(head.flags & self._before_head))
        # A str whose characters follow it is smaller than its type says.
        least = _FEWEST_BYTES if head.flags & _STR_SUBCLASS else head.basic_bytes
        found = ObjectType(name, 1 + before // _WORD_BYTES, before + least)
        self._seen[address] = _Seen(head, (own_name + b"\0")[:_NAME_BYTES])
        self.known[found.home][address] = found
        return found

    def _is_type(self, head: _Head) -> bool:
        if not head.flags & _READY or not _FEWEST_BYTES <= head.basic_bytes <= _MOST_BYTES:
            return False
        if head.metatype == self._type_of_types:
            return True
        metatype = self._head(head.metatype)
        is_metaclass = metatype.flags & _TYPE_SUBCLASS and metatype.flags & _READY
        return bool(is_metaclass) and bool(self._head(metatype.metatype).flags & _TYPE_SUBCLASS)

    def _changed(self, addresses: list[int]) -> list[int]:
        """Those of the types that are others by now, or gone; all of them when one cannot be read. 1 µs each."""
        seen = [self._seen[address] for address in addresses]
        names = [(own.head.name_at, len(own.begins)) for own in seen]
        try:
            content = self._memory.plan([*((address, self._bytes) for address in addresses), *names]).read()
        except BadRead:
            return addresses
        changed, name_at = [], len(addresses) * self._bytes
        for number, (address, own) in enumerate(zip(addresses, seen, strict=True)):
            head = self._head_in(content[number * self._bytes : (number + 1) * self._bytes])
            begins = content[name_at : name_at + len(own.begins)]
            name_at += len(own.begins)
            if head != own.head or begins != own.begins:
                changed.append(address)
        return changed

    def _head(self, address: int) -> _Head:
        return self._head_in(self._memory.read(address, self._bytes))

    def _head_in(self, content: bytes | memoryview) -> _Head:
        metatype, name_at, basic_bytes, flags = (
            int.from_bytes(content[at : at + _WORD_BYTES], "little") for at in self._places
        )
        return _Head(metatype, name_at, basic_bytes, flags & self._telling)

    def _reject(self, address: int) -> None:
        if len(self._rejected) >= _MOST_REJECTED:
            self._rejected.clear()
        self._rejected.add(address)
