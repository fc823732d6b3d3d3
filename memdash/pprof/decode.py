"""A profile.proto file as a Document: gzip or not, of any origin, within bounds.

It is parsed a mebibyte at a time, and what was parsed is let go of at once. 50 000 stacks take 0.35 s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from google.protobuf.message import DecodeError

from memdash.errors import BadProfile
from memdash.pprof import profile_pb2
from memdash.pprof.document import Document, Function, Label, Line, Location, Mapping, Sample, ValueType
from memdash.pprof.records import chunks, unpacked

__all__ = ["decode"]

_LIMITS = {"frames": 1 << 24, "values": 1 << 22, "labels": 1 << 22, "lines": 1 << 20, "comments": 1 << 16}
"""How many there may be in all: each takes some ten to two hundred bytes, so that no file makes us hold a gigabyte."""
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
        self._spent = dict.fromkeys(_LIMITS, 0)
        self._mappings: dict[int, tuple[int, int, int, int, int, bool, bool, bool, bool]] = {}
        self._locations: dict[int, _RawLocation] = {}
        self._functions: dict[int, tuple[int, int, int, int]] = {}
        self._strings: list[bytes] = []
        self._comments: list[int] = []
        self._head = profile_pb2.Profile()

    def take(self, chunk: profile_pb2.Profile) -> None:
        """Copy the records out of a chunk, so that it can go. Raises BadProfile."""
        self._types += [(held.type, held.unit) for held in chunk.sample_type]
        samples = [(tuple(held.location_id), tuple(held.value), tuple(held.label)) for held in chunk.sample]
        for place, kind in enumerate(("frames", "values", "labels")):
            self._spend(kind, sum([len(sample[place]) for sample in samples]))
        self._samples += samples
        self._spend("lines", sum([len(location.line) for location in chunk.location]))
        self._spend("comments", len(chunk.comment))
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

    def _spend(self, kind: str, count: int) -> None:
        self._spent[kind] += count
        if self._spent[kind] > _LIMITS[kind]:
            raise BadProfile(f"this is more than {_LIMITS[kind]} {kind} in all, which no profile has")

    def document(self) -> Document:
        """Look everything up. Raises BadProfile."""
        text = _Texts(self._strings).text
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
        if not set[int]().union(*[stack for stack, _, _ in self._samples]) <= self._locations.keys():
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
        if longest * self._spent["frames"] <= _LIMITS["frames"]:
            return
        counts = {key: max(len(held.lines), 1) for key, held in self._locations.items()}
        self._spent["frames"] = 0
        for stack, _, _ in self._samples:
            self._spend("frames", sum([counts[key] for key in stack]))


Value = TypeVar("Value")


def _add(table: dict[int, Value], kind: str, key: int, value: Value) -> None:
    if not key or key in table:
        raise BadProfile(f"the profile is damaged: the id of a {kind} is {'given twice' if key else 'missing'}")
    table[key] = value


class _Texts:
    """The string table."""

    def __init__(self, strings: list[bytes]) -> None:
        if not strings or strings[0]:
            raise BadProfile("this is not a profile: its table of strings does not begin with an empty one")
        self._strings = [raw.decode(errors="backslashreplace") for raw in strings]

    def text(self, index: int) -> str:
        """The string with that number."""
        if not 0 <= index < len(self._strings):
            raise BadProfile("the profile is damaged: a string is named that is not in its table")
        return self._strings[index]


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
