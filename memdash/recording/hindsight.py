"""What was said of alerts: in the order in which it was, and what was known of them by some moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from memdash.errors import Corrupt
from memdash.model.finding import Finding
from memdash.model.sample import Instant
from memdash.recording.codec import all_decoded, decoded
from memdash.recording.database import Database
from memdash.recording.tables import micros, times

__all__ = ["SetBacks", "as_of", "findings", "sayings"]

_APART_S = 1.0
"""The clock that an alert's duration is told by is not the wall clock: so far apart they may be."""


def findings(database: Database, run: int, until_s: float, newest_s: float) -> Iterator[Finding]:
    """The alert log of a run as of ``until_s`` (wall seconds), newest first; nothing later than ``newest_s`` was seen.

    Raises RecordingError.
    """
    rows = database.rows(
        "SELECT data, said FROM finding AS this WHERE run = ?1 AND wall <= ?2 AND said = coalesce("
        "(SELECT max(said) FROM finding WHERE run = this.run AND wall = this.wall AND rule = this.rule"
        " AND note = this.note AND said <= ?2), "
        "(SELECT min(said) FROM finding WHERE run = this.run AND wall = this.wall AND rule = this.rule"
        " AND note = this.note)) ORDER BY wall DESC, rowid DESC",
        run,
        micros(until_s),
    )
    told = all_decoded(Finding, (data for data, _ in rows))
    return (as_of(finding, said, until_s, newest_s) for finding, (_, said) in zip(told, rows, strict=True))


class SetBacks:
    """Where the wall clock of a run was set back: what is dated by it would be hidden until it has caught up."""

    def __init__(self, database: Database, run: int) -> None:
        self._database = database
        self._run = run
        self._latest = 0
        self._looked_to = -1
        self._found: list[tuple[int, int]] = []

    def latest_s(self, at: Instant) -> float:
        """The latest wall time (seconds) that there had been by a moment. Raises RecordingError."""
        for row in self._database.rows(
            "SELECT mono, wall, last_mono, last_wall FROM minute WHERE run = ? AND mono > ? ORDER BY mono",
            self._run,
            self._looked_to,
        ):
            mono, wall, last_mono, last_wall = times(row)
            if wall < self._latest:
                self._found.append((mono, self._latest))
            self._latest, self._looked_to = max(self._latest, last_wall), last_mono
        mono = micros(at.mono_s)
        packed = max((wall for since, wall in self._found if since <= mono), default=0)
        if mono > self._looked_to:
            packed = self._latest
        (newest,) = self._database.rows(
            "SELECT coalesce(max(wall), 0) FROM moment WHERE run = ? AND mono <= ?", self._run, mono
        )
        (loose,) = times(newest)
        return max(at.wall_s, packed / 1e6, loose / 1e6)


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
