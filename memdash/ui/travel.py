"""Where in the time of a watch the view stands, and which part of it the charts show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from memdash.model.finding import Finding, Severity
from memdash.model.missing import Missing
from memdash.model.sample import Instant
from memdash.model.series import Timeline

__all__ = ["Outlook", "Stop", "Whereabouts", "flag_of", "stops", "window_end_s"]

_MARGIN = 1 / 8
"""Share of a chart's span that stays between the cursor and its ends, as long as there is more to show there."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """``since`` and ``until`` are the ends of what can be looked at.

    ``is_away`` is true while another moment than the newest is shown, or is to be; ``is_replay`` says that the newest
    is no longer the present, ``cut_off`` why that is its last one, should more have been expected.
    """

    since: Instant
    until: Instant
    is_away: bool = False
    is_replay: bool = False
    cut_off: str = ""


class Stop(NamedTuple):
    """What is worth stopping at, and when that began on the monotonic clock."""

    at_s: float
    finding: Finding


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a chart shows: a time up to the end of ``timeline``, and what is worth stopping at within it.

    ``cursor`` is the moment on the screen where that lies within the time; None while it is the end of it, which
    ``is_now`` where the watch goes on.
    """

    timeline: Timeline
    stops: Sequence[Stop]
    is_now: bool
    cursor: Instant | None = None

    @property
    def cursor_s(self) -> float | None:
        """On the monotonic clock."""
        return None if self.cursor is None else self.cursor.mono_s

    def wall_s(self, mono_s: float) -> float:
        """What the clock on the wall showed then."""
        at = self.cursor or self.timeline.until
        return at.wall_s + mono_s - at.mono_s


_FLAGS = {Severity.CRITICAL: ("▲", "critical"), Severity.WARNING: ("●", "warning")}
_MARK = ("◆", "info")


def flag_of(finding: Finding) -> tuple[str, str]:
    """The sign and the look of something worth stopping at, where there is one cell for it."""
    return _MARK if finding.is_mark else _FLAGS[finding.severity]


def window_end_s(cursor_s: float, span_s: float, before_s: float, since_s: float, until_s: float) -> float:
    """Where a chart of ``span_s`` ends: at ``before_s``, where it ended, unless the cursor would come to its ends."""
    margin_s = span_s * _MARGIN
    end_s = min(max(before_s, cursor_s + margin_s), cursor_s + span_s - margin_s)
    return min(max(end_s, since_s + span_s), max(until_s, cursor_s))


def stops(findings: Iterable[Finding]) -> Sequence[Stop]:
    """What is worth stopping at on the way, oldest first: where alerts began, and what somebody has marked."""
    found = (
        Stop(finding.mono_s, finding)
        for finding in findings
        if (finding.severity >= Severity.WARNING or finding.is_mark) and not isinstance(finding.mono_s, Missing)
    )
    return sorted(found, key=lambda stop: stop.at_s)
