"""The call stacks behind the first rows, folded away until somebody wants them; no script is needed for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memdash.analysis.sites import held_by_stack, sites_at
from memdash.exports.html_table import safe
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.tables.task_words import state_words
from memdash.units import byte_size, count

__all__ = ["site_stacks", "task_stacks"]

_ROWS_SHOWN = 8
_FRAMES_SHOWN = 30
_LONGEST = 400


def site_stacks(snapshot: Snapshot) -> Iterator[str]:
    """Of the sites that hold most: the stack through which each holds most."""
    profile, groups = snapshot.sample.sites, snapshot.groups
    if isinstance(profile, Missing) or isinstance(groups, Missing):
        return
    holding = [group.frame for group in groups[:_ROWS_SHOWN] if group.usage.inuse_bytes]
    stacks = ((frame, held_by_stack(sites_at(profile, frame))[:1]) for frame in holding)
    folded = [_folded(f"{byte_size(size)} {_name(frame)}", stack) for frame, most in stacks for stack, size, _ in most]
    if folded:
        yield "<h3>The stack through which each holds most</h3>"
    yield from folded


def task_stacks(snapshot: Snapshot) -> Iterator[str]:
    """Of the groups of tasks that are most: where most of each stand, and who started them."""
    if isinstance(snapshot.tasks, Missing):
        return
    shown = [group for group in sorted(snapshot.tasks, key=lambda group: -group.count)[:_ROWS_SHOWN] if group.tasks]
    if shown:
        yield "<h3>Where most of each stand; the last line is who started them, where that is known</h3>"
        for group in shown:
            task = max(group.tasks, key=lambda task: task.count)
            title = f"{count(task.count)} {state_words(task)} {_name(group.frame)}"
            stack = task.stack if isinstance(task.created_by, Missing) else (*task.stack, task.created_by)
            yield _folded(title, stack)


def _name(frame: Frame) -> str:
    return (frame.function or frame.file)[:_LONGEST]


def _folded(title: str, stack: Sequence[Frame]) -> str:
    """Innermost first. The outermost frames stay where there are too many: a program is known by its beginning."""
    half = _FRAMES_SHOWN // 2
    dropped = len(stack) - _FRAMES_SHOWN
    kept = stack if dropped <= 0 else (*stack[:half], *stack[-half:])
    rows = [f"<li><code>{safe(_name(f))}</code> <span class=fa>{safe(f.where()[-_LONGEST:])}</span></li>" for f in kept]
    if dropped > 0:
        rows.insert(half, f"<li class=fa>… {count(dropped)} more …</li>")
    return f"<details><summary><code>{safe(title)}</code></summary><ol>{''.join(rows)}</ol></details>"
