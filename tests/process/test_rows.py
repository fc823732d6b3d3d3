"""Records side by side, and their differences."""

from array import array

import pytest

from memdash.process.lanes import differences
from memdash.process.rows import rows

LARGEST = (1 << 64) - 1


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ([], []),
        ([0], [(0, 16)]),
        ([64], [(64, 16)]),
        ([64, 80, 96], [(64, 48)]),
        ([64, 80, 100, 116], [(64, 32), (100, 32)]),
        ([64, 72, 88], [(64, 16), (72, 32)]),
        ([64, 64, 80], [(64, 16), (64, 32)]),
        ([80, 64, LARGEST], [(80, 16), (64, 16), (LARGEST, 16)]),
    ],
)
def test_those_that_follow_each_other_are_read_together(addresses: list[int], expected: list[tuple[int, int]]) -> None:
    assert rows(array("Q", addresses), 16) == expected


@pytest.mark.parametrize(
    ("ends", "starts"),
    [
        ([], []),
        ([5], [3]),
        ([5, 1 << 47, 0], [5, 1, 0]),
        ([5, 4, 9], [3, 5, 1]),
        ([0, 1], [1, 1]),
        ([1, 0], [1, 1]),
        ([LARGEST, 7], [1, 2]),
        ([7, 7], [LARGEST, 2]),
        ([0, LARGEST], [LARGEST, 0]),
        ([1 << 63], [1]),
        ([3], [1 << 63 | 5]),
    ],
)
def test_differences_word_by_word(ends: list[int], starts: list[int]) -> None:
    found = differences(memoryview(array("Q", ends)), memoryview(array("Q", starts)))
    assert found.tolist() == [(end - start) % (1 << 64) for end, start in zip(ends, starts, strict=True)]
