"""Collections are kept away, and come back, however many are at work and however it ends."""

import gc

import pytest

from memdash.pprof.garbage import without_collections


def test_they_are_away_meanwhile_and_then_back() -> None:
    assert gc.isenabled()
    with without_collections():
        assert not gc.isenabled()
        with without_collections():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_they_come_back_when_it_fails() -> None:
    with pytest.raises(KeyError), without_collections():
        raise KeyError
    assert gc.isenabled()


def test_whoever_does_without_them_goes_on_so() -> None:
    gc.disable()
    try:
        with without_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_two_at_a_time_leave_them_as_they_were() -> None:
    one, other = without_collections(), without_collections()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert not gc.isenabled()
    other.__exit__(None, None, None)
    assert gc.isenabled()
