"""Goroutines against what the program itself prints of them."""

import time
from collections import Counter
from collections.abc import Mapping

import pytest

from memdash.model.missing import Missing
from memdash.model.tasks import Task, Tasks
from memdash.probes.go import Go
from tests.live.conftest import StartGo, every_build
from tests.live.goroutine_endpoint import group_of, is_of_the_endpoint, read_groups, read_ids, read_stacks, shown_groups
from tests.live.target import GoTarget
from tests.live.watched import Watched
from tests.waiting import until

TRIES = 20
AT_REST = ("chan receive", "sleep", "select (no cases)")


@pytest.fixture
def target(start_go: StartGo, minor: int, mode: str) -> GoTarget:
    started = start_go(mode, "pprof", minor)
    for command in ("park", "chan 30", "sleep 3", "select 2"):
        started.command(command)
    return started


def counted(tasks: Tasks) -> Counter[object]:
    found: Counter[object] = Counter()
    for task in tasks.groups:
        if not is_of_the_endpoint(task.stack):
            found[group_of(task)] += task.count
    return found


@every_build("stripped", "pie-external")
def test_groups_and_stacks_are_those_that_go_prints(target: GoTarget, minor: int, mode: str) -> None:
    with Watched(target) as watched:
        for _ in range(TRIES):
            theirs, stacks, ours, again = read_groups(target), read_stacks(target), watched.tasks(), read_groups(target)
            if theirs == again == shown_groups(ours) and counted(ours) == stacks:
                break
        assert shown_groups(ours) == theirs
        assert counted(ours) == stacks
    assert sum(theirs.values()) > 45


def parked_of(states: Mapping[int, str]) -> dict[int, str]:
    return {number: state for number, state in states.items() if state in AT_REST}


@every_build("stripped")
def test_ids_are_those_that_go_prints(target: GoTarget, minor: int, mode: str) -> None:
    with Watched(target, Go(with_ids=True)) as watched:
        for _ in range(TRIES):  # until all have come to rest
            theirs, tasks, again = read_ids(target), watched.tasks(), read_ids(target)
            if parked_of(theirs) == parked_of(again):
                break
    parked = [task for task in tasks.groups if task.state in AT_REST]
    assert sum(task.count for task in parked) > 35
    for task in parked:
        assert not isinstance(task.ids, Missing)
        assert len(task.ids) == task.count
        assert {theirs[number] for number in task.ids} == {task.state}


@pytest.mark.live
@pytest.mark.parametrize("count", [0, 1, 5000])
def test_the_number_is_that_of_num_goroutine(start_go: StartGo, count: int) -> None:
    target = start_go("stripped")
    with Watched(target) as watched:
        target.command("chan", count)
        for _ in range(TRIES):
            tasks, told = watched.tasks(), int(target.command("ng"))
            if tasks.total == told:
                break
        assert tasks.total == told == count + 1
        assert tasks.hidden >= 3
        parked = [task for task in tasks.groups if task.name == "main.parkInChan"]
        assert sum(task.count for task in parked) == count
        assert all(task.stack_bytes == 2048 * task.count for task in parked)


def parked_in_chan(watched: Watched) -> list[Task]:
    return [task for task in watched.tasks().groups if task.name == "main.parkInChan"]


@pytest.mark.live
def test_a_wait_is_never_said_to_be_longer_than_it_is(start_go: StartGo) -> None:
    target = start_go("stripped")
    with Watched(target) as watched:
        for _ in range(3):
            target.command("gc")
        began = time.monotonic()
        target.command("chan", 5)
        until(lambda: len(parked_in_chan(watched)) == 1, "all of them at rest")
        waits = []
        for _ in range(4):
            (task,) = parked_in_chan(watched)
            waits.append(task.waiting_s)
            assert isinstance(task.waiting_s, Missing) or task.waiting_s <= time.monotonic() - began
            target.command("gc")
    assert isinstance(waits[0], Missing)
    assert not isinstance(waits[-1], Missing)


@pytest.mark.live
def test_while_goroutines_come_and_go_only_true_ones_are_shown(start_go: StartGo) -> None:
    target = start_go("stripped", "pprof")
    with Watched(target) as watched:
        target.command("park")
        target.command("gc")
        still = {group_of(task) for task in watched.tasks().groups if task.name.startswith("main.park.")}
        assert still
        target.command("flurry", 8)
        seen = 0
        for _ in range(60):
            tasks = watched.tasks()
            assert still <= {group_of(task) for task in tasks.groups}
            for task in tasks.groups:
                if task.name.startswith("main.flutter.func") and task.stack:
                    seen += task.count
                    ours = [frame.function for frame in task.stack if frame.function.startswith("main.")]
                    assert len(set(ours[:-1])) <= 1, task
                    assert set(ours) <= {"main.hop", "main.skip", task.name}
        assert seen
        target.command("stop")
