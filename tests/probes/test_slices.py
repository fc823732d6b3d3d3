"""Long work in slices: each goes on where the last one stopped."""

from __future__ import annotations

from collections.abc import Generator
from itertools import count
from types import SimpleNamespace

import pytest

from memdash.errors import BadRead
from memdash.probes.slices import Done, Slices, counted_over


def counting(last: int) -> Generator[int, None, str]:
    yield from range(1, last)
    return f"{last} steps"


def slices(*first_s: float, later_s: float) -> Slices[int, str]:
    """Every look at the clock takes a second."""
    seconds = count()
    return Slices(first_s, later_s, lambda: float(next(seconds)))


def test_work_goes_on_until_its_slice_is_over() -> None:
    work = slices(5.0, 2.0, later_s=1.0)
    assert [work.go_on(lambda: counting(9)) for _ in range(3)] == [5, 7, 8]
    assert work.go_on(lambda: counting(9)) == Done("9 steps")
    assert work.go_on(lambda: counting(3)) == 1


def test_begun_anew_the_first_slices_come_again() -> None:
    work = slices(5.0, later_s=1.0)
    assert [work.go_on(lambda: counting(90)) for _ in range(2)] == [5, 6]
    work.begin_anew()
    assert [work.go_on(lambda: counting(90)) for _ in range(2)] == [5, 6]


def test_how_long_it_took_counts_from_its_first_slice_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = iter((100.0, 100.0, 107.0, 109.0, 109.0))
    monkeypatch.setattr("memdash.probes.slices.time", SimpleNamespace(monotonic=lambda: next(now_s)))
    work = slices(later_s=3.0)
    took_s = []
    for _ in range(3):
        work.go_on(lambda: counting(5))
        took_s.append(work.took_s)
    assert took_s == [0.0, 7.0, 0.0]


def test_only_what_took_long_is_told_as_such() -> None:
    assert counted_over(12.0, 10.0) == ("counted over 12 s while the program ran",)
    assert counted_over(10.0, 10.0) == ()


def test_the_work_itself_may_make_its_slice_longer() -> None:
    def costly() -> Generator[int, None, str]:
        yield 1
        work.extend(3.0)
        yield from range(2, 90)
        return "never"

    work = slices(later_s=2.0)
    assert [work.go_on(costly) for _ in range(2)] == [5, 7]


def test_what_fails_is_not_gone_on_with() -> None:
    def failing() -> Generator[int, None, str]:
        yield 1
        raise BadRead("gone")

    work = slices(later_s=1.0)
    assert work.go_on(failing) == 1
    with pytest.raises(BadRead):
        work.go_on(failing)
    assert work.go_on(failing) == 1
