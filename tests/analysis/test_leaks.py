"""Which tasks are accused: those that every look shows and nothing explains."""

from dataclasses import replace

import pytest

from memdash.analysis.charges import Excuse
from memdash.analysis.leaks import suspects
from memdash.analysis.loops import Loops
from memdash.analysis.staying import Expected
from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame
from memdash.model.tasks import StackMark, Task, TaskKind, Tasks

NOBODY = Missing("the runtime started it")
SPAWN = Frame("main.spawn", "main.go", 7)


def a_task(
    count: int,
    function: str = "main.work",
    created_by: Maybe[Frame] = SPAWN,
    waiting_s: Maybe[float] = NOBODY,
    state: str = "select",
    name: str = "main.work",
) -> Task:
    stack = (Frame(function, "main.go", 3),) if function else ()
    return Task(
        kind=TaskKind.GOROUTINE,
        count=count,
        state=state,
        stack=stack,
        created_by=created_by,
        waiting_s=waiting_s,
        name=name,
    )


def looks(*counts: int) -> list[Tasks]:
    return [Tasks((a_task(count),) if count else ()) for count in counts]


def numbers(counts: list[Tasks], expected: Expected | None = None) -> list[tuple[int, int, int]]:
    return [(s.stay.number, s.stay.first, s.stay.last) for s in suspects(counts, expected or Expected())]


def test_what_is_there_at_every_look_is_accused() -> None:
    assert numbers(looks(3, 5, 4)) == [(3, 3, 4)]


@pytest.mark.parametrize("counts", [(), (0,), (3, 0), (0, 3), (3, 0, 3)])
def test_what_is_not_there_once_is_not(counts: tuple[int, ...]) -> None:
    assert numbers(looks(*counts)) == []


def test_as_many_as_there_were_may_stay() -> None:
    current = Tasks((a_task(3),))
    assert numbers(looks(3, 3), Expected(current=current)) == []
    assert numbers(looks(5, 4), Expected(current=current)) == [(1, 2, 1)]


@pytest.mark.parametrize(
    "expected", [Expected(top_functions=frozenset({"main.work"})), Expected(creators=frozenset({"main.spawn"}))]
)
def test_what_is_named_may_stay(expected: Expected) -> None:
    assert numbers(looks(3, 3), expected) == []


def test_the_first_task_and_the_librarys_may_stay() -> None:
    tasks = Tasks(
        (
            a_task(1, name="runtime.main", created_by=NOBODY),
            a_task(1, "os/signal.signal_recv", name="os/signal.loop"),
            a_task(1, "<module>", created_by=NOBODY, name=""),
            a_task(1, "", created_by=NOBODY, state="running", name="main.busy"),
        )
    )
    assert [suspect.stay.task.name for suspect in suspects([tasks], Expected())] == ["main.busy"]


def test_the_largest_group_comes_first_with_its_evidence() -> None:
    proven = replace(a_task(9, "main.a", waiting_s=90.0), is_leaked=True)
    before = Tasks((proven, a_task(20, "main.b"), a_task(1, "main.c")))
    after = Tasks((proven, a_task(1200, "main.b"), a_task(1, "main.c")))
    assert [(s.stay.number, s.verdict, s.evidence) for s in suspects([before, after], Expected())] == [
        (
            9,
            "leaked",
            "proven, for nothing can ever wake them · as many at every look · waiting for at least 1m30s",
        ),
        (20, "growing", "20 at the first look, 1 200 at the last"),
        (1, "staying", "as many at every look"),
    ]


def told_apart(*looks: set[int]) -> list[Tasks]:
    return [Tasks((replace(a_task(len(ids)), ids=frozenset(ids)),)) for ids in looks]


def test_others_in_the_same_place_each_time_are_none() -> None:
    assert numbers(told_apart({1, 2, 3}, {4, 5, 6}, {1, 7})) == []


def test_the_same_ones_are_accused_and_no_others() -> None:
    (suspect,) = suspects(told_apart({1, 2, 3}, {2, 3, 4}, {2, 3, 5, 6}), Expected())
    assert (suspect.stay.number, suspect.stay.first, suspect.stay.last) == (2, 3, 4)
    assert suspect.evidence == "3 at the first look, 4 at the last · 2 of them the same at every look"
    (suspect,) = suspects(told_apart({1, 2}, {1, 2}), Expected())
    assert (suspect.verdict, suspect.evidence) == ("staying", "the same at every look")


def test_those_that_were_there_may_stay_and_no_others_instead_of_them() -> None:
    (current,) = told_apart({1, 2})
    assert numbers(told_apart({1, 2}, {1, 2}), Expected(current=current)) == []
    assert numbers(told_apart({2, 8, 9}, {2, 8, 9}), Expected(current=current)) == [(2, 2, 2)]


def test_those_that_were_elsewhere_before_may_stay_too() -> None:
    elsewhere = Tasks((replace(a_task(1, "main.other"), ids=frozenset({4})),))
    assert numbers(told_apart({4}, {4}), Expected(current=elsewhere)) == []


def verdicts(looks: list[Tasks], expected: Expected | None = None) -> list[str]:
    return [s.verdict for s in suspects(looks, expected or Expected())]


def test_what_is_accused_comes_first() -> None:
    before = Tasks(
        (a_task(1, "main.loop"), a_task(61, "main.workers"), a_task(900, "main.pile"), a_task(1, "main.new"))
    )
    after = Tasks((a_task(1, "main.loop"), a_task(61, "main.workers"), a_task(900, "main.pile"), a_task(4, "main.new")))
    found = [(s.stay.task.stack[0].function, s.verdict) for s in suspects([before, after], Expected())]
    assert found == [
        ("main.new", "growing"),
        ("main.pile", "piled up"),
        ("main.workers", "staying"),
        ("main.loop", "staying"),
    ]
    proven = Tasks((replace(a_task(1), is_leaked=True),))
    assert verdicts([proven]) == ["leaked"]


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((1, 1, 2, 3), "growing"),
        ((1, 2), "growing"),
        ((1, 1, 2, 2), "staying"),  # one step: a request that is not answered yet
        ((1, 3, 2, 4), "staying"),
        ((4, 4, 4), "staying"),
        ((5,), "staying"),
    ],
)
def test_growth_is_more_than_one_step_and_never_back(counts: tuple[int, ...], verdict: str) -> None:
    assert verdicts(looks(*counts)) == [verdict]


STATES = [
    "chan receive",
    "chan send",
    "select",
    "select (no cases)",
    "chan send (nil chan)",
    "semacquire",
    "sync.Mutex.Lock",
]


@pytest.mark.parametrize("state", STATES)
def test_many_alike_that_nobody_outside_could_wake_are_accused_without_growing(state: str) -> None:
    assert verdicts([Tasks((a_task(10_000, state=state, waiting_s=3600.0),))] * 3) == ["piled up"]


@pytest.mark.parametrize("state", ["IO wait", "sleep", "syscall", "running"])
def test_what_may_come_from_outside_is_not_accused_for_being_waited_for(state: str) -> None:
    (found,) = suspects([Tasks((a_task(10_000, state=state),))] * 3, Expected())
    assert found.judged is Excuse.OUTSIDE


def test_each_connection_may_have_goroutines_of_its_own() -> None:
    writers, readers = a_task(500, "main.write"), a_task(500, "main.read", state="IO wait")
    assert verdicts([Tasks((writers, readers))] * 3) == ["staying", "staying"]
    assert verdicts([Tasks((replace(writers, count=501), readers))] * 3) == ["piled up", "staying"]


def test_workers_that_were_started_at_once_may_be_more_than_what_came_one_by_one() -> None:
    at_once, one_by_one = set(range(100, 164)), set(range(100, 100 + 64 * 3, 3))
    assert verdicts(told_apart(at_once, at_once)) == ["staying"]
    assert verdicts(told_apart(one_by_one, one_by_one)) == ["piled up"]
    assert verdicts(told_apart(set(range(100)), set(range(100)))) == ["piled up"]
    few = set(range(0, 19 * 50, 50))
    assert verdicts(told_apart(few, few)) == ["staying"]


def test_age_accuses_where_somebody_says_how_old_is_too_old() -> None:
    old = [Tasks((a_task(1, waiting_s=3600.0), a_task(1, "main.young", waiting_s=5.0), a_task(1, "main.unknown")))]
    assert verdicts(old) == ["staying"] * 3
    assert verdicts(old, Expected(older_than_s=3600.0)) == ["old", "staying", "staying"]


def test_what_came_after_all_that_may_stay_is_accused_be_it_one_alone() -> None:
    assert verdicts(looks(1, 1), Expected(current=Tasks(()))) == ["new"]


def test_a_group_does_not_grow_by_those_that_come_back() -> None:
    """A loop for each of many things: those that are at work are away."""
    others = a_task(3, "main.probe")
    here = [{1, 2}, {1, 2, 3}, {1, 2, 3, 4, 5}]
    away = [{3, 4, 5}, {4, 5}, set[int]()]
    loops = [
        Tasks((replace(a_task(len(ids)), ids=frozenset(ids)), replace(others, ids=frozenset(rest))))
        for ids, rest in zip(here, away, strict=True)
    ]
    assert verdicts(loops) == ["staying"]
    assert verdicts(told_apart(*here)) == ["growing"]


def test_many_that_are_seen_to_go_on_and_come_back_are_loops() -> None:
    all_of_them = set(range(300))
    seen = Loops()
    for look in told_apart(all_of_them, all_of_them - {7, 9}, all_of_them - {9}):
        seen.look(look)
    (found,) = suspects(told_apart(all_of_them), Expected(), loops=seen.seen)
    assert found.judged is Excuse.LOOPS


def test_many_of_which_some_end_and_others_come_are_no_loops() -> None:
    seen = Loops()
    for look in told_apart(set(range(300)), set(range(1, 310)), set(range(2, 320))):
        seen.look(look)
    assert not seen.seen


def test_of_very_many_requests_that_have_ended_only_the_last_are_remembered() -> None:
    """A watch may last for hours."""
    seen = Loops()
    for look in told_apart(set(range(9000)), set(range(9000, 18_000)), set(range(18_000, 27_000)), {1, 2}):
        seen.look(look)
    assert not seen.seen
    for look in told_apart(set(range(27_000, 30_000)), {1, 2}):
        seen.look(look)
    assert seen.seen


def test_asyncio_tasks_and_threads_may_be_as_many_as_there_are_open_files() -> None:
    sockets = [Tasks((replace(a_task(150, state="waiting"), kind=TaskKind.ASYNCIO),))] * 2
    assert [s.verdict for s in suspects(sockets, Expected(), files=160)] == ["staying"]
    assert [s.verdict for s in suspects(sockets, Expected(), files=20)] == ["piled up"]
    threads = [Tasks((replace(a_task(150, state="in futex"), kind=TaskKind.THREAD),))] * 2
    assert [s.verdict for s in suspects(threads, Expected())] == ["piled up"]
    files = [Tasks((a_task(150),))] * 2
    assert [s.verdict for s in suspects(files, Expected(), files=160)] == ["piled up"]  # a goroutine's wait is told


@pytest.mark.parametrize(("numbers", "verdict"), [((1, 5, 9, 9, 9), "staying"), ((1, 5, 9, 11, 12), "growing")])
def test_clients_that_come_are_no_leak_unless_they_never_cease_to(numbers: tuple[int, ...], verdict: str) -> None:
    served = [Tasks((a_task(number), a_task(number, "main.read", state="IO wait"))) for number in numbers]
    assert verdicts(served) == [verdict] * 2
    alone = [Tasks((a_task(number), a_task(1, "main.read", state="IO wait"))) for number in numbers]
    assert verdicts(alone) == ["growing", "staying"]


def test_a_pool_of_pythons_may_be_of_any_size_while_it_is_idle() -> None:
    idle = replace(a_task(200, state="in futex"), kind=TaskKind.THREAD)
    worker = Frame("_worker", "/usr/lib/python3.13/concurrent/futures/thread.py", 90)
    assert verdicts([Tasks((replace(idle, stack=(worker,)),))] * 2) == ["staying"]
    blocked = replace(idle, stack=(Frame("ask", "/srv/app.py", 3), worker))
    assert verdicts([Tasks((blocked,))] * 2) == ["piled up"]


def marked(*marks: tuple[int, int, int]) -> Tasks:
    ids = frozenset(range(300))
    return Tasks((replace(a_task(300), ids=ids, marks=frozenset(StackMark(*mark) for mark in marks)),))


@pytest.mark.parametrize(
    ("marks", "is_loop"),
    [
        ([(7, 0x1000, 1), (7, 0x1000, 2), (7, 0x1000, 2)], True),
        ([(7, 0x1000, 1), (7, 0x1000, 1), (7, 0x1000, 1)], False),
        ([(7, 0x1000, 1), (7, 0x9000, 2), (7, 0x9000, 2)], False),  # a collection has moved it
        ([(7, 0x1000, 1), (7, 0x1000, 2), (7, 0x9000, 2)], False),  # it has while we read
        ([(7, 0x1000, 1), (8, 0x1000, 2), (8, 0x1000, 2)], False),
    ],
)
def test_whose_stack_has_changed_in_its_place_has_run(marks: list[tuple[int, int, int]], is_loop: bool) -> None:
    seen = Loops()
    for mark in marks:
        seen.look(marked(mark))
    assert bool(seen.seen) is is_loop
