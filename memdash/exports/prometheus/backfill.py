"""A watch that is past, as OpenMetrics with timestamps: what ``promtool tsdb create-blocks-from openmetrics`` takes.

A recording has all metrics of one moment together, and OpenMetrics wants all moments of one metric together. So the
moments are gone through once, and what each metric has waits in a file: of a day at 15 s, 1.4 million values in 6 MB.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Sample

from memdash.exports.prometheus.exposition import OPEN, Shown, told_openly
from memdash.model.snapshot import Snapshot

__all__ = ["Backfill"]

_WAITING_AT_MOST = 20_000
"""Values in memory, 300 bytes each; they are compressed together."""

_MILLISECOND_S = 0.001
_ENCODE = choose_encoder(OPEN)[0]
_END = b"# EOF\n"

_Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Course:
    """One metric over time: what waits to be written, and where in the file that is which was."""

    waiting: list[Sample] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)


class Backfill:
    """Takes in snapshots in order, and writes them once; ``spool`` is an empty file that it may fill meanwhile.

    Metrics, names and labels are those of a scrape at that moment. ``left_out`` counts moments that did not come after
    the one before by the wall clock, which had been set back: Prometheus knows no other.
    """

    def __init__(self, spool: BinaryIO) -> None:
        self._spool = spool
        self._told: dict[str, tuple[Metric, dict[_Labels, _Course]]] = {}
        self._waiting = 0
        self._newest_s = 0.0
        self.left_out = 0
        self.moments = 0

    def add(self, snapshot: Snapshot) -> None:
        """What a scrape at this moment would have been told. Raises OSError when the file is full."""
        at_s = snapshot.at.wall_s
        if snapshot.ending is not None:  # that was seen after the last moment, and stands in its place
            at_s = max(snapshot.ending.at_s, self._newest_s + _MILLISECOND_S)
        at_s = round(at_s, 3)
        if at_s <= self._newest_s:
            self.left_out += 1
            return
        self._newest_s = at_s
        self.moments += 1
        for metric in told_openly([Shown(snapshot.target.name, snapshot)]):
            _, courses = self._told.setdefault(metric.name, (metric, {}))
            for name, labels, value, *_ in metric.samples:
                course = courses.setdefault(_told_apart(labels), _Course())
                course.waiting.append(Sample(name, labels, value, at_s))
            self._waiting += len(metric.samples)
        if self._waiting > _WAITING_AT_MOST:
            self._put_away()

    def write(self, out: BinaryIO) -> None:
        """All that was taken in, a metric at a time. Raises OSError."""
        self._put_away()
        for metric, courses in self._told.values():
            out.write(_encoded(metric, ()))
            for course in courses.values():
                for place, size in course.places:
                    self._spool.seek(place)
                    out.write(zlib.decompress(self._spool.read(size)))
        out.write(_END)

    def _put_away(self) -> None:
        place = self._spool.tell()
        for metric, courses in self._told.values():
            for course in courses.values():
                if course.waiting:
                    content = zlib.compress(_encoded(metric, course.waiting), 1)
                    self._spool.write(content)
                    course.places.append((place, len(content)))
                    course.waiting = []
                    place += len(content)
        self._waiting = 0


def _told_apart(labels: dict[str, str]) -> _Labels:
    """What tells one metric of a family from the others: all quantiles of a moment are one."""
    return tuple(sorted(item for item in labels.items() if item[0] != "quantile"))


def _encoded(metric: Metric, samples: Sequence[Sample]) -> bytes:
    """These lines of it; without any, those that it begins with."""
    part = Metric(metric.name, metric.documentation, metric.type)
    part.samples = list(samples)
    lines = _ENCODE(_Only(part)).removesuffix(_END).splitlines(keepends=True)
    return b"".join(line for line in lines if line.startswith(b"#") is not bool(samples))


@dataclass(frozen=True, slots=True)
class _Only:
    """A registry of one metric."""

    metric: Metric

    def collect(self) -> Iterator[Metric]:
        yield self.metric
