"""A profile.proto file as a Document: gzip or not, of any origin, within bounds.

It is parsed a mebibyte at a time, and what was parsed is let go of at once. 50 000 stacks take 0.3 s.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple, TypeVar

from google.protobuf.message import DecodeError

from memdash.errors import BadProfile
from memdash.pprof import profile_pb2
from memdash.pprof.document import Document, Function, Label, Line, Location, Mapping, Sample, ValueType
from memdash.pprof.records import chunks, unpacked

__all__ = ["decode"]

_MOST_HELD = 256 << 20
"""What all that a file says may take in memory, by the estimates below; 100 000 stacks take 60 MiB."""
_COSTS_BYTES = {
    "samples": 300, "frames": 8, "locations": 250, "lines": 200, "functions": 250, "mappings": 400, "values": 24,
    "labels": 8, "different labels": 300, "strings": 48, "texts": 1, "comments": 8,
}  # fmt: skip
_MOST_FRAMES = 1 << 23
"""On all stacks, inlined ones included: looking through so many takes seconds."""
_LONGEST_ESCAPED = 4096
"""Bytes that are no text are written as escapes, of four characters each, in a string that is no longer than this."""
_TEXTS = (b"heap profile:", b"goroutine profile:", b"threadcreate profile:", b"--- ", b"<!DOCTYPE", b"<html", b"{")
"""What people take for a profile by mistake begins like this."""


def decode(content: bytes) -> Document:
    """Read what a profile file holds. Raises BadProfile, and nothing else."""
    data = unpacked(content)
    if not data:
        raise BadProfile("the profile is empty")
    if data.startswith(_TEXTS):
        raise BadProfile("this is text, not a profile in its binary form")
    parsed = _Parsed()
    for chunk in chunks(data):
        try:
            parsed.take(profile_pb2.Profile.FromString(chunk))
        except DecodeError:
            raise BadProfile("this is not a profile: its records are damaged") from None
    return parsed.document()


Value = TypeVar("Value")


class _RawLocation(NamedTuple):
    """``lines`` are (function id, line, column)."""

    mapping_id: int
    address: int
    lines: tuple[tuple[int, int, int], ...]
    is_folded: bool


class _Parsed:
    """What the chunks of a file held, with indices that are yet to be looked up."""

    def __init__(self) -> None:
        self._types: list[tuple[int, int]] = []
        self._samples: list[tuple[tuple[int, ...], tuple[int, ...], tuple[bytes, ...]]] = []
        self._held = _Held()
        self._ids = _Same[int]()
        self._labels = _Same[bytes]()
        self._frames = 0
        self._mappings: dict[int, tuple[int, int, int, int, int, bool, bool, bool, bool]] = {}
        self._locations: dict[int, _RawLocation] = {}
        self._functions: dict[int, tuple[int, int, int, int]] = {}
        self._strings: list[bytes] = []
        self._comments: list[int] = []
        self._head = profile_pb2.Profile()

    def take(self, chunk: profile_pb2.Profile) -> None:
        """Copy the records out of a chunk, so that it can go. Raises BadProfile."""
        self._types += [(held.type, held.unit) for held in chunk.sample_type]
        spend = self._held.spend
        for kind, records in (
            ("samples", chunk.sample), ("locations", chunk.location), ("functions", chunk.function),
            ("mappings", chunk.mapping), ("strings", chunk.string_table), ("comments", chunk.comment),
        ):  # fmt: skip
            spend(kind, len(records))
        spend("lines", sum([len(location.line) for location in chunk.location]))
        self._take_samples(chunk)
        for mapping in chunk.mapping:
            _add(self._mappings, "mapping", mapping.id, (
                mapping.memory_start, mapping.memory_limit, mapping.file_offset, mapping.filename, mapping.build_id,
                mapping.has_functions, mapping.has_filenames, mapping.has_line_numbers, mapping.has_inline_frames,
            ))  # fmt: skip
        for location in chunk.location:
            lines = tuple((line.function_id, line.line, line.column) for line in location.line)
            held = _RawLocation(location.mapping_id, location.address, lines, location.is_folded)
            _add(self._locations, "location", location.id, held)
        for function in chunk.function:
            held_function = (function.name, function.system_name, function.filename, function.start_line)
            _add(self._functions, "function", function.id, held_function)
        self._strings += chunk.string_table
        self._comments += chunk.comment
        for field in ("sample_type", "sample", "mapping", "location", "function", "string_table", "comment"):
            chunk.ClearField(field)
        self._head.MergeFrom(chunk)

    def _take_samples(self, chunk: profile_pb2.Profile) -> None:
        """A number or a label that many of them name is held once."""
        spend, same_id, same_label = self._held.spend, self._ids.__getitem__, self._labels.__getitem__
        ids, labels = len(self._ids), len(self._labels)
        samples = [
            (tuple(map(same_id, held.location_id)), tuple(held.value), tuple(map(same_label, held.label)))
            for held in chunk.sample
        ]
        self._samples += samples
        frames = sum([len(stack) for stack, _, _ in samples])
        self._add_frames(frames)
        spend("frames", frames)
        spend("values", sum([len(values) for _, values, _ in samples]))
        spend("labels", sum([len(raw) for _, _, raw in samples]))
        spend("locations", len(self._ids) - ids)
        if len(self._labels) > labels:
            spend("different labels", len(self._labels) - labels)
            spend("texts", sum(map(len, islice(reversed(self._labels), len(self._labels) - labels))))

    def _add_frames(self, count: int) -> None:
        self._frames += count
        if self._frames > _MOST_FRAMES:
            raise BadProfile(f"this is more than {_MOST_FRAMES} frames in all, which no profile has")

    def document(self) -> Document:
        """Look everything up. Raises BadProfile."""
        text = _Texts(self._strings, self._held).text
        mappings = {
            key: Mapping(*held[:3], text(held[3]), text(held[4]), *held[5:]) for key, held in self._mappings.items()
        }
        functions = {
            key: Function(text(name), text(system_name), text(file), line)
            for key, (name, system_name, file, line) in self._functions.items()
        }
        head = self._head
        return Document(
            sample_types=tuple(ValueType(text(kind), text(unit)) for kind, unit in self._types),
            samples=self._all_samples(text),
            locations=self._all_locations(mappings, functions),
            mappings=tuple(mappings.values()),
            default_type=text(head.default_sample_type),
            period_type=ValueType(text(head.period_type.type), text(head.period_type.unit)),
            period=head.period,
            time_ns=head.time_nanos,
            duration_ns=head.duration_nanos,
            drop_frames=text(head.drop_frames),
            keep_frames=text(head.keep_frames),
            comments=tuple(map(text, self._comments)),
            doc_url=text(head.doc_url),
        )

    def _all_locations(self, mappings: dict[int, Mapping], functions: dict[int, Function]) -> dict[int, Location]:
        try:
            return {
                key: Location(
                    tuple([Line(functions[function], line, column) for function, line, column in held.lines]),
                    mappings.get(held.mapping_id),
                    held.address,
                    held.is_folded,
                )
                for key, held in self._locations.items()
            }
        except KeyError:
            raise BadProfile("the profile is damaged: a location names a function that is not there") from None

    def _all_samples(self, text: Callable[[int], str]) -> tuple[Sample, ...]:
        if any(len(values) != len(self._types) for _, values, _ in self._samples):
            raise BadProfile("the profile is damaged: a sample has not one value of each type")
        if not self._ids.keys() <= self._locations.keys():
            raise BadProfile("the profile is damaged: a stack names a location that is not there")
        self._check_expanded()
        labels = _Labels(text)
        return tuple([
            Sample(stack, values, tuple([labels[label] for label in raw]) if raw else ())
            for stack, values, raw in self._samples
        ])  # fmt: skip

    def _check_expanded(self) -> None:
        """A location counts as often as it is on a stack, with all its lines: a small file can so say very much."""
        longest = max((len(held.lines) for held in self._locations.values()), default=0)
        if longest * self._frames <= _MOST_FRAMES:
            return
        counts = {key: max(len(held.lines), 1) for key, held in self._locations.items()}
        self._frames = 0
        for stack, _, _ in self._samples:
            self._add_frames(sum([counts[key] for key in stack]))


class _Held:
    """What is held so far, in estimated bytes."""

    def __init__(self) -> None:
        self._bytes = 0

    def spend(self, kind: str, count: int) -> None:
        """Count so many more of a kind. Raises BadProfile."""
        self._bytes += _COSTS_BYTES[kind] * count
        if self._bytes > _MOST_HELD:
            raise BadProfile(f"this takes more than {_MOST_HELD >> 20} MiB of memory with its {kind}: no profile does")


class _Same(dict[Value, Value]):
    """The first of all that are equal: asked for one, it gives that."""

    def __missing__(self, key: Value) -> Value:
        self[key] = key
        return key


def _add(table: dict[int, Value], kind: str, key: int, value: Value) -> None:
    if not key or key in table:
        raise BadProfile(f"the profile is damaged: the id of a {kind} is {'given twice' if key else 'missing'}")
    table[key] = value


class _Texts(dict[int, str]):
    """The string table: what is named is decoded, once. Raises BadProfile."""

    def __init__(self, strings: list[bytes], held: _Held) -> None:
        super().__init__()
        if not strings or strings[0]:
            raise BadProfile("this is not a profile: its table of strings does not begin with an empty one")
        self._strings = strings
        self._held = held
        self.text = self.__getitem__

    def __missing__(self, index: int) -> str:
        if not 0 <= index < len(self._strings):
            raise BadProfile("the profile is damaged: a string is named that is not in its table")
        raw = self._strings[index]
        self[index] = text = raw.decode(errors="backslashreplace" if len(raw) <= _LONGEST_ESCAPED else "replace")
        self._held.spend("texts", sys.getsizeof(text))
        return text


class _Labels(dict[bytes, Label]):
    """Labels by what they are in the file: there are few of them, on many samples."""

    def __init__(self, text: Callable[[int], str]) -> None:
        super().__init__()
        self._text = text

    def __missing__(self, raw: bytes) -> Label:
        try:
            held = profile_pb2.Label.FromString(raw)
        except DecodeError:
            raise BadProfile("the profile is damaged: a label cannot be read") from None
        text = self._text
        self[raw] = label = Label(text(held.key), text(held.str), held.num, text(held.num_unit))
        return label
