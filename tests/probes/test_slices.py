"""Long work in slices: each goes on where the last one stopped."""

from __future__ import annotations

from collections.abc import Generator
from itertools import count

import pytest

from memdash.errors import BadRead
from memdash.probes.slices import Done, Slices


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
    under_way = [work.is_under_way]
    assert work.go_on(lambda: counting(9)) == Done("9 steps")
    under_way.append(work.is_under_way)
    assert under_way == [True, False]
    assert work.go_on(lambda: counting(3)) == 1


def test_begun_anew_the_first_slices_come_again() -> None:
    work = slices(5.0, later_s=1.0)
    assert [work.go_on(lambda: counting(90)) for _ in range(2)] == [5, 6]
    work.begin_anew()
    assert [work.go_on(lambda: counting(90)) for _ in range(2)] == [5, 6]


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
    assert not work.is_under_way
    assert work.go_on(failing) == 1
