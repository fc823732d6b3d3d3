"""Tasks that came and stayed are told from those that come and go."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from memdash.analysis.arrivals import Arrival, Arrivals
from memdash.model.finding import NotYet
from memdash.model.tasks import Tasks
from tests.fakes import a_thread


def looked(*courses: Sequence[int]) -> tuple[Arrival, ...] | NotYet:
    """One group of tasks a course, each begun by a function of its own."""
    arrivals = Arrivals()
    for numbers in zip(*courses, strict=True):
        groups = [a_thread(f"Worker{at}.run", "in futex", number) for at, number in enumerate(numbers) if number]
        arrivals.take(Tasks(tuple(groups)))
    return arrivals.found()


def test_each_that_stays_counts_and_names_who_began_it() -> None:
    found = looked(range(10, 40), [3] * 30)
    assert not isinstance(found, NotYet)
    (arrival,) = found
    assert arrival.origin.frame.function == "Worker0.run"
    assert arrival.origin.is_creator
    assert (arrival.before, arrival.now, arrival.number) == (19, 30, 11)


def test_one_alone_is_seen_beside_a_busy_group() -> None:
    busy = random.Random(7)
    found = looked([busy.randrange(20, 60) for _ in range(30)], [0] * 15 + [1] * 15)
    assert not isinstance(found, NotYet)
    assert [(arrival.origin.frame.function, arrival.number) for arrival in found] == [("Worker1.run", 1)]


@pytest.mark.parametrize("seed", range(8))
def test_what_comes_and_goes_does_not_count(seed: int) -> None:
    busy = random.Random(seed)
    assert looked([busy.randrange(50) for _ in range(30)], [busy.randrange(2) for _ in range(30)]) == ()


def test_a_group_that_only_moved_to_another_state_has_not_grown() -> None:
    arrivals = Arrivals()
    for look in range(30):
        waiting = a_thread("Worker.run", "in futex", 30 - look)
        moved = a_thread("Worker.run", "in epoll_wait", look)
        arrivals.take(Tasks((waiting, moved)))
    assert arrivals.found() == ()


def test_the_same_reading_again_is_no_further_look() -> None:
    arrivals, tasks = Arrivals(), Tasks((a_thread("Worker.run", "in futex", 3),))
    for _ in range(100):
        arrivals.take(tasks)
    assert isinstance(found := arrivals.found(), NotYet)
    assert found.why == "tasks were seen 1 time, and it takes 12: watch for longer"


def test_of_a_long_watch_it_forgets_looks_and_nothing_of_what_they_show() -> None:
    arrivals = Arrivals()
    for number in range(1, 2001):
        arrivals.take(Tasks((a_thread("Worker.run", "in futex", number),)))
    found = arrivals.found()
    assert not isinstance(found, NotYet)
    assert found[0].before == pytest.approx(666, rel=0.05)
    assert found[0].now == pytest.approx(1333, rel=0.05)
    assert len(arrivals._looks) <= 241
