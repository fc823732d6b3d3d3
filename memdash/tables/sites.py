"""Top allocation sites: one row a line of the program."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from memdash.analysis.sites import rate_of
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Usage, sampling_error
from memdash.model.snapshot import SiteGroup, Snapshot
from memdash.tables.figures import UNCHANGED
from memdash.tables.table import Cell, Column, Row, Table, Tone
from memdash.units import Unit, count, error_words, estimate, figure, signed

__all__ = [
    "NONE_YET",
    "Measure",
    "SiteOrder",
    "frame_of",
    "largest_site",
    "read_once",
    "sites_table",
    "why_unknown",
]

_ROWS_AT_MOST = 500
"""Ten thousand sites are searched, not scrolled."""

NONE_YET = "no sites yet"


class Measure(Enum):
    """The four sample types of pprof: (its name there, field of Usage, unit)."""

    INUSE_SPACE = ("inuse_space", "inuse_bytes", Unit.BYTES)
    INUSE_OBJECTS = ("inuse_objects", "inuse_objects", Unit.COUNT)
    ALLOC_SPACE = ("alloc_space", "alloc_bytes", Unit.BYTES)
    ALLOC_OBJECTS = ("alloc_objects", "alloc_objects", Unit.COUNT)

    @property
    def label(self) -> str:
        """The name that pprof gives it."""
        return self.value[0]

    @property
    def unit(self) -> Unit:
        """What it counts."""
        return self.value[2]

    @property
    def in_use(self) -> bool:
        """Whether it counts what is held now, not what was ever asked for."""
        return self in (Measure.INUSE_SPACE, Measure.INUSE_OBJECTS)

    @property
    def other_time(self) -> Measure:
        """What was ever asked for in place of what is held now, and back."""
        return next(other for other in Measure if other.unit is self.unit and other.in_use != self.in_use)

    @property
    def other_unit(self) -> Measure:
        """Objects in place of bytes, and back."""
        return next(other for other in Measure if other.unit is not self.unit and other.in_use == self.in_use)

    def of(self, usage: Usage) -> int:
        """Its figure in ``usage``."""
        figure_now: int = getattr(usage, self.value[1])
        return figure_now


class SiteOrder(Enum):
    """What the rows are sorted by; the value is the column's key."""

    FIGURE = "figure"
    OBJECTS = "objects"
    CHANGE = "change"
    FUNCTION = "function"
    WHERE = "where"


def sites_table(
    snapshot: Snapshot,
    measure: Measure = Measure.INUSE_SPACE,
    order: SiteOrder = SiteOrder.FIGURE,
    reverse: bool = False,
    wanted: str = "",
    none_yet: str = NONE_YET,
) -> Table:
    """Figure, share of the total, bar, objects, change since the baseline, course, function, file and line.

    ``wanted`` keeps the sites whose function or file contains it, whatever its case. Figures come first from large to
    small, names from A to Z; ``reverse`` turns that round. Sites that hold nothing and changed nothing are left out.
    ``none_yet`` is said where that leaves none.
    """
    groups = snapshot.groups
    rate_bytes = rate_of(snapshot)
    columns = _columns(measure, is_sampled=rate_bytes > 1)
    if isinstance(groups, Missing):
        return Table("Top allocation sites", columns, (), groups.words)
    if (unknown := why_unknown(snapshot, measure)) is not None:
        return Table("Top allocation sites", columns, (), unknown.words)
    total = sum(measure.of(group.usage) for group in groups)
    needle = wanted.casefold()
    shown = [
        group
        for group in groups
        if (measure.of(group.usage) or measure.of(group.change))
        and (needle in group.frame.function.casefold() or needle in group.frame.file.casefold())
    ]
    key, downwards = _keys(measure)[order]
    shown.sort(key=key, reverse=downwards is not reverse)
    shown = shown[:_ROWS_AT_MOST]
    largest = max((measure.of(group.usage) for group in shown), default=0)
    is_first = read_once(groups)
    rows = tuple(_row(group, measure, total, largest, rate_bytes, is_first=is_first) for group in shown)
    return Table("Top allocation sites", columns, rows, f"no site matches {wanted!r}" if wanted else none_yet)


def largest_site(snapshot: Snapshot) -> str:
    """The line that holds most, with how much and how far off that may be; empty when none holds anything."""
    groups = () if isinstance(snapshot.groups, Missing) else snapshot.groups
    largest = max(groups, key=lambda group: group.usage.inuse_bytes, default=None)
    if largest is None or largest.usage.inuse_bytes <= 0:
        return ""
    usage, frame = largest.usage, largest.frame
    error = sampling_error(usage.inuse_bytes, usage.inuse_objects, rate_of(snapshot))
    place = " at ".join(part for part in (frame.function, frame.where(parts=2)) if part)
    return f"most is held by {place}: {estimate(usage.inuse_bytes, error)}"


def read_once(groups: Iterable[SiteGroup]) -> bool:
    """Whether there has been one reading only, which says nothing of changes."""
    return all(len(group.trend) <= 1 and not any(group.change) for group in groups)


def why_unknown(snapshot: Snapshot, measure: Measure) -> Missing | None:
    """Why the profile cannot tell this measure; None when it can, or when there is none."""
    profile = snapshot.sample.sites
    return profile.no_alloc if isinstance(profile, Profile) and not measure.in_use else None


def _keys(measure: Measure) -> dict[SiteOrder, tuple[Callable[[SiteGroup], float | tuple[str, str, int]], bool]]:
    """Sort key and whether large comes first, by order."""
    objects = Measure.INUSE_OBJECTS if measure.in_use else Measure.ALLOC_OBJECTS
    return {
        SiteOrder.FIGURE: (lambda group: measure.of(group.usage), True),
        SiteOrder.OBJECTS: (lambda group: objects.of(group.usage), True),
        SiteOrder.CHANGE: (lambda group: measure.of(group.change), True),
        SiteOrder.FUNCTION: (lambda group: (group.frame.function, group.frame.file, group.frame.line), False),
        SiteOrder.WHERE: (lambda group: (group.frame.file, "", group.frame.line), False),
    }


def _columns(measure: Measure, *, is_sampled: bool) -> tuple[Column, ...]:
    return (
        Column("figure", "inuse" if measure.in_use else "alloc", 10, right=True),
        *((Column("error", "±", 5, right=True, drop=4),) if is_sampled else ()),
        Column("share", "%", 3, right=True),
        Column("bar", "", 12, least=5),
        Column("objects", "objects", 9, right=True, drop=2),
        Column("change", "Δ baseline", 11, right=True),
        Column("trend", "trend", 12, least=6, drop=3),
        Column("function", "function", 0, cut="function", least=20),
        Column("where", "where", 26, cut="start", least=16, drop=1),
    )


def _row(group: SiteGroup, measure: Measure, total: int, largest: int, rate_bytes: int, *, is_first: bool) -> Row:
    frame = group.frame
    key = f"{frame.function}\0{frame.file}\0{frame.line}"
    return Row(key, lambda: _cells(group, measure, total, largest, rate_bytes, is_first=is_first))


def frame_of(row: Row) -> Frame:
    """Which line of the program stands in a row."""
    function, file, line = row.key.split("\0")
    return Frame(function, file, int(line))


def _cells(
    group: SiteGroup, measure: Measure, total: int, largest: int, rate_bytes: int, *, is_first: bool
) -> tuple[Cell, ...]:
    value, change = measure.of(group.usage), measure.of(group.change)
    objects = group.usage.inuse_objects if measure.in_use else group.usage.alloc_objects
    frame = group.frame
    share = 100 * value / total if total else 0.0
    where = frame.where(parts=2)
    size = group.usage.inuse_bytes if measure.in_use else group.usage.alloc_bytes
    return (
        Cell(figure(value, measure.unit), Tone.STRONG, sort=value),
        *((_error(size, objects, rate_bytes),) if rate_bytes > 1 else ()),
        Cell(count(round(share)), sort=share),
        Cell(bar=value / largest if largest > 0 else 0.0),
        Cell(count(objects), sort=objects),
        UNCHANGED if is_first else Cell(signed(change, measure.unit), _tone(change, measure), sort=change),
        Cell(spark=tuple(map(float, group.trend))),
        Cell(frame.function or frame.file, sort=frame.function),
        Cell(where, Tone.FAINT, sort=where, note=frame.file),
    )


def _error(size: int, objects: int, rate_bytes: int) -> Cell:
    error = sampling_error(size, objects, rate_bytes)
    return Cell(error_words(error), Tone.FAINT, sort=error)


def _tone(change: int, measure: Measure) -> Tone:
    return Tone.of_change(change) if measure.in_use else Tone.FAINT
