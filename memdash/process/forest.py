"""Processes as trees: each below the one that started it, the trees that hold most memory first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from memdash.process.keepers import is_keeper
from memdash.process.listing import Candidate

__all__ = ["Planted", "forest"]

_FIRST_PID = 1


@dataclass(frozen=True, slots=True)
class Planted:
    """A process and its place: the pids ``above`` it in its tree, the outermost first, and what is below it.

    ``tree_rss_bytes`` is the RSS of it and of the ``below`` processes that it, and those, have started.
    """

    candidate: Candidate
    above: tuple[int, ...]
    below: int
    tree_rss_bytes: int


def forest(candidates: Iterable[Candidate]) -> Iterator[Planted]:
    """Each process after the one above it; trees, and within them branches, by their RSS, the largest first.

    What a shell, a terminal or a service manager started begins a tree, and so does what the first process took over.
    """
    by_pid = {candidate.target.pid: candidate for candidate in candidates}
    children: dict[int, list[int]] = defaultdict(list)
    roots = []
    for candidate in by_pid.values():
        parent = by_pid.get(candidate.parent)
        if parent is not None and _holds(parent, candidate):
            children[candidate.parent].append(candidate.target.pid)
        else:
            roots.append(candidate.target.pid)
    below, rss_bytes = _sums(by_pid, roots, children)
    waiting: list[tuple[int, tuple[int, ...]]] = [(pid, ()) for pid in _largest_last(roots, rss_bytes)]
    while waiting:
        pid, above = waiting.pop()
        yield Planted(by_pid[pid], above, below[pid], rss_bytes[pid])
        waiting += [(child, (*above, pid)) for child in _largest_last(children.get(pid, ()), rss_bytes)]


def _holds(parent: Candidate, child: Candidate) -> bool:
    """Whether the child belongs to the parent. A parent is older; so no list, however late or torn, makes a circle."""
    ours, theirs = parent.target, child.target
    if (ours.start_ticks, ours.pid) >= (theirs.start_ticks, theirs.pid) or is_keeper(ours.name, ours.exe):
        return False
    return ours.pid != _FIRST_PID or (any(ours.exe_id) and ours.exe_id == theirs.exe_id)


def _sums(
    by_pid: Mapping[int, Candidate], roots: Sequence[int], children: Mapping[int, Sequence[int]]
) -> tuple[dict[int, int], dict[int, int]]:
    """How many are below each, and the RSS of each with those."""
    order = list(roots)
    for pid in order:
        order += children.get(pid, ())
    below = dict.fromkeys(order, 0)
    rss_bytes = {pid: by_pid[pid].rss_bytes for pid in order}
    for pid in reversed(order):
        for child in children.get(pid, ()):
            below[pid] += below[child] + 1
            rss_bytes[pid] += rss_bytes[child]
    return below, rss_bytes


def _largest_last(pids: Iterable[int], rss_bytes: Mapping[int, int]) -> list[int]:
    return sorted(pids, key=lambda pid: (rss_bytes[pid], -pid))
