"""Where RSS comes from: a waterfall of steps, and the largest mappings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise

from memdash.model.capability import Capability
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing, begun
from memdash.model.residence import MappingGroup, MappingKind, Residence, Step, StepKind
from memdash.model.snapshot import Snapshot
from memdash.model.target import Runtime
from memdash.plain import plain
from memdash.tables.step_words import step_words
from memdash.tables.table import Cell, Column, Row, Span, Table, Tone
from memdash.units import age, byte_size, clock_time, count, ratio

__all__ = ["TITLE", "age_words", "mapping_words", "mappings_table", "residence_table", "step_paragraphs"]

TITLE = "Where RSS comes from"

_LEAST_SHARE = 0.0005
_TOTAL = "rss"
_TOTAL_WORDS = (
    "Resident set: all pages of the process that are in RAM now, those included that it shares with others.",
    "The bars add up from the left: what the runtime counts, less what has no page, then all else; dotted: RSS.",
)
_COLUMNS = (
    Column("step", "", 18),
    Column("size", "bytes", 11, right=True),
    Column("share", "of RSS", 7, right=True),
    Column("bar", "", 0, least=28),
    Column("what", "", 63, least=63, drop=1),
)
_MAPPING_COLUMNS = (
    Column("rss", "RSS", 10, right=True),
    Column("share", "%", 3, right=True),
    Column("bar", "", 10, least=4),
    Column("private", "private", 10, right=True, drop=3),
    Column("swap", "swapped", 10, right=True, drop=5),
    Column("size", "mapped", 10, right=True, drop=4),
    Column("kind", "kind", 13),
    Column("name", "mapping", 0, cut="start", least=26),
)
_PARTS = (
    ("spans", "MSpanSys"), ("caches", "MCacheSys"), ("collector", "GCSys"), ("profiler", "BuckHashSys"),
    ("other", "OtherSys"),
)  # fmt: skip
_RUNTIME_WORDS = {Runtime.GO: "Go heap", Runtime.CPYTHON: "Python arenas"}


def residence_table(snapshot: Snapshot) -> Table:
    """One row a step: its name, bytes, share of RSS, its piece of a bar, what it is; RSS itself comes last."""
    residence = snapshot.residence
    if isinstance(residence, Missing):
        return Table(TITLE, _COLUMNS, (), residence.words)
    ends = list(accumulate((step.size_bytes for step in residence.steps), initial=0))
    scale = max(*ends, residence.rss_bytes, 1)
    mark = residence.rss_bytes / scale
    rows = [
        _step_row(step, Span(start / scale, end / scale, mark), snapshot, residence)
        for step, (start, end) in zip(residence.steps, pairwise(ends), strict=True)
    ]
    rows.append(
        Row(
            _TOTAL,
            (
                Cell("RSS", Tone.STRONG),
                Cell(byte_size(residence.rss_bytes), Tone.STRONG, sort=residence.rss_bytes),
                Cell(ratio(1.0), Tone.STRONG),
                Cell(span=Span(0.0, mark, mark), tone=Tone.STRONG),
                Cell("pages of the process that are in RAM", Tone.FAINT),
            ),
        )
    )
    return Table(TITLE, _COLUMNS, tuple(rows), footnote=_footnote(residence))


def _step_row(step: Step, span: Span, snapshot: Snapshot, residence: Residence) -> Row:
    words = step_words(step.kind, snapshot.target.runtime, step.size_bytes)
    size = byte_size(step.size_bytes)
    return Row(
        step.kind.value,
        (
            Cell(words.label),
            Cell(f"~{size}" if step.is_estimated else size, sort=step.size_bytes),
            Cell(_share(step.size_bytes, residence.rss_bytes), Tone.FAINT, sort=step.size_bytes),
            Cell(span=span, tone=words.tone),
            Cell(f"estimated: {words.what}" if step.is_estimated else words.what, Tone.FAINT),
        ),
    )


def _share(size_bytes: int, rss_bytes: int) -> str:
    share = size_bytes / rss_bytes if rss_bytes else 0.0
    return ratio(share) if abs(share) >= _LEAST_SHARE else "0 %"


def _footnote(residence: Residence) -> str:
    if residence.no_runtime is not None:
        return f"without what the runtime makes of it: {residence.no_runtime.why}"
    return ""


def step_paragraphs(snapshot: Snapshot, key: str) -> tuple[str, str]:
    """What the step of that row is, in figures where there are more, and what would make it smaller."""
    residence = snapshot.residence
    if isinstance(residence, Missing):
        return "", ""
    if key == _TOTAL:
        return _TOTAL_WORDS
    step = next((step for step in residence.steps if step.kind.value == key), None)
    if step is None:
        return "", ""
    words = step_words(step.kind, snapshot.target.runtime, step.size_bytes)
    sentences = [words.what, *_details(step, snapshot, residence)]
    if step.is_estimated:
        sentences.append("estimated: the kernel has no names for what the runtime keeps outside its heap")
    return f"{'. '.join(map(begun, sentences))}.", words.lowers


def _details(step: Step, snapshot: Snapshot, residence: Residence) -> Iterator[str]:
    stats, arenas = snapshot.sample.memstats, residence.arenas
    if step.kind is StepKind.METADATA and isinstance(stats, MemStats):
        read = ((word, getattr(stats, field)) for word, field in _PARTS)
        sizes = {word: size for word, size in read if isinstance(size, int) and size}
        yield ", ".join(f"{word} {byte_size(size)}" for word, size in sizes.items())
        if step.size_bytes < sum(sizes.values()):
            yield f"of these {byte_size(sum(sizes.values()))} of address space {byte_size(step.size_bytes)} are in RAM"
    if step.kind is StepKind.NOT_RESIDENT and not isinstance(arenas, Missing):
        words = f"of {byte_size(arenas.size_bytes)} of arenas {byte_size(arenas.resident_bytes)} are in RAM"
        yield words + (f", {byte_size(arenas.swapped_bytes)} in swap" if arenas.swapped_bytes else "")


def age_words(snapshot: Snapshot) -> str:
    """``counted 4.0 s ago``, or once the target has ended, at what time; and what is to be known of the counting."""
    origin = snapshot.sample.origins.get(Capability.MAPPINGS)
    if origin is None:
        return ""
    counted, ended = f"counted {age(snapshot.at.mono_s - origin.at.mono_s)}", ""
    if snapshot.ending is not None:
        counted, ended = f"counted at {clock_time(origin.at.wall_s)}", f"ended: {snapshot.ending.words}"
    return " · ".join(part for part in (ended, counted, origin.failing, *origin.caveats) if part)


def mappings_table(snapshot: Snapshot) -> Table:
    """One row for each file, each named memory, and each large piece without a name: most resident bytes first."""
    residence, title = snapshot.residence, "Largest mappings"
    if isinstance(residence, Missing):
        return Table(title, _MAPPING_COLUMNS, (), residence.words)
    has_swap = any(group.swap_bytes for group in residence.groups)
    columns = tuple(column for column in _MAPPING_COLUMNS if has_swap or column.key != "swap")
    largest = max((group.rss_bytes for group in residence.groups), default=0) or 1
    rows = tuple(
        _mapping_row(group, snapshot, residence.rss_bytes, largest, has_swap=has_swap) for group in residence.groups
    )
    return Table(title, columns, rows, "nothing is mapped")


def _mapping_row(group: MappingGroup, snapshot: Snapshot, rss_bytes: int, largest: int, *, has_swap: bool) -> Row:
    def cells() -> tuple[Cell, ...]:
        swap = (Cell(byte_size(group.swap_bytes), sort=group.swap_bytes),) if has_swap else ()
        is_runtimes = group.kind is MappingKind.RUNTIME
        kind = _RUNTIME_WORDS.get(snapshot.target.runtime, group.kind.value) if is_runtimes else group.kind.value
        return (
            Cell(byte_size(group.rss_bytes), Tone.STRONG, sort=group.rss_bytes),
            Cell(count(round(100 * group.rss_bytes / (rss_bytes or 1))), Tone.FAINT),
            Cell(bar=group.rss_bytes / largest),
            Cell(byte_size(group.private_bytes), sort=group.private_bytes),
            *swap,
            Cell(byte_size(group.size_bytes), Tone.FAINT, sort=group.size_bytes),
            Cell(kind, Tone.FAINT),
            Cell(_name(group)),
        )

    return Row(_key(group), cells)


def _key(group: MappingGroup) -> str:
    return f"{group.kind.value} {group.name} {group.start:x}"


def mapping_words(snapshot: Snapshot, key: str) -> str:
    """All there is to say about the mappings of that row, a line each; its name in full first."""
    residence = snapshot.residence
    groups = () if isinstance(residence, Missing) else residence.groups
    group = next((group for group in groups if _key(group) == key), None)
    if group is None:
        return "not mapped any more, or not among the largest"
    figures = (
        ("in RAM", group.rss_bytes, "RSS"),
        ("its share of it", group.pss_bytes, "PSS: shared pages are divided among all"),
        ("private", group.private_bytes, "pages that only this process has"),
        ("changed", group.anonymous_bytes, "pages that no file holds, or that were written to"),
        ("in swap", group.swap_bytes, ""),
        (
            "mapped",
            group.size_bytes,
            f"of address space, in {count(group.pieces)} {'mapping' if group.pieces == 1 else 'mappings'}",
        ),
    )
    lines = [f"{word:<16}{byte_size(size):>10}  {what}".rstrip() for word, size, what in figures]
    return "\n".join([plain(_name(group)), group.kind.value, "", *lines])


def _name(group: MappingGroup) -> str:
    if group.name:
        return group.name
    if group.end:
        return f"{group.start:x}-{group.end:x}"
    return f"{count(group.pieces)} smaller ones"
