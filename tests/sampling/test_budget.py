"""How often what costs something is read."""

import pytest

from memdash.sampling.budget import Budget


def test_a_costly_probe_is_read_less_often() -> None:
    budget = Budget(2.0, share=0.01)
    assert budget.due(0)
    budget.spent(0, 0.001)
    assert budget.cadence_s == 2.0
    for _ in range(5):
        budget.spent(100, 0.080)
    assert budget.cadence_s == pytest.approx(8.0)
    assert not budget.due(107.9)
    assert budget.due(108)


def test_no_tick_is_left_out_because_the_one_before_came_a_little_late() -> None:
    budget = Budget(1.0)
    for tick_s in (0.012, 1.001, 2.02, 3.0):
        assert budget.due(tick_s)
        budget.spent(tick_s, 0.001)
    assert not budget.due(3.9)


def test_what_has_not_finished_goes_on_at_twice_the_share() -> None:
    budget = Budget(3.0, share=0.01)
    budget.spent(0, 0.020, pending=True)
    assert not budget.due(0.99)
    assert budget.due(1)
    budget.spent(1, 0.002)
    assert not budget.due(3.9)
    assert budget.due(4)


def test_the_one_large_slice_at_the_start_holds_up_none_of_those_that_follow() -> None:
    budget = Budget(2.0, share=0.01)
    budget.spent(0, 0.018, pending=True)
    budget.spent(1, 0.600, pending=True)
    assert budget.due(2)
    budget = Budget(2.0, share=0.01)
    budget.spent(0, 0.018, pending=True)
    budget.spent(1, 0.400)
    assert budget.cadence_s == 2.0
    assert budget.due(3)


def test_failures_back_off_to_a_minute_and_success_ends_it() -> None:
    budget = Budget(0.0)
    waits = []
    now = 0.0
    for _ in range(9):
        budget.failed(now)
        wait = next(t for t in range(100) if budget.due(now + t))
        waits.append(wait)
        now += 100
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    budget.spent(now, 0.0)
    assert budget.due(now)
