"""The alert log, newest first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from enum import Enum

from memdash.model.finding import Finding, Severity
from memdash.model.metric import METRICS_BY_KEY, Metric
from memdash.model.snapshot import Snapshot
from memdash.tables.table import Cell, Column, Row, Table, Tone
from memdash.units import Unit, clock_time, count, duration, figure

__all__ = ["Kept", "alerts_table", "dropped_words", "entry_lines", "entry_of"]

_COLUMNS = (
    Column("time", "time", 8),
    Column("severity", "", 6),
    Column("lasted", "lasted", 10, drop=1),
    Column("what", "what", 0, least=32),
)
_IN_UNIT = ("before", "value", "limit")
"""Evidence that is in the unit of the metric; the names of other figures end in theirs."""


class Kept(Enum):
    """Which entries a person wants to see. The value says so below them."""

    ALL = ""
    WARNINGS = "warnings and worse"
    CRITICAL = "critical ones"
    HOLDING = "those that hold"

    def takes(self, finding: Finding) -> bool:
        """Whether this entry is one of them."""
        if self is Kept.HOLDING:
            return finding.ended_at_s is None
        return self is Kept.ALL or finding.severity >= _LEAST[self]


_LEAST = {Kept.WARNINGS: Severity.WARNING, Kept.CRITICAL: Severity.CRITICAL}


def alerts_table(snapshot: Snapshot, wanted: str = "", kept: Kept = Kept.ALL) -> Table:
    """Time, glyph and word of the severity, how long it held, how bad it was, what was found."""
    needle = wanted.casefold()
    rows = tuple(
        _row(key, finding, finding.rule in snapshot.muted)
        for key, finding in _keyed(snapshot)
        if kept.takes(finding)
        and any(needle in text.casefold() for text in (finding.summary, finding.severity.word, finding.rule))
    )[::-1]
    empty = f"no entry matches {wanted!r}" if wanted else "nothing to report"
    return Table("Alerts", _COLUMNS, rows, f"{empty} among {kept.value}" if kept.value else empty)


def entry_of(snapshot: Snapshot, key: str) -> Finding | None:
    """The entry whose row has this key, while the log has it."""
    return next((finding for other, finding in _keyed(snapshot) if other == key), None)


def dropped_words(snapshot: Snapshot) -> str:
    """How many entries the log has let go; empty for none."""
    return f"{count(snapshot.findings_dropped)} older ones dropped" if snapshot.findings_dropped else ""


def _keyed(snapshot: Snapshot) -> Iterator[tuple[str, Finding]]:
    """Oldest first; an entry keeps its key when others come, and go from among them."""
    often = Counter[tuple[str, float]]()
    for finding in reversed(snapshot.findings):
        began = finding.rule, finding.at_s
        often[began] += 1
        yield f"{finding.at_s} {often[began]} {finding.rule}", finding


def _row(key: str, finding: Finding, muted: bool) -> Row:
    over = finding.ended_at_s is not None
    lasting = not over or finding.lasted_s > 0
    quiet = muted or finding.acknowledged or (over and lasting and finding.severity >= Severity.WARNING)
    marks = [word for word, holds in (("muted", muted and not over), ("seen", finding.acknowledged)) if holds]
    times = f" · {finding.times} times" if finding.times > 1 else ""
    worst = finding.worst
    worse = "" if worst is None or worst == finding.measured else f" · worst {worst.words}"
    return Row(
        key,
        (
            Cell(clock_time(finding.at_s), Tone.FAINT, sort=finding.at_s),
            Cell(
                _sign(finding),
                Tone.FAINT if quiet else Tone.of_severity(finding.severity),
            ),
            Cell(
                _lasted(finding) if lasting else "",
                Tone.FAINT if quiet else Tone.STRONG,
                sort=finding.lasted_s,
            ),
            Cell(
                "".join(f"{mark} · " for mark in marks) + finding.summary + worse + times,
                Tone.FAINT if quiet else Tone.PLAIN,
            ),
        ),
    )


def _sign(finding: Finding) -> str:
    """Glyph and word of the severity; those of a mark, which the chart has too, where nothing was found but marked."""
    return "◆ MARK" if finding.is_mark else f"{finding.severity.glyph} {finding.severity.word}"


def _unit(key: str, metric: Metric | None) -> Unit:
    """Of a figure of the evidence."""
    if key in _IN_UNIT and metric is not None:
        return metric.unit
    if key.endswith("_bytes"):
        return Unit.BYTES
    return Unit.SECONDS if key.endswith("_s") and "per_s" not in key else Unit.COUNT


def _lasted(finding: Finding) -> str:
    if finding.ended_at_s is not None:
        return f"was {duration(finding.lasted_s)}"
    return f"for {duration(finding.lasted_s)}" if finding.lasted_s else "just now"


def entry_lines(snapshot: Snapshot, finding: Finding) -> tuple[str, ...]:
    """All there is to say of an entry, line by line; an empty one parts."""
    over = finding.ended_at_s
    lines = [f"{_sign(finding)}  {finding.summary}", "", f"rule: {finding.rule}"]
    if over == finding.at_s:
        return (*lines, f"at {clock_time(finding.at_s)}")
    end = "holds still" if over is None else f"ended {clock_time(over)}"
    lines.append(f"began {clock_time(finding.at_s)}, {end}, held for {duration(finding.lasted_s)} in all")
    if finding.times > 1:
        lines.append(f"came back within its cooldown: held {finding.times} times")
    if finding.measured is not None and finding.worst is not None:
        lines.append(f"last measured {finding.measured.words}, worst {finding.worst.words}")
    if finding.acknowledged:
        lines.append("a person has seen it")
    if (until_s := snapshot.muted.get(finding.rule)) is not None:
        left = "" if math.isinf(until_s) else f" for {duration(max(until_s - snapshot.at.mono_s, 0.0))} more"
        lines.append(f"its rule is muted{left}: it does not count")
    metric = METRICS_BY_KEY.get(str(finding.evidence.get("metric")))
    figures = [
        f"{key}: {value if isinstance(value, str) else figure(value, _unit(key, metric))}"
        for key, value in finding.evidence.items()
    ]
    return (*lines, "", *figures) if figures else tuple(lines)
