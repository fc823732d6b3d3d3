"""What was said of alerts: in the order in which it was, and what was known of one by some moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from memdash.errors import Corrupt
from memdash.model.finding import Finding
from memdash.recording.codec import decoded
from memdash.recording.database import Database

__all__ = ["as_of", "sayings"]

_APART_S = 1.0
"""The clock that an alert's duration is told by is not the wall clock: so far apart they may be."""


def as_of(finding: Finding, said: object, until_s: float, newest_s: float) -> Finding:
    """An entry that was written at ``said`` (microseconds of wall time) as it stood at ``until_s`` (wall seconds).

    Unless it was over by then it goes on, for as long as it has up to that moment, or up to the newest that was
    recorded. Figures that are younger are not told: the first that is said of an alert comes up to half a second late,
    and in files of memdash before 0.4 what is said of a minute bears the minute's beginning. Raises Corrupt.
    """
    if type(said) is not int:
        raise Corrupt("an alert of this recording has no time")
    if finding.ended_at_s is not None and finding.ended_at_s <= until_s:
        return finding
    until_s = min(until_s, newest_s)
    since_s = max(until_s - finding.at_s, 0.0)
    lasted_s = min(finding.lasted_s + max(until_s - said / 1e6, 0.0), since_s)
    known = replace(finding, ended_at_s=None, lasted_s=lasted_s)
    is_younger = said / 1e6 > until_s or finding.ended_at_s is not None or finding.lasted_s > since_s + _APART_S
    return replace(known, measured=None, worst=None) if is_younger else known


def sayings(database: Database, run: int) -> Iterator[tuple[float, Finding]]:
    """All that was said of the alerts of a run, and when (wall seconds), a row at a time. Raises RecordingError."""
    for row, said in database.rows("SELECT rowid, said FROM finding WHERE run = ? ORDER BY said, rowid", run):
        for (data,) in database.rows("SELECT data FROM finding WHERE rowid = ?", row):
            yield said / 1e6, decoded(Finding, data)
