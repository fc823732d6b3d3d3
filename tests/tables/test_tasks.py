"""Tasks as rows: which are one, what counts as growth, in which order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from memdash.analysis.tasks import number, task_groups, tasks_by_group
from memdash.exports.text import lines
from memdash.model.capability import Source
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.sample import Instant, Origin
from memdash.model.snapshot import Snapshot, TaskGroup
from memdash.model.tasks import Task, TaskKind, Tasks
from memdash.sampling.followed import Followed
from memdash.tables.table import Tone
from memdash.tables.tasks import TaskOrder, has_tasks, tasks_table, tasks_title
from memdash.ui.widgets.fit import fitted
from tests.fakes import a_snapshot, a_thread, some_threads


def grown(now: Tasks, then: Tasks) -> tuple[TaskGroup, ...]:
    return task_groups(tasks_by_group(now), tasks_by_group(then), {})


def shown(now: Tasks, then: Tasks | None = None) -> Snapshot:
    snapshot = a_snapshot(5)
    return replace(snapshot, sample=replace(snapshot.sample, tasks=now), tasks=grown(now, then or now))


def texts(snapshot: Snapshot, *wishes: object) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in tasks_table(snapshot, *wishes).rows]  # type: ignore[arg-type]  # any wish


def changes(now: list[Task], then: list[Task]) -> dict[str, tuple[int, int]]:
    rows = grown(Tasks(tuple(now)), Tasks(tuple(then)))
    return {f"{row.frame.function}, {row.state}": (row.count, row.change) for row in rows}


def test_a_row_says_where_in_the_program_its_tasks_stand() -> None:
    first, second, third = texts(shown(some_threads()))
    assert first == ["8", "0  ", "in futex", "Invoices.consume", "shop/shop.py:40", "≥2m10s"]
    assert second[:5] == ["2", "0  ", "holds the GIL", "Prices.recompute", "shop/shop.py:40"]
    assert second[5] == "–"
    assert third[2:5] == ["in epoll_wait", "main", "shop/shop.py:7"]


def test_what_is_proven_to_have_leaked_says_so_first() -> None:
    snapshot = shown(Tasks((a_thread("work", "chan receive", 3, is_leaked=True), a_thread("work", "chan receive"))))
    leaked, other = tasks_table(snapshot).rows
    assert (leaked.cells[2].text, leaked.cells[2].tone) == ("leaked, chan receive", Tone.WARNING)
    assert other.cells[2].text == "chan receive"
    assert len(tasks_table(snapshot, wanted="leaked").rows) == 1


def test_a_task_without_a_stack_has_its_row() -> None:
    (row,) = grown(Tasks((a_thread("x", "running", stack=()),)), Tasks(()))
    assert row.frame.function == "(no stack)"


def test_what_only_moved_is_no_change() -> None:
    before = [a_thread("work", "in futex", 3), a_thread("work", "running", 1)]
    after = [a_thread("work", "in futex", 1), a_thread("work", "wants the GIL", 2), a_thread("work", "in read", 1)]
    assert changes(after, before) == {
        "work, in futex": (1, 0),
        "work, wants the GIL": (2, 0),
        "work, in read": (1, 0),
    }


def test_a_course_is_of_a_row_wherever_its_tasks_stand() -> None:
    """Eight threads that are always eight, most of them on another line at every reading."""
    followed = Followed(tasks_by_group, number, task_groups)
    for reading in range(8):
        lines = [10, 10, *range(100 * reading, 100 * reading + 6)]
        threads = Counter(lines).items()
        now = Tasks(tuple(a_thread("work", "running", times, line=line) for line, times in threads))
        at = Instant(float(reading), float(reading))
        followed.take(at, now, Origin(Source.MEMORY, at))
    groups = followed.groups(now)
    assert not isinstance(groups, Missing)
    assert [(row.count, row.change, row.trend, len(row.tasks)) for row in groups] == [(8, 0, (8,) * 8, 7)]


def test_growth_is_told_where_it_is() -> None:
    before, after = [a_thread("work", "in futex", 3)], [a_thread("work", "in futex", 40), a_thread("other", "running")]
    assert changes(after, before) == {"work, in futex": (40, 37), "other, running": (1, 1)}


def test_those_that_are_gone_are_told_until_the_next_baseline() -> None:
    assert changes([], [a_thread("work", "in futex", 3)]) == {"work, in futex": (0, -3)}


def test_a_row_waits_as_long_as_the_one_of_it_that_has_waited_longest() -> None:
    groups = Tasks(
        (
            a_thread("work", "in futex", 3, line=1, waiting_s=2.0),
            a_thread("work", "in futex", 1, line=2, waiting_s=77.0),
            a_thread("work", "in futex", 1, line=3, waiting_s=Missing("it has been looked at only once")),
        )
    )
    (row,) = grown(groups, groups)
    assert (row.count, row.waiting_s, row.frame.line, len(row.tasks)) == (5, 77.0, 1, 3)


def test_orders() -> None:
    snapshot = shown(some_threads(), Tasks(some_threads().groups[1:]))
    functions = {order: [row[3] for row in texts(snapshot, order)] for order in TaskOrder}
    assert functions[TaskOrder.COUNT] == functions[TaskOrder.CHANGE] == ["Invoices.consume", "Prices.recompute", "main"]
    assert functions[TaskOrder.FUNCTION] == ["Invoices.consume", "Prices.recompute", "main"]
    assert functions[TaskOrder.STATE] == ["Prices.recompute", "main", "Invoices.consume"]
    assert functions[TaskOrder.WHERE][0] == "main"
    assert functions[TaskOrder.WAITING][-1] == "Prices.recompute"
    assert [row[3] for row in texts(snapshot, TaskOrder.COUNT, True)][-1] == "Invoices.consume"


@pytest.mark.parametrize("wanted", ["CONSUME", "futex", "worker-0"])
def test_the_filter_looks_at_functions_states_and_names(wanted: str) -> None:
    assert "Invoices.consume" in [row[3] for row in texts(shown(some_threads()), TaskOrder.COUNT, False, wanted)]


def test_what_matches_nothing_says_so() -> None:
    table = tasks_table(shown(some_threads()), wanted="nobody")
    assert (table.rows, table.empty) == ((), "no task matches 'nobody'")


def test_the_title_says_what_they_are() -> None:
    threads = some_threads()
    asyncio = Tasks((*threads.groups, a_thread("x", "waiting", 2, kind=TaskKind.ASYNCIO)))
    assert tasks_title(shown(threads)) == "Threads 11"
    assert tasks_title(shown(asyncio)) == "Tasks 13"
    assert tasks_title(a_snapshot(5)) == "Tasks"


def test_only_a_reason_that_something_can_be_done_about_is_worth_a_place() -> None:
    snapshot = a_snapshot(5)
    assert not has_tasks(replace(snapshot, tasks=Missing("memdash does not read the goroutines of a Go program")))
    refused = replace(snapshot, tasks=Missing("its memory is closed to us", "run memdash with sudo"))
    assert has_tasks(refused)
    assert tasks_table(refused).empty == "Its memory is closed to us. Run memdash with sudo"


def test_the_report_has_them_where_there_are_any() -> None:
    report = list(lines(shown(some_threads())))
    at = report.index("Threads 11")
    assert report[at + 2].split()[:4] == ["8", "0", "in", "futex"]
    assert "Tasks" not in list(lines(a_snapshot(5)))


def test_piles_that_wait_alike_are_told_apart_by_who_began_them() -> None:
    wait = Frame("internal/poll.runtime_pollWait", "/go/src/runtime/netpoll.go", 305)
    began = [Frame(function, "/go/src/net/http/server.go", line) for function, line in (("a.Serve", 9), ("b.Dial", 7))]
    goroutine = a_thread("", "IO wait", 61, kind=TaskKind.GOROUTINE, stack=(wait,), own_at=1)
    first, second = texts(shown(Tasks(tuple(replace(goroutine, created_by=creator) for creator in began))))
    assert first[3:5] == ["a.Serve started it", "http/server.go:9"]
    assert second[3:5] == ["b.Dial started it", "http/server.go:7"]
    unknown = replace(goroutine, created_by=Missing("a goroutine profile does not tell it"))
    assert unknown.own == wait
    assert not unknown.is_creators


@pytest.mark.parametrize("number", [9, 5_506, 12_345, 1_234_567, 12_345_678])
@pytest.mark.parametrize("width", [48, 68, 78, 116])
def test_no_number_loses_a_digit(number: int, width: int) -> None:
    snapshot = shown(some_threads())
    assert not isinstance(snapshot.tasks, Missing)
    first, *others = snapshot.tasks
    table = tasks_table(replace(snapshot, tasks=(replace(first, count=number, change=number), *others)))
    room = dict(fitted(table.columns, width)[0])
    row = max(table.rows, key=lambda row: row.cells[0].sort)
    assert all(len(row.cells[at].text) <= room[at] for at in (0, 1))
