"""What a row held over the watch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from memdash.model.capability import Capability
from memdash.model.sample import Instant
from memdash.model.series import Series
from memdash.model.snapshot import Snapshot
from memdash.units import Unit, figure, span

__all__ = ["Course", "course_of"]


@dataclass(frozen=True, slots=True)
class Course:
    """A row's course up to ``until``."""

    series: Series
    until: Instant
    unit: Unit

    @property
    def span_s(self) -> float:
        """From the first reading that knows the row; 0 if there is none."""
        rows = zip(self.series.times_s, self.series.last, strict=True)
        first = next((time_s for time_s, value in rows if not math.isnan(value)), self.until.mono_s)
        return self.until.mono_s - first

    @property
    def why_empty(self) -> str:
        """Why there is no course to be drawn; empty when there is one."""
        known = self.series.known
        if len(known) > 1:
            return ""
        return "it has been read once so far" if known else "only the largest are followed from reading to reading"

    @property
    def bounds(self) -> str:
        """Least and most, and over which time; empty when there is no course."""
        if self.why_empty:
            return ""
        low = min(value for value in self.series.low if not math.isnan(value))
        high = max(value for value in self.series.high if not math.isnan(value))
        return f"{figure(low, self.unit)} to {figure(high, self.unit)} in {span(self.span_s)}"


def course_of(snapshot: Snapshot, capability: Capability, key: object, unit: Unit) -> Course:
    """The course of a row as of this moment; empty when nothing followed it."""
    followed = snapshot.courses.get(capability)
    series = followed.of(key) if followed is not None else Series((), (), (), (), (), 1.0)
    return Course(series, snapshot.at, unit)
