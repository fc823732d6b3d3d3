"""What is taken for permanent stays bounded, however often a view is made anew."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from memdash.ui.lean import undisturbed


@pytest.fixture
def frozen() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Ring:
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.ring = self


@pytest.mark.matrix  # looking at all garbage takes long beside so many other tests
@pytest.mark.usefixtures("frozen")
def test_garbage_does_not_stay_for_good() -> None:
    counts = []
    for _ in range(65):
        on_screen = [Ring() for _ in range(400)]
        with undisturbed():
            pass
        del on_screen
        counts.append(gc.get_freeze_count())
    assert max(counts) - counts[0] < 16_000
    assert gc.isenabled()


def test_in_a_program_that_others_use_too_nothing_is_taken_for_permanent() -> None:
    gc.unfreeze()  # what other tests may have left
    with undisturbed():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
