"""What is told under one name: how it is called, what it means, and how it is read off a snapshot."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from operator import attrgetter
from typing import NamedTuple

from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Sample
from memdash.model.snapshot import Snapshot, State
from memdash.plain import plain

__all__ = ["Family", "Row", "Type", "family", "figure_of", "label", "only", "readable"]

_LONGEST_LABEL = 200


class Type(Enum):
    """The value is Prometheus' word."""

    GAUGE = "gauge"
    COUNTER = "counter"
    SUMMARY = "summary"


class Row(NamedTuple):
    """One value, with the labels that tell it from others of its target; ``suffix`` goes behind the family's name."""

    value: float
    labels: Mapping[str, str] = {}
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric. ``rows`` is given a snapshot that lives, and leaves out what is not known.

    The name of a counter ends in ``_total``. With ``of_memdash`` it says nothing of a target, and is told once.
    """

    name: str
    help: str
    type: Type
    rows: Callable[[Snapshot], Iterator[Row]] = field(repr=False)
    of_memdash: bool = False


def family(
    name: str, explanation: str, capability: Capability, read: Callable[[Sample], Maybe[float]], per_unit: float = 1
) -> Family:
    """One value of a sample, ``per_unit`` of which are one of the unit in the name; a name in ``_total`` counts."""

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        if readable(snapshot, capability):
            value = read(snapshot.sample)
            if not isinstance(value, Missing) and math.isfinite(value):
                yield Row(value / per_unit)

    return Family(name, explanation, Type.COUNTER if name.endswith("_total") else Type.GAUGE, rows)


def figure_of(part: str, name: str) -> Callable[[Sample], Maybe[float]]:
    """Read one figure of a part of the sample, or why it is not there."""
    figure = attrgetter(name)

    def read(sample: Sample) -> Maybe[float]:
        found = getattr(sample, part)
        value: Maybe[float] = found if isinstance(found, Missing) else figure(found)
        return value

    return read


def only(told: Family, wanted: Callable[[Snapshot], bool]) -> Family:
    """The same, but nothing of a target that is not ``wanted``."""

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        return told.rows(snapshot) if wanted(snapshot) else iter(())

    return replace(told, rows=rows)


def readable(snapshot: Snapshot, capability: Capability) -> bool:
    """Whether what it has of this was read while it lives: what is only remembered is not told as if it were so now."""
    origin = snapshot.sample.origins.get(capability)
    return snapshot.state is State.LIVE and origin is not None and not origin.failing


def label(text: str) -> str:
    """What a target says, as the value of a label: bounded, and without what steers a terminal."""
    return plain(text[:_LONGEST_LABEL])[:_LONGEST_LABEL]
