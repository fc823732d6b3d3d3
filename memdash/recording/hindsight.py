"""What was said of alerts: in the order in which it was, and what was known of them by some moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from memdash.model.finding import Finding
from memdash.model.missing import Missing
from memdash.recording.codec import all_decoded, decoded
from memdash.recording.database import Database
from memdash.recording.tables import micros, times

__all__ = ["AFTER_S", "findings", "sayings"]

AFTER_S = 1e-6
"""What came of a moment once it had been written, as that the target ended, is said so much later than the moment."""

_FIRST = (
    "(SELECT min(said) FROM finding"
    " WHERE run = this.run AND wall = this.wall AND rule = this.rule AND note = this.note) AS first"
)
_KNOWN = (
    f"SELECT data, said, {_FIRST}"  # noqa: S608 - our names
    " FROM finding AS this WHERE run = ?1 AND said = (SELECT max(said) FROM finding"
    " WHERE run = this.run AND wall = this.wall AND rule = this.rule AND note = this.note AND said <= ?2)"
    " ORDER BY first DESC, rowid DESC"
)
"""Of each entry what was said of it last, those that began last first."""


def findings(database: Database, run: int, until: int) -> Iterator[Finding]:
    """The alert log of a run as of ``until`` (microseconds of the monotonic clock), newest first.

    What went on then has lasted until then, and its figures are as old as what was said of it last. Raises
    RecordingError.
    """
    rows = database.rows(_KNOWN, run, until + micros(AFTER_S))
    told = all_decoded(Finding, (data for data, *_ in rows))
    for known, (_, *ends) in zip(told, rows, strict=True):
        said, first = times(ends)
        finding = _begun(known, first)
        if finding.ended_at_s is None:
            finding = replace(finding, lasted_s=finding.lasted_s + max(until - said, 0) / 1e6)
        yield finding


def sayings(database: Database, run: int) -> Iterator[tuple[float, Finding]]:
    """All that was said of the alerts of a run, and when (monotonic), a row at a time. Raises RecordingError."""
    for row, *ends in database.rows(
        f"SELECT rowid, said, {_FIRST} FROM finding AS this WHERE run = ? ORDER BY said, rowid",  # noqa: S608 - our names
        run,
    ):
        said, first = times(ends)
        for (data,) in database.rows("SELECT data FROM finding WHERE rowid = ?", row):
            yield said / 1e6, _begun(decoded(Finding, data), first)


def _begun(finding: Finding, first: int) -> Finding:
    """With when it began, which files of format 1 do not tell."""
    return replace(finding, mono_s=first / 1e6) if isinstance(finding.mono_s, Missing) else finding
