"""What a profile.proto file says, with every index resolved.

Source: github.com/google/pprof, proto/profile.proto.
"""

from __future__ import annotations

from collections.abc import Mapping as ReadMapping
from dataclasses import dataclass
from typing import NamedTuple

from memdash.errors import UsageError

__all__ = ["Document", "Function", "Label", "Line", "Location", "Mapping", "Sample", "ValueType"]


class ValueType(NamedTuple):
    """What a value counts, and in what unit: ``inuse_space``, ``bytes``."""

    kind: str
    unit: str


class Function(NamedTuple):
    """``system_name`` is what the linker calls it, ``start_line`` the line it begins on; 0 when unknown."""

    name: str
    system_name: str = ""
    file: str = ""
    start_line: int = 0


class Line(NamedTuple):
    """A place in a function. ``line`` and ``column`` are 0 when unknown."""

    function: Function
    line: int = 0
    column: int = 0


class Mapping(NamedTuple):
    """A file in the address space, from ``start`` up to ``limit``; what its addresses were resolved to."""

    start: int = 0
    limit: int = 0
    offset: int = 0
    file: str = ""
    build_id: str = ""
    has_functions: bool = False
    has_files: bool = False
    has_lines: bool = False
    has_inlines: bool = False


class Location(NamedTuple):
    """One address. ``lines`` has the function it was inlined into last; it is empty when nobody has resolved it."""

    lines: tuple[Line, ...]
    mapping: Mapping | None = None
    address: int = 0
    is_folded: bool = False


class Label(NamedTuple):
    """Something said about a sample: a text, or a number with its unit."""

    key: str
    text: str = ""
    number: int = 0
    unit: str = ""


class Sample(NamedTuple):
    """``stack`` holds keys of the document's locations, innermost first; ``values`` are one of each sample type."""

    stack: tuple[int, ...]
    values: tuple[int, ...]
    labels: tuple[Label, ...] = ()


_NOTHING = ValueType("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A profile as it stands in a file. All texts are those of a foreign program: untrusted.

    ``locations`` are by their id in the file; the first of ``mappings`` is the program itself. ``period`` is how much
    of ``period_type`` lies between two samples. ``drop_frames`` and ``keep_frames`` are regular expressions of
    functions that need not be shown.
    """

    sample_types: tuple[ValueType, ...]
    samples: tuple[Sample, ...]
    locations: ReadMapping[int, Location]
    mappings: tuple[Mapping, ...] = ()
    default_type: str = ""
    period_type: ValueType = _NOTHING
    period: int = 0
    time_ns: int = 0
    duration_ns: int = 0
    drop_frames: str = ""
    keep_frames: str = ""
    comments: tuple[str, ...] = ()
    doc_url: str = ""

    def index_of(self, sample_type: str) -> int:
        """Which value is meant by a name, a number, or nothing: the default, else the last. Raises UsageError.

        ``inuse_space`` also finds ``space``, as in old files.
        """
        kinds = [kind for kind, _ in self.sample_types]
        if not kinds:
            raise UsageError("this profile holds no values at all", "it was written by a program that measured nothing")
        if not sample_type:
            return kinds.index(self.default_type) if self.default_type in kinds else len(kinds) - 1
        if sample_type.isascii() and sample_type.isdecimal() and int(sample_type) < len(kinds):
            return int(sample_type)
        for name in (sample_type, sample_type.removeprefix("inuse_")):
            if name in kinds:
                return kinds.index(name)
        raise UsageError(f"this profile has no {sample_type!r}", f"it has {', '.join(kinds)}")
