"""The local processes and what can be read of each: for ``memdash ps`` and for choosing one to watch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memdash.model.capability import Capability
from memdash.probes.probe import Refusal
from memdash.probes.survey import Surveyed
from memdash.process.listing import user_name
from memdash.tables.table import Cell, Column, Row, Table, Tone
from memdash.units import byte_size, count, duration

__all__ = ["is_wanted", "processes_table", "readable_words"]

_COLUMNS = (
    Column("pid", "pid", 7, right=True),
    Column("user", "user", 10, drop=4),
    Column("rss", "RSS", 10, right=True),
    Column("tree", "tree RSS", 10, right=True, drop=3),
    Column("up", "up", 7, right=True, drop=2),
    Column("runtime", "runtime", 14, least=10),
    Column("reads", "can be read", 19, drop=1),
    Column("command", "command", 0, cut="middle", least=24),
)
_COLUMNS_WITHOUT_TREES = tuple(column for column in _COLUMNS if column.key != "tree")
_WORDS = {
    Capability.MEMSTATS: "MemStats",
    Capability.GC: "GC",
    Capability.SITES: "sites",
    Capability.OBJECTS: "objects",
}


def processes_table(surveyed: Iterable[Surveyed]) -> Table:
    """One row a process, in the order given, indented by those above it that are shown too; a row's key is the pid.

    A process with others below it also has the RSS of the whole tree; the column is there when a row has one.
    """
    shown = list(surveyed)
    pids = {process.target.pid for process in shown}
    columns = _COLUMNS if any(process.below for process in shown) else _COLUMNS_WITHOUT_TREES
    rows = (_row(process, sum(pid in pids for pid in process.above), columns) for process in shown)
    return Table("Processes", columns, tuple(rows), "no such process")


def is_wanted(process: Surveyed, text: str) -> bool:
    """Whether it has ``text`` in its pid, name, runtime or arguments, whatever the case."""
    target = process.target
    words = (str(target.pid), target.name, target.runtime_version, *target.argv)
    return text.casefold() in "\n".join(words).casefold()


def readable_words(process: Surveyed) -> str:
    """What the best way of reading gives beyond what the kernel tells: ``MemStats GC sites``, or ``system view``."""
    best = process.best
    given = [word for capability, word in _WORDS.items() if best is not None and capability in best.capabilities]
    return " ".join(given) or "system view"


def _row(process: Surveyed, depth: int, columns: Sequence[Column]) -> Row:
    target = process.target
    words = readable_words(process)
    refusals = [verdict.why for _, verdict in process.verdicts if isinstance(verdict, Refusal)]
    cells = {
        "pid": Cell(str(target.pid), sort=target.pid),
        "user": Cell(user_name(target.uid), Tone.FAINT, sort=user_name(target.uid)),
        "rss": Cell(byte_size(process.rss_bytes), sort=process.rss_bytes),
        "tree": _tree_cell(process),
        "up": Cell(duration(process.up_s), Tone.FAINT, sort=process.up_s),
        "runtime": Cell(target.runtime_version or target.runtime.value, sort=target.runtime_version),
        "reads": Cell(words, Tone.FAINT if words == "system view" else Tone.GOOD, sort=words, note="; ".join(refusals)),
        "command": Cell("  " * depth + (" ".join(target.argv) or target.name), sort=target.name),
    }
    return Row(str(target.pid), tuple(cells[column.key] for column in columns))


def _tree_cell(process: Surveyed) -> Cell:
    if not process.below:
        return Cell("", sort=process.rss_bytes)
    words = f"it and {count(process.below)} more below it"
    return Cell(byte_size(process.tree_rss_bytes), sort=process.tree_rss_bytes, note=words)
