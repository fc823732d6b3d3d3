"""The rows that stand in the pages of an SQLite file, whether or not anything still leads to them.

SQLite finds a page by those above it: where one of these is gone, so is for it all that lies below. But each leaf of a
table says what it is, and a row of one is told from those of others by the types of its values. The format is that of
https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["Kinds", "Value", "stray_rows"]

Value = int | float | str | bytes | None

Kinds = Mapping[str, Sequence[tuple[type[Value], ...]]]
"""The tables: what each column of one may hold."""

_LEAF = 0x0D
_HEADER = 100
_SIZES = frozenset(1 << power for power in range(9, 17))
_USUAL_SIZE = 4096
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_REAL, _ZERO, _ONE, _TEXTS = 7, 8, 9, 12
_TIMES = 16
"""Rows of now and of before may go on in the same pages: all together are no more than so many times the file."""


def stray_rows(
    path: Path, kinds: Kinds, spend: Callable[[], object] = lambda: None
) -> Iterator[tuple[str, int, tuple[Value, ...]]]:
    """Table, number and values of each; what has lost its end is cut short. Raises OSError, and what ``spend`` does.

    That is called for whatever is looked at.
    """
    with path.open("rb") as file:
        file.seek(0, 2)
        pages = _Pages(file, file.tell())
        for number in range(1, pages.number + 1):
            for row, payload in pages.cells(number):
                spend()
                values = _values(payload)
                for name, columns in kinds.items():
                    if values is not None and _is_of(values, columns):
                        yield name, row, values


def _is_of(values: Sequence[Value], columns: Sequence[tuple[type[Value], ...]]) -> bool:
    return len(values) == len(columns) and all(map(isinstance, values, columns))


@dataclass
class _Pages:
    """The pages of a file of so many bytes."""

    file: BinaryIO
    length: int

    def __post_init__(self) -> None:
        self.file.seek(0)
        head = self.file.read(_HEADER).ljust(_HEADER, b"\0")
        size = int.from_bytes(head[16:18], "big")
        self.size = 1 << 16 if size == 1 else size if size in _SIZES else _USUAL_SIZE
        self.usable = self.size - head[20] if head[20] <= 32 else self.size
        self.number = self.length // self.size
        self.left = _TIMES * self.length

    def page(self, number: int) -> bytes:
        """One of them; empty where there is none."""
        if not 0 < number <= self.number:
            return b""
        self.file.seek((number - 1) * self.size)
        return self.file.read(self.size)

    def cells(self, number: int) -> Iterator[tuple[int, bytes]]:
        """The rows of a leaf: number and payload. None where it is anything else."""
        page, begin = self.page(number), _HEADER if number == 1 else 0
        if len(page) < self.size or page[begin] != _LEAF:
            return
        count = int.from_bytes(page[begin + 3 : begin + 5], "big")
        places = page[begin + 8 : begin + 8 + 2 * count]
        for (place,) in struct.iter_unpack(">H", places[: len(places) // 2 * 2]):
            try:
                length, after = _varint(page, place)
                row, after = _varint(page, after)
            except IndexError:
                continue
            if 0 <= length <= min(self.length, self.left):
                payload = self._payload(page, after, length)
                self.left -= len(payload)
                yield row, payload

    def _payload(self, page: bytes, begin: int, length: int) -> bytes:
        """What is in the leaf, and in the pages that it goes on in."""
        most = self.usable - 35
        if length <= most:
            return page[begin : begin + length]
        least = (self.usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (self.usable - 4)
        local = local if local <= most else least
        parts, left = [page[begin : begin + local]], length - local
        following = int.from_bytes(page[begin + local : begin + local + 4], "big")
        while left > 0 and (page := self.page(following)):
            parts.append(page[4 : 4 + min(left, self.usable - 4)])
            left -= self.usable - 4
            following = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where the next begins. Raises IndexError."""
    value = 0
    for _ in range(8):
        byte = data[place]
        place += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place
    value = value << 8 | data[place]
    return value - (1 << 64 if value >= 1 << 63 else 0), place + 1


def _values(payload: bytes) -> tuple[Value, ...] | None:
    """The columns of a row; None where it is none."""
    try:
        begin, place = _varint(payload, 0)
        types = []
        while place < begin:
            kind, place = _varint(payload, place)
            types.append(kind)
    except IndexError:
        return None
    values, place = [], begin
    for kind in types:
        size = _INTEGERS.get(kind, 8 if kind == _REAL else max(kind - _TEXTS, 0) // 2)
        values.append(_value(kind, payload[place : place + size]))
        place += size
    return tuple(values)


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind in _INTEGERS:
        return int.from_bytes(data, "big", signed=True)
    if kind == _REAL:
        return struct.unpack(">d", data)[0] if len(data) == 8 else None
    if kind in (_ZERO, _ONE):
        return kind - _ZERO
    return data.decode(errors="replace") if kind % 2 else data
