"""All there is to say about a group of tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.analysis.tasks import task_groups, tasks_by_group
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, TaskGroup
from memdash.model.tasks import Task, TaskKind, Tasks
from memdash.tables.row_figures import RowFigure
from memdash.tables.row_tasks import task_figures, task_stacks, tasks_by_line
from memdash.tables.table import Tone
from tests.fakes import NOON_S, a_snapshot, a_thread


def shown(*tasks: Task) -> tuple[TaskGroup, Snapshot]:
    now = Tasks(tasks)
    groups = task_groups(tasks_by_group(now), {}, {})
    return groups[0], a_snapshot(5, tasks=groups, since={Capability.TASKS: Instant(NOON_S, 10_000.0)})


def test_figures_of_what_is_known() -> None:
    unknown = Missing("it is the thread that the program began with")
    task = a_thread("work", "in futex", 8, stack_bytes=4096, is_leaked=True, created_by=unknown)
    figures = {figure.label: figure for figure in task_figures(*shown(task))}
    assert figures["there are"] == RowFigure("there are", "8", more="threads", tone=Tone.STRONG)
    assert (figures["change"].first, figures["change"].tone) == ("+8", Tone.GROWS)
    assert figures["waiting at least"].first == "2m10s"
    assert figures["stack memory"].first == "4.00 KiB"
    assert figures["state"].text == "in futex (leaked); proven: nothing can ever wake them"
    assert figures["begun with"] == RowFigure("begun with", text=unknown.why, tone=Tone.FAINT)


def test_figures_of_what_is_not() -> None:
    figures = {
        figure.label: figure for figure in task_figures(*shown(a_thread("w", "running", waiting_s=Missing("ran"))))
    }
    assert (figures["waiting at least"].first, figures["waiting at least"].more) == ("–", "ran")
    assert "stack memory" not in figures
    assert figures["begun with"].text == "w /srv/shop/shop.py:30"


def test_without_a_moment_to_count_from_there_is_no_change() -> None:
    group, snapshot = shown(a_thread("w", "in futex"))
    assert "change" not in [figure.label for figure in task_figures(group, replace(snapshot, since={}))]


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (a_thread("w", "in futex", 5), ["worker-0 and 4 more", "in futex"]),
        (a_thread("w", "in futex"), ["worker-0", "in futex"]),
        (a_thread("w", "in futex", 2, name=""), ["2 of them", "in futex"]),
        (a_thread("w", "in futex", name=""), ["in futex"]),
        (a_thread("w", "in select", kind=TaskKind.GOROUTINE), ["1 goroutine", "in select"]),
    ],
)
def test_a_stack_says_who_stands_there(task: Task, words: list[str]) -> None:
    group, _ = shown(task)
    stacks = task_stacks(group)
    assert [cell.text for cell in stacks.first[0].words] == words
    assert stacks.first[0].frames == task.stack


def test_the_first_of_many_stacks_those_of_most_tasks_first() -> None:
    group, snapshot = shown(*(a_thread("w", "in futex", line, line=line) for line in range(1, 61)))
    stacks = task_stacks(group)
    assert (len(stacks.first), stacks.total) == (50, 60)
    assert stacks.first[0].words[0].text == "worker-0 and 59 more"
    assert tasks_by_line(snapshot, "/srv/shop/shop.py")[7] == 7
    assert tasks_by_line(snapshot, "/srv/other.py") == {}
    assert tasks_by_line(replace(snapshot, tasks=Missing("unread")), "/srv/shop/shop.py") == {}
