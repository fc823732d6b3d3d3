"""One profile minus another, as ``go tool pprof -base`` and ``-diff_base`` subtract.

Samples are the same when their stacks and labels are, wherever the program was loaded. Source:
github.com/google/pprof, profile/merge.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from memdash.errors import UsageError
from memdash.pprof.document import Document, Label, Location, Mapping, Sample

__all__ = ["BASE", "minus"]

BASE = Label("pprof::base", "true")
"""Marks the samples of a base that percentages relate to."""
_PAGE_BYTES = 0x1000


def minus(document: Document, base: Document, *, relative_to_base: bool) -> Document:
    """The difference: values that shrank are negative. Raises UsageError for profiles that cannot be compared.

    ``relative_to_base`` marks the base's samples, so that percentages are of its total.
    """
    kinds = [held.kind for held in document.sample_types if held.kind in {other.kind for other in base.sample_types}]
    if not kinds:
        raise UsageError("the two profiles have no kind of value in common", "compare two heap profiles")
    now, then = _reduced(document, kinds), _reduced(base, kinds)
    if now.sample_types != then.sample_types or now.period_type != then.period_type:
        raise UsageError("the two profiles measure in different units", "compare two profiles of the same kind")
    merger = _Merger()
    merger.add(now, 1, ())
    merger.add(then, -1, (BASE,) if relative_to_base else ())
    return replace(
        now,
        samples=merger.samples(),
        locations=merger.locations,
        mappings=tuple(merger.mappings.values()),
        time_ns=now.time_ns if not now.time_ns or now.time_ns < then.time_ns else then.time_ns,
        duration_ns=now.duration_ns + then.duration_ns,
        default_type=now.default_type or then.default_type,
        comments=tuple(dict.fromkeys(now.comments + then.comments)),
        doc_url=now.doc_url or then.doc_url,
    )


def _reduced(document: Document, kinds: list[str]) -> Document:
    """The document with these kinds of values only, in this order."""
    held = [sample_type.kind for sample_type in document.sample_types]
    if held == kinds:
        return document
    places = [held.index(kind) for kind in kinds]
    return replace(
        document,
        sample_types=tuple(document.sample_types[place] for place in places),
        samples=tuple(
            sample._replace(values=tuple(sample.values[place] for place in places)) for sample in document.samples
        ),
        default_type=document.default_type if document.default_type in kinds else kinds[0],
    )


class _Merger:
    """Finds out which locations, mappings and samples of two documents are the same."""

    def __init__(self) -> None:
        self.locations: dict[int, Location] = {}
        self.mappings: dict[Any, Mapping] = {}
        self._keys: dict[Any, int] = {}
        self._sums: dict[tuple[tuple[int, ...], frozenset[Label]], tuple[int, ...]] = {}

    def add(self, document: Document, sign: int, marks: tuple[Label, ...]) -> None:
        """Add a document's values, times ``sign``, with more labels on each sample."""
        keys: dict[int, int] = {}
        if document.mappings and not self.mappings:
            self._mapped(document.mappings[0])  # the program itself stays first
        for stack, values, labels in document.samples:
            if not any(values):
                continue
            for key in stack:
                if key not in keys:
                    keys[key] = self._located(document.locations[key])
            identity = tuple([keys[key] for key in stack]), frozenset(labels + marks)
            signed: Iterable[int] = (sign * value for value in values)
            if identity in self._sums:
                signed = map(sum, zip(self._sums[identity], signed, strict=True))
            self._sums[identity] = tuple(signed)

    def samples(self) -> tuple[Sample, ...]:
        """The sums that are not zero."""
        return tuple(
            Sample(stack, values, tuple(labels)) for (stack, labels), values in self._sums.items() if any(values)
        )

    def _located(self, location: Location) -> int:
        mapping = location.mapping and self._mapped(location.mapping)
        address = location.address
        if mapping is not None and location.mapping is not None:
            address += mapping.start - location.mapping.start
        ours = location._replace(mapping=mapping, address=address)
        key = self._keys.setdefault(ours, len(self._keys) + 1)
        self.locations[key] = ours
        return key

    def _mapped(self, mapping: Mapping) -> Mapping:
        size = (mapping.limit - mapping.start + _PAGE_BYTES - 1) // _PAGE_BYTES
        return self.mappings.setdefault((size, mapping.offset, mapping.build_id or mapping.file), mapping)
