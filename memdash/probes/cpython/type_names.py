"""What a type is called: ``dict``, ``collections.OrderedDict``, ``shop.cart.Order``. The target's words, to be shown.

A type made in C says its whole name. One made by a class statement keeps its qualified name apart, and its module in
its dict, among the first entries. Source: Include/cpython/object.h, Include/internal/pycore_dict.h.
"""

from __future__ import annotations

import struct

from memdash.errors import BadRead
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.text import Text, read_c_string

__all__ = ["LONGEST_NAME", "TypeNames"]

LONGEST_NAME = 256
"""Characters of a name that are kept."""

_ENTRIES_LOOKED_AT = 64
"""A class statement puts its module first, namedtuple last."""
_MOST_KEPT = 4096
_POINTER = struct.Struct("<Q")
_MODULE_KEY = "__module__"
_UNSAID = "builtins"
"""The module that Python leaves out when it names a type."""


class TypeNames:
    """Reads the names of types that have been verified. Some 10 µs for one made in C, 60 µs for another."""

    def __init__(self, interpreter: Interpreter) -> None:
        layout = interpreter.layout
        self._memory = interpreter.memory
        self._text = Text(interpreter)
        self._qualified_at = layout.offset("PyHeapTypeObject", "ht_qualname")
        self._dict_at = layout.offset("PyTypeObject", "tp_dict")
        self._keys_at = layout.offset("PyDictObject", "ma_keys")
        self._keys = _KeysTable(interpreter)
        self._module_key = 0
        self._words: dict[int, str] = {}

    def of_c(self, name_at: int) -> bytes:
        """The C string that every type has. Raises BadRead when it is none, or empty."""
        name = read_c_string(self._memory, name_at)
        if not name:
            raise BadRead("a type without a name")
        return name

    def of_heap_type(self, address: int, own_name: str) -> str:
        """Module and qualified name as far as they can be had, else ``own_name``."""
        if "." in own_name:
            return own_name  # made in C, which says the whole
        try:
            qualified = self._text.read(self._memory.u64(address + self._qualified_at))
            module = self._module(address)
        except BadRead:
            return own_name
        return (f"{module}.{qualified}" if module and module != _UNSAID else qualified)[:LONGEST_NAME]

    def forget(self) -> None:
        """Keep no words: the target may have put others in their place."""
        self._words.clear()

    def _module(self, address: int) -> str:
        dict_at = self._memory.u64(address + self._dict_at)
        entries = self._keys.first_entries(self._memory.u64(dict_at + self._keys_at)) if dict_at else {}
        if self._module_key not in entries:
            # There is one such str for all: where it stands is known from the first class on.
            self._module_key = next((at for at in entries if self._word(at) == _MODULE_KEY), self._module_key)
        value_at = entries.get(self._module_key)
        return self._word(value_at) if value_at else ""

    def _word(self, address: int) -> str:
        """A str that many types share."""
        word = self._words.get(address)
        if word is None:
            if len(self._words) >= _MOST_KEPT:
                self._words.clear()
            word = self._words[address] = self._text.read(address)[:LONGEST_NAME]
        return word


class _KeysTable:
    """The entries of a dict, in the order in which they were put in."""

    def __init__(self, interpreter: Interpreter) -> None:
        layout = interpreter.layout
        self._memory = interpreter.memory
        self._size = layout.size("_dictkeysobject")
        self._count_at = layout.offset("_dictkeysobject", "dk_nentries")
        self._has_kinds = layout.has("_dictkeysobject", "dk_kind")
        if self._has_kinds:
            self._kind_at = layout.offset("_dictkeysobject", "dk_kind")
            self._index_at = layout.offset("_dictkeysobject", "dk_log2_index_bytes")
            self._general = layout.constants["DICT_KEYS_GENERAL"]
            self._unicode_entry = _entry(interpreter, "PyDictUnicodeEntry")
        else:
            self._length_at = layout.offset("_dictkeysobject", "dk_size")
        self._general_entry = _entry(interpreter, "PyDictKeyEntry")

    def first_entries(self, address: int) -> dict[int, int]:
        """Addresses of the first few values by those of their keys, without what was taken out. Raises BadRead."""
        head = self._memory.read(address, self._size)
        index_bytes, entry = self._shape(head)
        (count,) = _POINTER.unpack_from(head, self._count_at)
        if not count or index_bytes > 1 << 20:
            return {}
        found = self._memory.read(address + self._size + index_bytes, min(count, _ENTRIES_LOOKED_AT) * entry.size)
        return {key_at: value_at for key_at, value_at in entry.iter_unpack(found) if key_at and value_at}

    def _shape(self, head: bytes) -> tuple[int, struct.Struct]:
        """Bytes of the indices, which stand before the entries, and what an entry looks like."""
        if self._has_kinds:
            is_general = head[self._kind_at] == self._general
            return 1 << min(head[self._index_at], 63), self._general_entry if is_general else self._unicode_entry
        (length,) = _POINTER.unpack_from(head, self._length_at)
        width = 1 if length <= 0xFF else 2 if length <= 0xFFFF else 4
        return length * width, self._general_entry


def _entry(interpreter: Interpreter, name: str) -> struct.Struct:
    layout = interpreter.layout
    key_at, value_at, size = layout.offset(name, "me_key"), layout.offset(name, "me_value"), layout.size(name)
    return struct.Struct(f"<{key_at}xQ{value_at - key_at - 8}xQ{size - value_at - 8}x")
