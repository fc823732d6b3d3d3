"""The tasks pane: where it stands, what it leaves to others, its keys, and what there is to say of a row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from memdash.analysis.tasks import number, task_groups, tasks_by_group
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.model.tasks import Tasks
from memdash.tables.tasks import TaskOrder
from memdash.ui.app import Options
from memdash.ui.panes.sites import SitesPane
from memdash.ui.panes.tasks import TasksPane
from tests.fakes import a_thread, some_threads
from tests.sessions import FakeSession
from tests.ui.conftest import Show, a_watch, attaching


def with_tasks(now: Tasks | None = None) -> Snapshot:
    """The usual watch with threads, of which some came since the baseline."""
    watch = a_watch()
    tasks = now or some_threads()
    then = Tasks((a_thread("Invoices.consume", "in futex", 5), *some_threads().groups[1:]))
    by_group = tasks_by_group(tasks)
    trends = {key: tuple(range(1, number(alike) + 1)) for key, alike in by_group.items()}
    return replace(
        watch,
        sample=replace(watch.sample, tasks=tasks),
        tasks=task_groups(by_group, tasks_by_group(then), trends),
        since={**watch.since, Capability.TASKS: watch.baseline.at},
    )


def missing(why: Missing) -> Snapshot:
    watch = a_watch()
    return replace(watch, sample=replace(watch.sample, tasks=why), tasks=why)


@pytest.mark.parametrize(("size", "keys"), [((160, 45), ()), ((120, 40), ()), ((80, 24), ("right_square_bracket",))])
async def test_it_has_its_place(
    show: Show, snapshot: SnapshotAssertion, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    async with show(with_tasks(), *size) as shown:
        await shown.press(*keys)
        assert "Threads 11" in shown.text
        assert "+3 ▲" in shown.text
        assert shown.text == snapshot


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (30, 6)])
async def test_it_leaves_its_room_where_there_are_no_tasks_to_read(show: Show, size: tuple[int, int]) -> None:
    async with (
        show(missing(Missing("memdash does not read the goroutines of a Go program")), *size) as shown,
        show(a_watch(), *size) as usual,
    ):
        assert shown.text == usual.text
        assert not shown.dashboard.query_one(TasksPane).display
        await shown.press("5")
        assert not shown.dashboard.query_one(TasksPane).display
        await shown.press("escape", *("right_square_bracket",) * 5)
        assert "Tasks" not in shown.text


async def test_a_reason_with_a_way_out_is_shown(show: Show) -> None:
    async with show(missing(Missing("its stacks make no sense", "a newer memdash may read them"))) as shown:
        assert "Its stacks make no sense. A newer memdash may read them" in shown.text


async def test_it_comes_with_the_first_tasks_and_stays(show: Show) -> None:
    async with show(attaching()) as shown:
        assert not shown.dashboard.query_one(TasksPane).display
        await shown.publish(with_tasks())
        assert "Threads 11" in shown.text
        assert "in epoll_wait" in shown.text
        await shown.publish(missing(Missing("its list of threads changed while it was read")))
        assert "Its list of threads changed while it was read" in shown.text


async def test_it_goes_when_another_target_is_known_to_have_none(show: Show) -> None:
    why = Missing("nothing reads the threads of a native program")
    native = replace(missing(why), missing={Capability.TASKS: why})
    async with show(with_tasks(), 160, 45) as shown:
        await shown.press("5", "e")
        shown.dashboard.turn_to(FakeSession(attaching()))
        await shown.settle()
        assert shown.dashboard.query_one(TasksPane).display  # a worker like the one before will have some
        other = FakeSession(native)
        shown.dashboard.turn_to(other)
        await shown.settle()
        assert not shown.dashboard.query_one(TasksPane).display
        assert "Top allocation sites" in shown.text
        other.publish(with_tasks())
        await shown.settle()
        shown.dashboard._paint()
        assert shown.dashboard.query_one(TasksPane).display


async def test_the_open_tab_may_go(show: Show) -> None:
    why = Missing("nothing reads the threads of a native program")
    async with show(with_tasks(), 80, 24) as shown:
        await shown.press("right_square_bracket")
        shown.dashboard.turn_to(FakeSession(replace(missing(why), missing={Capability.TASKS: why})))
        await shown.settle()
        assert "[Sites]" in shown.text
        await shown.press("right_square_bracket")
        assert "Tasks" not in shown.text
        assert "[Sites]" not in shown.text


async def test_sorting_acts_on_the_pane_in_use(show: Show) -> None:
    async with show(with_tasks()) as shown:
        sites, tasks = shown.dashboard.query_one(SitesPane), shown.dashboard.query_one(TasksPane)
        await shown.press("s")
        usual = sites.sorting.order
        tasks.focus()
        await shown.press("s", "r")
        assert (tasks.order.order, tasks.order.reversed, sites.sorting.order) == (TaskOrder.CHANGE, True, usual)
        await shown.press("S", "S")
        assert tasks.order.order is TaskOrder.WHERE  # how long they wait has no room here
        shown.dashboard.query_one("#gc").focus()
        await shown.press("s")
        assert tasks.order.order is TaskOrder.WHERE
        assert sites.sorting.order is not usual  # in a pane that is not sorted, the sites are


async def test_a_click_on_a_title_sorts(show: Show) -> None:
    async with show(with_tasks(), 160, 45) as shown:
        tasks = shown.dashboard.query_one(TasksPane)
        tasks.post_message(TasksPane.HeaderClicked(tasks, "function"))
        await shown.settle()
        assert tasks.order.order is TaskOrder.FUNCTION


async def test_the_filter_keeps_what_it_names(show: Show) -> None:
    async with show(with_tasks()) as shown:
        await shown.press("5", "slash", "p", "r", "i", "enter")
        assert "Prices.recompute" in shown.text
        assert "Invoices.consume" not in shown.text


async def test_a_row_in_full(show: Show, snapshot: SnapshotAssertion) -> None:
    async with show(with_tasks(), 100, 30) as shown:
        await shown.press("5", "enter")
        await shown.built()
        assert shown.text == snapshot


async def test_a_row_of_leaked_ones_says_that_it_is_proven(show: Show) -> None:
    groups = (a_thread("work", "chan receive", 3, is_leaked=True), a_thread("other", "chan receive"))
    async with show(with_tasks(Tasks(groups)), 100, 30) as shown:
        await shown.press("5")
        assert "leaked, chan " in shown.text
        await shown.press("enter")
        assert "chan receive (leaked); proven: nothing can ever wake them" in shown.text


async def test_a_row_of_many_stacks(show: Show) -> None:
    groups = tuple(a_thread("work", "in futex", line=line) for line in range(60))
    async with show(with_tasks(Tasks(groups)), 100, 30) as shown:
        await shown.press("5", "enter", "tab", "G")
        assert "and 10 smaller stacks" in shown.text


async def test_a_row_that_is_gone_says_so(show: Show) -> None:
    async with show(with_tasks()) as shown:
        await shown.press("5", "enter")
        await shown.publish(replace(with_tasks(), tasks=()))
        await shown.follow()
        assert "none of these tasks is left" in shown.text


async def test_a_row_is_copied_with_its_whole_path(show: Show) -> None:
    async with show(with_tasks()) as shown:
        tasks = shown.dashboard.query_one(TasksPane)
        assert tasks.words == "in futex Invoices.consume /srv/shop/shop.py:40"


async def test_a_row_without_a_line_is_copied_with_its_file_alone(show: Show) -> None:
    async with show(with_tasks(Tasks((a_thread("work", "in futex", line=0),)))) as shown:
        assert shown.dashboard.query_one(TasksPane).words == "in futex work /srv/shop/shop.py"


async def test_words_of_the_target_are_only_shown(show: Show) -> None:
    evil = a_thread("[bold]\x1b[31mx[/nope]", "in futex", name="a\nb[/x]")
    async with show(with_tasks(Tasks((evil,))), options=Options()) as shown:
        await shown.press("5")
        assert "[bold]\\e[31mx[/nope]" in shown.text
        await shown.press("enter", "tab")
        assert "a\\nb[/x]" in shown.text
