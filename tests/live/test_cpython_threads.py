"""Threads of every interpreter of this machine against what sys._current_frames says of them."""

from __future__ import annotations

import ast
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from memdash.errors import ProbeError, TargetError, TargetExited
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.tasks import Task, TaskKind, Tasks
from memdash.probes.cpython import CPYTHON
from memdash.probes.cpython.interpreter import open_interpreter
from memdash.probes.cpython.states import thread_states
from memdash.probes.cpython.threads import MOVED, ThreadWatch
from memdash.process.identity import identify
from memdash.process.memory import ProcessMemory, ReadPlan
from tests.live.pythons import Python, each
from tests.live.target import PythonTarget
from tests.live.watched import Watched
from tests.waiting import until

pytestmark = pytest.mark.live

_BUSY = {"running", "holds the GIL", "wants the GIL"}
ENOUGH = 400
"""Stacks of threads that compute; one in 10 000 shows calls that cannot be, and five of these in 1e-9 of the runs."""

_BOOTSTRAP = ("_bootstrap", "_bootstrap_inner", "run")

_NAMELESS = {"<module>", "<genexpr>", "<lambda>", "<listcomp>"}
_CALLS = {
    ("computing", "run"), ("tree", "computing"), ("leaf_a", "computing"), ("branch", "tree"), ("leaf_b", "tree"),
    ("branch", "branch"), ("leaf_a", "branch"), ("leaf_b", "branch"), ("<genexpr>", "leaf_b"), ("leaf_b", "run"),
    ("is_set", "computing"),
}  # fmt: skip
"""(called, caller) of the functions that the busy threads run."""


python = each(scope="module")


@pytest.fixture(scope="module")
def target(python: Python) -> Iterator[PythonTarget]:
    with PythonTarget(python.executable, program="threads.py") as started:
        until(lambda: started.command("settled") == "True", "threads at rest")
        yield started


@pytest.fixture
def plain(python: Python) -> Iterator[PythonTarget]:
    """Without threads but the first."""
    with PythonTarget(python.executable, program="threads.py", arguments=["plain"]) as started:
        yield started


def told(target: PythonTarget) -> Counter[tuple[Frame, ...]]:
    return Counter(tuple(Frame(*frame) for frame in stack) for stack in json.loads(target.command("stacks")))


def standing_in(tasks: Tasks, function: str) -> Task:
    """The group whose stack has that function, by the last part of its name."""
    return next(t for t in tasks.groups if any(f.function.rpartition(".")[2] == function for f in t.stack))


def short(frame: Frame) -> str:
    return frame.function.rpartition(".")[2]


def test_stacks_are_those_of_sys_current_frames(target: PythonTarget) -> None:
    with Watched(target, CPYTHON) as watched:
        for _ in range(3):
            tasks = watched.tasks()
            ours = Counter[tuple[Frame, ...]]()
            for task in tasks.groups:
                ours[task.stack] += task.count
            theirs = told(target)
            assert not theirs - ours
            (main,) = ours - theirs
            assert (short(main[-1]), short(main[-2])) == ("<module>", "main")
            assert tasks.total == sum(theirs.values()) + 1
            assert all(task.kind is TaskKind.THREAD for task in tasks.groups)


def test_what_threads_do_and_for_how_long(target: PythonTarget) -> None:
    with Watched(target, CPYTHON) as watched:
        began_s = time.monotonic()
        first = watched.tasks()
        assert standing_in(first, "sleeping").waiting_s == Missing("it has been looked at only once")
        waits = {"sleeping": "nanosleep", "waiting_for_lock": "futex", "in_epoll": "epoll", "main": "read"}
        tasks = watched.tasks()
        for function, call in waits.items():
            task = standing_in(tasks, function)
            assert task.state.startswith("in ")
            assert call in task.state or (function, task.state) == ("sleeping", "in pselect6")
            assert isinstance(task.waiting_s, float)
            assert 0 <= task.waiting_s <= time.monotonic() - began_s
        later = standing_in(watched.tasks(), "sleeping").waiting_s
        assert isinstance(later, float)
        assert later > 0


def test_what_each_thread_was_begun_with(target: PythonTarget) -> None:
    with Watched(target, CPYTHON) as watched:
        tasks = watched.tasks()
    for function in ("sleeping", "recursive", "in_sorted", "in_coroutine", "größe", "имя", "far_apart"):
        created_by = standing_in(tasks, function).created_by
        assert isinstance(created_by, Frame)
        assert short(created_by) == function
    decorated = standing_in(tasks, "decorated").created_by
    assert isinstance(decorated, Frame)
    assert short(decorated) == "wrapper"
    assert standing_in(tasks, "main").created_by == Missing("it is the thread that the program began with")


def test_names_are_those_that_threads_give_themselves_or_that_we_are_told(target: PythonTarget, python: Python) -> None:
    interpreter = open_interpreter(identify(target.pid))
    try:
        names = {task.name for task in ThreadWatch(interpreter).look()}
        assert (names == {""}) == (python.minor < 14)  # from then on Python tells the kernel
        idents = [state.ident for state in thread_states(interpreter)]
        watch = ThreadWatch(interpreter, lambda: {ident: f"thread {ident}" for ident in idents})
        assert {task.name for task in watch.look()} <= {f"thread {ident}" for ident in idents}
    finally:
        interpreter.close()


@cache
def names_in(file: str) -> frozenset[str]:
    """What a frame may be called whose code stands in this file."""
    tree = ast.parse(Path(file).read_bytes())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset({node.name for node in ast.walk(tree) if isinstance(node, kinds)}) | _NAMELESS


def test_busy_threads_show_functions_that_are_there_and_calls_that_can_be(plain: PythonTarget) -> None:
    plain.command("compute", 3)
    plain.command("come_and_go", 1)
    computing = impossible = moved = 0
    with Watched(plain, CPYTHON) as watched:
        while computing < ENOUGH:
            for task in watched.tasks().groups:
                moved += task.stack == (MOVED,)
                assert all(short(frame) in names_in(frame.file) for frame in task.stack if frame.line)
                names = [short(frame) for frame in task.stack]
                if "computing" in names:
                    computing += 1
                    assert tuple(reversed(names[-3:])) == _BOOTSTRAP
                    impossible += not set(pairwise(names[:-2])) <= _CALLS
                    assert task.state in _BUSY, task.state
            assert computing + ENOUGH > 10 * moved  # or it goes on for ever
    assert computing > 10 * moved
    assert impossible <= ENOUGH // 100  # 1 in 10 000 where more of them were looked at


def test_one_thread_at_most_holds_the_gil(plain: PythonTarget) -> None:
    plain.command("compute", 3)
    with Watched(plain, CPYTHON) as watched:
        states = [[t.state for t in watched.tasks().groups for _ in range(t.count)] for _ in range(20)]
    assert all(sum(state.startswith("holds") for state in reading) <= 1 for reading in states)
    assert any("holds the GIL" in reading for reading in states)
    assert any("wants the GIL" in reading for reading in states)


def test_alike_threads_are_one_group(plain: PythonTarget) -> None:
    plain.command("wait", 40)
    until(lambda: plain.command("settled") == "True", "threads at rest")
    with Watched(plain, CPYTHON) as watched:
        (group, main) = sorted(watched.tasks().groups, key=lambda task: -task.count)
    assert (group.count, main.count) == (40, 1)
    assert group.own.function == "wait"


def test_a_forked_child_is_told_by_its_own_threads(python: Python, plain: PythonTarget) -> None:
    pid = int(plain.command("fork"))
    try:
        interpreter = open_interpreter(identify(pid))
        watch = ThreadWatch(interpreter)
        try:
            task = until(
                lambda: next((task for task in watch.look()[:1] if task.state == "in futex"), None), "its wait"
            )
        finally:
            interpreter.close()
        assert [short(frame) for frame in task.stack][-3:] == ["fork", "main", "<module>"]
    finally:
        os.kill(pid, signal.SIGKILL)


def test_threads_of_sub_interpreters_are_among_them(plain: PythonTarget) -> None:
    with Watched(plain, CPYTHON) as watched:
        before = watched.tasks().total
        plain.command("interpreter")
        asleep = ("nanosleep", "pselect6")
        until(lambda: any(task.state.endswith(asleep) for task in watched.tasks().groups), "a thread that sleeps")
        assert watched.tasks().total > before


def test_the_end_of_a_target_is_told(plain: PythonTarget) -> None:
    with Watched(plain, CPYTHON) as watched:
        watched.tasks()
        plain.kill()
        with pytest.raises(TargetExited):
            watched.tasks()


def test_another_program_in_its_place_has_no_threads_to_read(plain: PythonTarget) -> None:
    interpreter = open_interpreter(identify(plain.pid))
    watch = ThreadWatch(interpreter)
    try:
        watch.look()
        plain.send("exec")
        until(lambda: "python" not in str(Path(f"/proc/{plain.pid}/exe").readlink()), "another program")
        with pytest.raises((ProbeError, TargetError)):
            watch.look()
    finally:
        interpreter.close()


class Corrupted(ProcessMemory):
    """Gives back what is there, with a few bytes of it changed."""

    def __init__(self, pid: int, chance: random.Random) -> None:
        super().__init__(pid)
        self._chance = chance

    def transfer(self, plan: ReadPlan, first: int, last: int) -> None:
        super().transfer(plan, first, last)
        while plan.buffer and self._chance.random() < 0.3:
            at = self._chance.randrange(len(plan.buffer))
            plan.buffer[at] = self._chance.choice((0, 1, 0x7F, 0xFF, self._chance.randrange(256)))


def test_corrupted_memory_raises_nothing_but_what_probes_raise(target: PythonTarget) -> None:
    interpreter = open_interpreter(identify(target.pid))
    chance = random.Random(11)
    worked = 0
    try:
        with Corrupted(target.pid, chance) as memory:
            bent = replace(interpreter, memory=memory)
            for _ in range(6):
                try:
                    watch = ThreadWatch(bent)
                    for _ in range(3):
                        watch.look()
                        worked += 1
                except ProbeError:
                    continue
    finally:
        interpreter.close()
    assert worked
