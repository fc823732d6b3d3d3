"""Documents to test with: any at all, and small ones written down by stacks."""

from __future__ import annotations

from collections.abc import Mapping as ReadMapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from memdash.pprof.document import Document, Function, Label, Line, Location, Mapping, Sample, ValueType

__all__ = ["CORPUS", "any_document", "of_stacks"]

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.pb.gz"))
"""Profiles that Go programs wrote."""

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1)
_ADDRESSES = st.integers(0, (1 << 64) - 1)
_FUNCTIONS = st.builds(Function, _TEXTS, _TEXTS, _TEXTS, _NUMBERS)
_LINES = st.builds(Line, _FUNCTIONS, _NUMBERS, _NUMBERS)
_MAPPINGS = st.builds(
    Mapping, _ADDRESSES, _ADDRESSES, _ADDRESSES, _TEXTS, _TEXTS, *[st.booleans() for _ in range(4)]
)  # fmt: skip
_LABELS = st.builds(Label, _TEXTS, _TEXTS, _NUMBERS, _TEXTS)
_TYPES = st.builds(ValueType, _TEXTS, _TEXTS)


@st.composite
def any_document(draw: st.DrawFn) -> Document:
    """Whatever the format can hold."""
    types = draw(st.lists(_TYPES, min_size=1, max_size=4))
    mappings = draw(st.lists(_MAPPINGS, max_size=3, unique=True))
    places = st.builds(
        Location,
        st.lists(_LINES, max_size=3).map(tuple),
        st.sampled_from([None, *mappings]),
        _ADDRESSES,
        st.booleans(),
    )
    locations = draw(st.dictionaries(st.integers(1, (1 << 64) - 1), places, min_size=1, max_size=5))
    samples = st.builds(
        Sample,
        st.lists(st.sampled_from(sorted(locations)), max_size=6).map(tuple),
        st.tuples(*[_NUMBERS] * len(types)),
        st.lists(_LABELS, max_size=2).map(tuple),
    )
    return Document(
        sample_types=tuple(types),
        samples=tuple(draw(st.lists(samples, max_size=5))),
        locations=locations,
        mappings=tuple(mappings),
        default_type=draw(_TEXTS),
        period_type=draw(_TYPES),
        period=draw(_NUMBERS),
        time_ns=draw(_NUMBERS),
        duration_ns=draw(_NUMBERS),
        drop_frames=draw(_TEXTS),
        keep_frames=draw(_TEXTS),
        comments=tuple(draw(st.lists(_TEXTS, max_size=2))),
        doc_url=draw(_TEXTS),
    )


def of_stacks(stacks: ReadMapping[str, int], *, labels: tuple[Label, ...] = (), **fields: Any) -> Document:
    """A document of stacks like ``main > add + inlined > grow@store.go:7``, from the outermost frame inwards.

    ``>`` is a call, ``+`` one that was inlined, ``@`` file and line. Values are bytes, of the type ``inuse_space``.
    """
    keys: dict[str, int] = {}
    samples = []
    for stack, value in stacks.items():
        calls = [call.strip() for call in stack.split(">")] if stack else []
        path = tuple(keys.setdefault(call, len(keys) + 1) for call in reversed(calls))
        samples.append(Sample(path, (value,), labels))
    locations = {key: Location(tuple(map(_line, reversed(call.split(" + "))))) for call, key in keys.items()}
    whole: dict[str, Any] = {
        "sample_types": (ValueType("inuse_space", "bytes"),),
        "samples": tuple(samples),
        "locations": locations,
    }
    return Document(**(whole | fields))


def _line(frame: str) -> Line:
    name, _, place = frame.partition("@")
    file, _, line = place.partition(":")
    return Line(Function(name, "", file), int(line or 0))
