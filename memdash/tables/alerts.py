"""The alert log, newest first."""

from __future__ import annotations

from memdash.model.finding import Finding, Severity
from memdash.model.snapshot import Snapshot
from memdash.tables.table import Cell, Column, Row, Table, Tone
from memdash.units import clock_time, duration

__all__ = ["alerts_table"]

_COLUMNS = (Column("time", "time", 8), Column("severity", "", 6), Column("what", "what", 0))
_TONES = {
    Severity.OK: Tone.GOOD,
    Severity.INFO: Tone.INFO,
    Severity.WARNING: Tone.WARNING,
    Severity.CRITICAL: Tone.CRITICAL,
}


def alerts_table(snapshot: Snapshot, wanted: str = "") -> Table:
    """Time, glyph and word of the severity, what was found and how long it held."""
    needle = wanted.casefold()
    rows = tuple(
        _row(index, finding)
        for index, finding in enumerate(reversed(snapshot.findings), start=snapshot.findings_dropped)
        if needle in finding.summary.casefold() or needle in finding.severity.word.casefold()
    )[::-1]
    return Table("Alerts", _COLUMNS, rows, f"no entry matches {wanted!r}" if wanted else "nothing to report")


def _row(number: int, finding: Finding) -> Row:
    tone = _TONES[finding.severity]
    over = finding.ended_at_s is not None
    held_s = (finding.ended_at_s or finding.at_s) - finding.at_s
    tail = f" · over after {duration(held_s)}" if over and held_s > 0 else ""
    quiet = over and finding.severity >= Severity.WARNING and held_s > 0
    return Row(
        str(number),
        (
            Cell(clock_time(finding.at_s), Tone.FAINT, sort=finding.at_s),
            Cell(f"{finding.severity.glyph} {finding.severity.word}", Tone.FAINT if quiet else tone),
            Cell(finding.summary + tail, Tone.FAINT if quiet else Tone.PLAIN),
        ),
    )
