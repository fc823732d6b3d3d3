"""A second reader of profile.proto, by hand and naive: what decode says is held against it."""

from __future__ import annotations

import gzip
from collections import defaultdict
from typing import TypeAlias

from memdash.pprof.document import Document, Function, Label, Line, Location, Mapping, Sample, ValueType

__all__ = ["read"]

Fields: TypeAlias = dict[int, list[int | bytes]]
"""Of one message: what stands under each field number."""


def read(content: bytes) -> Document:
    """The document of a well-formed file."""
    top = fields(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    strings = [raw(item).decode(errors="backslashreplace") for item in top[6]]

    def text(message: Fields, number: int) -> str:
        return strings[unsigned(message, number)]

    def value_type(content: int | bytes) -> ValueType:
        message = fields(raw(content))
        return ValueType(text(message, 1), text(message, 2))

    mappings = {}
    for message in map(fields, map(raw, top[3])):
        start, limit, offset = (unsigned(message, number) for number in (2, 3, 4))
        flags = [bool(unsigned(message, number)) for number in (7, 8, 9, 10)]
        mappings[unsigned(message, 1)] = Mapping(start, limit, offset, text(message, 5), text(message, 6), *flags)
    functions = {}
    for message in map(fields, map(raw, top[5])):
        functions[unsigned(message, 1)] = Function(
            text(message, 2), text(message, 3), text(message, 4), signed(message, 5)
        )
    locations = {}
    for message in map(fields, map(raw, top[4])):
        lines = [fields(raw(item)) for item in message[4]]
        locations[unsigned(message, 1)] = Location(
            tuple(Line(functions[unsigned(line, 1)], signed(line, 2), signed(line, 3)) for line in lines),
            mappings.get(unsigned(message, 2)),
            unsigned(message, 3),
            bool(unsigned(message, 5)),
        )
    samples = []
    for message in map(fields, map(raw, top[2])):
        labels = [fields(raw(item)) for item in message[3]]
        samples.append(
            Sample(
                tuple(repeated(message, 1)),
                tuple(as_signed(value) for value in repeated(message, 2)),
                tuple(Label(text(held, 1), text(held, 2), signed(held, 3), text(held, 4)) for held in labels),
            )
        )
    return Document(
        sample_types=tuple(map(value_type, top[1])),
        samples=tuple(samples),
        locations=locations,
        mappings=tuple(mappings.values()),
        default_type=text(top, 14),
        period_type=value_type(top[11][-1]) if top[11] else ValueType("", ""),
        period=signed(top, 12),
        time_ns=signed(top, 9),
        duration_ns=signed(top, 10),
        drop_frames=text(top, 7),
        keep_frames=text(top, 8),
        comments=tuple(strings[number] for number in repeated(top, 13)),
        doc_url=text(top, 15),
    )


def fields(content: bytes) -> Fields:
    found: Fields = defaultdict(list)
    while content:
        key, content = varint(content)
        value: int | bytes
        match key & 7:
            case 0:
                value, content = varint(content)
            case 2:
                size, content = varint(content)
                value, content = content[:size], content[size:]
            case other:
                raise AssertionError(f"wire type {other}")
        found[key >> 3].append(value)
    return found


def varint(content: bytes) -> tuple[int, bytes]:
    value = 0
    for place, byte in enumerate(content):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value & (1 << 64) - 1, content[place + 1 :]
    raise AssertionError("cut off")


def repeated(message: Fields, number: int) -> list[int]:
    """Numbers, packed or not."""
    found: list[int] = []
    for item in message[number]:
        if isinstance(item, int):
            found.append(item)
            continue
        while item:
            value, item = varint(item)  # noqa: PLW2901
            found.append(value)
    return found


def raw(item: int | bytes) -> bytes:
    assert isinstance(item, bytes)
    return item


def unsigned(message: Fields, number: int) -> int:
    item = message[number][-1] if message[number] else 0
    assert isinstance(item, int)
    return item


def signed(message: Fields, number: int) -> int:
    return as_signed(unsigned(message, number))


def as_signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
