"""The census of goroutines: who counts, in which group, and that only true stacks are shown."""

import math
import random
from collections.abc import Callable
from itertools import count

import pytest

from memdash.errors import BadRead, ProbeError
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.tasks import Task, Tasks
from memdash.probes.go.probes import GoroutineProbe
from memdash.probes.go.tasks import TaskReader
from memdash.probes.slices import Done, Slices
from tests.probes.go.runtime import STACK_BYTES, Call, FakeRuntime

RUNNABLE, RUNNING, SYSCALL, WAITING, DEAD = 1, 2, 3, 4, 6
WAITS: list[Call] = ["runtime.gopark", ("main.wait", 40), "main.wait.gowrap1", "runtime.goexit"]
CREATED = Frame("main.main", "main.go", 1)
NOW_NS = 10**12


class Reader(TaskReader):
    """Counts without a break."""

    def read(self) -> Tasks:
        counted: Done[Tasks] | float = Slices[float, Tasks]((), math.inf).go_on(self.census)
        assert isinstance(counted, Done)
        tasks: Tasks = counted.result
        return tasks


@pytest.fixture
def reader(runtime: FakeRuntime) -> Reader:
    runtime.set(runtime.goroutines[0], "g", "atomicstatus", DEAD, size=4)
    return Reader(runtime.program, lambda: NOW_NS)


def reason(runtime: FakeRuntime, name: str) -> int:
    return runtime.layout.wait_reasons.index(name)


def only(tasks: Tasks) -> Task:
    (task,) = tasks.groups
    return task


def by_state(tasks: Tasks) -> dict[str, int]:
    return {task.state: task.count for task in tasks.groups}


def test_those_alike_are_one_group(runtime: FakeRuntime, reader: Reader) -> None:
    for _ in range(3):
        runtime.goroutine(WAITS, waitreason=reason(runtime, "ChanReceive"))
    task = only(reader.read())
    assert (task.count, task.state, task.stack_bytes) == (3, "chan receive", 3 * STACK_BYTES)
    assert task.created_by == CREATED
    assert task.stack == (Frame("main.wait", "wait.go", 6),)
    assert task.name == "main.wait.gowrap1"


def test_who_differs_in_anything_is_another_group(runtime: FakeRuntime, reader: Reader) -> None:
    chan, select = reason(runtime, "ChanReceive"), reason(runtime, "Select")
    runtime.goroutine(WAITS, waitreason=chan)
    runtime.goroutine(WAITS, waitreason=select)
    runtime.goroutine(WAITS, created_by="main.leak", waitreason=chan)
    runtime.goroutine(["runtime.gopark", ("main.wait", 10), *WAITS[2:]], waitreason=chan)
    assert [task.count for task in reader.read().groups] == [1, 1, 1, 1]


def test_inlined_calls_are_on_the_stack(runtime: FakeRuntime, reader: Reader) -> None:
    runtime.goroutine(["runtime.gopark", ("main.leak", 10), "main.main", "runtime.goexit"])
    assert only(reader.read()).stack == (Frame("main.grow", "leak.go", 10), Frame("main.leak", "leak.go", 10), CREATED)


def test_where_a_signal_struck_the_instruction_itself_counts(runtime: FakeRuntime, reader: Reader) -> None:
    runtime.goroutine(["runtime.asyncPreempt", ("main.wait", 32), "main.main", "runtime.goexit"], status=RUNNABLE)
    assert only(reader.read()).stack[0] == Frame("main.wait", "wait.go", 6)


def test_one_that_has_not_begun_stands_at_its_first_function(runtime: FakeRuntime, reader: Reader) -> None:
    runtime.goroutine([("main.wait", 0), ("runtime.goexit", 1)], status=RUNNABLE)
    assert only(reader.read()).stack == (Frame("main.wait", "wait.go", 5),)


def test_when_only_the_runtime_is_on_a_stack_all_of_it_shows(runtime: FakeRuntime, reader: Reader) -> None:
    runtime.goroutine(["runtime.gopark", "runtime.main", "runtime.goexit"])
    task = only(reader.read())
    assert [frame.function for frame in task.stack] == ["runtime.gopark", "runtime.main", "runtime.goexit"]
    assert isinstance(task.created_by, Missing)


def test_the_runtimes_own_are_counted_apart(runtime: FakeRuntime, reader: Reader) -> None:
    runtime.goroutine(["runtime.gopark", "runtime.bgsweep", "runtime.goexit"])
    runtime.goroutine(
        ["runtime.gopark", "runtime.runfinq", "runtime.goexit"], waitreason=reason(runtime, "FinalizerWait")
    )
    runtime.goroutine(
        ["runtime.gopark", "runtime.runfinq", "runtime.goexit"], waitreason=reason(runtime, "ChanReceive")
    )
    tasks = reader.read()
    assert (tasks.hidden, tasks.total) == (2, 1)
    assert only(tasks).name == "runtime.runfinq"


def test_those_that_ended_are_gone_and_used_again(runtime: FakeRuntime, reader: Reader) -> None:
    g = runtime.goroutine(WAITS)
    assert reader.read().total == 1
    runtime.set(g, "g", "atomicstatus", DEAD, size=4)
    assert reader.read() == Tasks(())
    runtime.set(g, "g", "atomicstatus", WAITING, size=4)
    assert reader.read().total == 1


def test_of_one_that_runs_no_stack_is_known(runtime: FakeRuntime, reader: Reader) -> None:
    runtime.goroutine(WAITS, status=RUNNING)
    task = only(reader.read())
    assert (task.state, task.stack, task.name) == ("running", (), "main.wait.gowrap1")
    assert isinstance(task.waiting_s, Missing)


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 2500])
def test_any_number_counts_and_new_ones_are_taken_in(runtime: FakeRuntime, reader: Reader, count: int) -> None:
    assert reader.read().total == 0
    for _ in range(count):
        runtime.goroutine(["main.wait", "runtime.goexit"])
    assert only(reader.read()).count == count
    runtime.goroutine(WAITS, status=SYSCALL)
    assert by_state(reader.read()) == {"waiting": count, "syscall": 1}


def test_a_stack_that_changes_without_a_trace_is_read_again(runtime: FakeRuntime, reader: Reader) -> None:
    gs = [runtime.goroutine(WAITS) for _ in range(3)]
    for _ in range(3):
        assert only(reader.read()).stack[0].line == 6
    stack = runtime.program.memory.u64(gs[1] + runtime.at("g", "stack"))
    runtime.park(gs[1], stack, ["runtime.gopark", ("main.wait", 10), *WAITS[2:]])
    for _ in range(3):
        assert {task.stack[0].line: task.count for task in reader.read().groups} == {6: 2, 5: 1}


def test_one_that_is_noted_to_wait_is_not_looked_at_again_until_it_has_run(
    runtime: FakeRuntime, reader: Reader
) -> None:
    g = runtime.goroutine(WAITS, waitsince=7)
    stack = runtime.program.memory.u64(g + runtime.at("g", "stack"))
    first = reader.read()
    runtime.park(g, stack, ["runtime.gopark", ("main.wait", 10), *WAITS[2:]])
    assert reader.read() == first
    runtime.set(g, "g", "waitsince", 0)
    assert only(reader.read()).stack[0].line == 5


def test_neighbours_and_strangers_are_counted_alike(runtime: FakeRuntime, reader: Reader) -> None:
    """As the allocator places them: many in a row, others elsewhere, in any order, of several kinds in one batch."""
    chance = random.Random(runtime.layout.go_version)
    slot = next(size for size in runtime.layout.size_classes if size >= runtime.layout.structs["g"].size)
    room = runtime.new(slot * 300)
    slots = [room + slot * i for i in range(300) if i % 7]
    chance.shuffle(slots)
    kinds: list[list[Call]] = [
        WAITS,
        ["runtime.gopark", ("main.wait", 10), *WAITS[2:]],
        ["main.recurse", "main.main", "runtime.goexit"],
    ]
    for i, address in enumerate(slots):
        g = runtime.goroutine(kinds[i % 3], waitsince=i % 2)
        runtime.move(g, address)
    for _ in range(2):
        counts = sorted(task.count for task in reader.read().groups)
        assert counts == sorted(len(slots[i::3]) for i in range(3))


def test_stacks_that_all_differ_are_each_walked(runtime: FakeRuntime, reader: Reader) -> None:
    """From one place, so that none is known by where it is parked."""
    paths = [[("main.wait", 1 + i), *[("main.recurse", 1 + (i >> at & 7)) for at in (0, 3)]] for i in range(60)]
    for path in paths * 2:
        runtime.goroutine(["runtime.gopark", *path, "main.main", "runtime.goexit"])
    for _ in range(2):
        tasks = reader.read()
        assert tasks.total == 120
        assert all(len(task.stack) == 4 for task in tasks.groups)


def test_very_many_are_counted_in_slices(runtime: FakeRuntime) -> None:
    for _ in range(2500):
        runtime.goroutine(WAITS)
    seconds = count()
    probe = GoroutineProbe(runtime.program, cpu_s=lambda: next(seconds) / 10)
    first = probe.read()
    assert (first.facts, first.pending) == ((), "goroutines are being counted: 100 % so far")
    (tasks,) = probe.read().facts
    assert isinstance(tasks, Tasks)
    assert tasks.total == 2501


def test_deep_stacks_are_cut_off(runtime: FakeRuntime, reader: Reader) -> None:
    runtime.goroutine([*["main.recurse"] * 200, "runtime.goexit"])
    assert len(only(reader.read()).stack) == 128


def test_how_long_is_at_least_since_the_collection_that_noted_it(runtime: FakeRuntime, reader: Reader) -> None:
    """Collections ended 90, 60 and 30 s ago; what is noted is always the one before the one that saw it."""
    ends = [NOW_NS - ago * 10**9 for ago in (90, 60, 30)]
    ahead = 5 * 10**17
    runtime.set("memstats", "mstats", "numgc", 3, size=4)
    runtime.set("memstats", "mstats", "last_gc_unix", ends[-1] + ahead)
    runtime.set("memstats", "mstats", "last_gc_nanotime", ends[-1])
    for i, end in enumerate(ends):
        runtime.put(
            runtime.addresses["memstats"] + runtime.at("mstats", "pause_end") + 8 * i,
            (end + ahead).to_bytes(8, "little"),
        )
    waits = {}
    for noted, state in ((0, SYSCALL), (ends[0] - 1000, WAITING), (ends[1] - 1000, SYSCALL), (ends[2] - 1000, WAITING)):
        g = runtime.goroutine(WAITS, status=state, waitsince=noted)
        waits[noted and ends.index(noted + 1000)] = only(reader.read()).waiting_s
        runtime.set(g, "g", "atomicstatus", DEAD, size=4)
    assert waits[1] == pytest.approx(30)
    assert isinstance(waits[2], Missing)  # the collection that noted it has not ended
    runtime.goroutine(WAITS, waitsince=ends[0] - 1000)
    runtime.goroutine(WAITS, waitsince=ends[1] - 1000)
    runtime.goroutine(WAITS)
    assert only(reader.read()).waiting_s == pytest.approx(60)  # the longest of the group


def test_the_programs_own_words_for_what_it_waits_for(runtime: FakeRuntime) -> None:
    names = runtime.layout.wait_reasons
    table = runtime.new(16 * len(names))
    for i, name in enumerate(names):
        runtime.text(table + 16 * i, f"is {name}" if i else "")
    runtime.addresses["waitReasonStrings"] = table
    runtime.goroutine(WAITS, waitreason=reason(runtime, "Select"))
    assert "is Select" in by_state(Reader(runtime.program).read())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("IOWait", "IO wait"),
        ("GCAssistWait", "GC assist wait"),
        ("SyncCondWait", "sync cond wait"),
        ("Sleep", "sleep"),
    ],
)
def test_else_the_names_of_the_reasons_spelt_out(runtime: FakeRuntime, reader: Reader, name: str, words: str) -> None:
    runtime.goroutine(WAITS, waitreason=reason(runtime, name))
    assert by_state(reader.read()) == {words: 1}


def nowhere(runtime: FakeRuntime, g: int, field: str) -> None:
    runtime.put(g + runtime.at("g", "sched") + runtime.at("gobuf", field), (1 << 60).to_bytes(8, "little"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda runtime, g: nowhere(runtime, g, "sp"),
        lambda runtime, g: nowhere(runtime, g, "pc"),
        lambda runtime, g: runtime.set(g, "g", "stack", (1 << 64) - 1),
        lambda runtime, g: runtime.park(
            g, runtime.program.memory.u64(g + runtime.at("g", "stack")), ["main.wait", ("runtime.mallocgc", 1)]
        ),
    ],
    ids=["a stack pointer elsewhere", "no code", "no stack", "a function that does not say how large its frame is"],
)
def test_a_stack_that_leads_nowhere_is_not_shown(
    runtime: FakeRuntime, reader: Reader, damage: Callable[[FakeRuntime, int], object]
) -> None:
    damage(runtime, runtime.goroutine(WAITS))
    for _ in range(2):
        task = only(reader.read())
        assert (task.count, task.stack, task.created_by) == (1, (), CREATED)


@pytest.mark.parametrize(("name", "value"), [("allgptr", 8), ("allglen", 1 << 40)])
def test_a_list_that_cannot_be_is_a_bad_read(runtime: FakeRuntime, reader: Reader, name: str, value: int) -> None:
    runtime.word(name, value)
    with pytest.raises(BadRead):
        reader.read()


def test_nonsense_never_gives_more_than_an_error(runtime: FakeRuntime) -> None:
    """Any byte of goroutines, stacks and tables may be anything at any time."""
    chance = random.Random(runtime.layout.go_version)
    gs = [runtime.goroutine(WAITS, waitsince=chance.choice([0, 5])) for _ in range(20)]
    reader = Reader(runtime.program)
    size, memory = runtime.layout.structs["g"].size, runtime.program.memory
    for _ in range(300):
        g = chance.choice(gs)
        start = chance.choice([g, runtime.addresses["memstats"], memory.u64(g + runtime.at("g", "sched")) & ~4095])
        at = chance.randrange(size if start == g else 4096)
        try:
            held = memory.read(start + at, 8)
        except ProbeError:
            continue
        runtime.put(start + at, chance.choice([chance.randbytes(8), bytes(8), b"\xff" * 8]))
        try:
            tasks = reader.read()
            assert 0 <= tasks.total + tasks.hidden <= 1 + len(gs)
        except ProbeError:
            pass
        if chance.random() < 0.8:
            runtime.put(start + at, held)
