"""An allocation site in full: what it holds, over which stacks, and who called it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from memdash.analysis.sites import held_by_caller, held_by_stack, rate_of
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Site, Usage, sampling_error
from memdash.model.snapshot import SiteGroup, Snapshot
from memdash.tables.row_figures import (
    STACKS_AT_MOST,
    Held,
    RowFigure,
    RowStack,
    RowStacks,
    held_figures,
    missing_figure,
)
from memdash.tables.since import since_words
from memdash.tables.sites import Measure, read_once, why_unknown
from memdash.tables.table import Cell, Tone
from memdash.units import Unit, byte_size, count, error_words, ratio, signed, things

__all__ = ["held_by_line", "site_callers", "site_figures", "site_stacks"]

_CALLERS_AT_MOST = 100


def site_figures(group: SiteGroup, snapshot: Snapshot) -> tuple[RowFigure, ...]:
    """What it holds, how that changed, and what was ever asked for there."""
    groups = () if isinstance(snapshot.groups, Missing) else snapshot.groups
    usage, change, is_first = group.usage, group.change, read_once(groups)
    since = since_words(snapshot, Capability.SITES)
    held = held_figures(
        Held(usage.inuse_bytes, usage.inuse_objects),
        Held(change.inuse_bytes, change.inuse_objects),
        sum(other.usage.inuse_bytes for other in groups),
        "all sites",
        since,
        is_first=is_first,
    )
    held = (held[0], *_off_by(usage, rate_of(snapshot)), *held[1:])
    if (unknown := why_unknown(snapshot, Measure.ALLOC_SPACE)) is not None:
        return (*held, missing_figure("allocated", unknown.why))
    asked = RowFigure("allocated", byte_size(usage.alloc_bytes), count(usage.alloc_objects), "objects")
    if is_first or not since:
        return (*held, asked)
    size, objects = signed(change.alloc_bytes, Unit.BYTES), signed(change.alloc_objects, Unit.COUNT)
    return (*held, asked, RowFigure("", size, objects, since, tone=Tone.FAINT))


def _off_by(usage: Usage, rate_bytes: int) -> tuple[RowFigure, ...]:
    """How far off what it holds may be; nothing where that is not worth a word."""
    error = sampling_error(usage.inuse_bytes, usage.inuse_objects, rate_bytes)
    if not (share := error_words(error)):
        return ()
    words = f"of it, sampled every {byte_size(rate_bytes)}"
    return (RowFigure("±", byte_size(error * usage.inuse_bytes), share, words, tone=Tone.FAINT),)


def site_stacks(own: Sequence[Site]) -> RowStacks:
    """The stacks of these sites, those that hold most first: what each holds, and its share and objects."""
    held = held_by_stack(own)
    total = sum(size for _, size, _ in held) or 1
    first = (
        RowStack(
            stack,
            (
                Cell(byte_size(size), Tone.STRONG),
                Cell(f"{ratio(size / total)} · {things(objects, 'object')}", Tone.FAINT),
            ),
        )
        for stack, size, objects in held[:STACKS_AT_MOST]
    )
    return RowStacks(tuple(first), len(held))


def site_callers(own: Sequence[Site]) -> RowStacks:
    """Who called where the memory was asked for, as stacks of one frame: what is held through each, share, bar."""
    held = held_by_caller(own)
    total = sum(size for _, size in held) or 1
    first = (
        RowStack((frame,), (Cell(byte_size(size), Tone.STRONG), Cell(ratio(size / total)), Cell(bar=size / total)))
        for frame, size in held[:_CALLERS_AT_MOST]
    )
    return RowStacks(tuple(first), len(held))


def held_by_line(snapshot: Snapshot, file: str) -> dict[int, int]:
    """Bytes held by each line of a file that holds any; several functions may have sites on one line."""
    held: Counter[int] = Counter()
    for group in () if isinstance(snapshot.groups, Missing) else snapshot.groups:
        if group.frame.file == file:
            held[group.frame.line] += group.usage.inuse_bytes
    return dict(held)
