"""Checks that look again: the program goes on meanwhile, or has lost its CPU in the middle of a change."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

import pytest

from memdash.errors import BadRead
from memdash.model.capability import Capability
from memdash.probes.invariants import check_all

GUARDED = frozenset({Capability.MEMSTATS})


def checked(test: Callable[[int], str]) -> str:
    """Why it does not hold; empty if it does. The test is given the number of the look."""
    looks = count()
    (check,) = check_all({"it adds up": (GUARDED, test)}, lambda: next(looks))
    assert check.holds == (not check.why)
    return check.why


@pytest.mark.usefixtures("looks_at_once")
def test_one_look_of_several_is_enough() -> None:
    assert checked(lambda look: "" if look == 7 else "torn") == ""


@pytest.mark.usefixtures("looks_at_once")
def test_what_holds_in_none_says_what_was_found_last() -> None:
    assert checked(lambda look: f"torn {look}") == "torn 7"


@pytest.mark.usefixtures("looks_at_once")
def test_what_could_not_be_read_does_not_hold() -> None:
    def unmapped(_: int) -> str:
        raise BadRead("address 0x10 is not mapped")

    assert checked(unmapped) == "address 0x10 is not mapped"


def test_a_program_that_has_lost_its_cpu_in_the_middle_of_a_change_is_waited_for() -> None:
    """The kernel lets one that has used up its quota run again in the next period, of 0.1 s."""
    back_s = time.monotonic() + 0.1
    assert checked(lambda _: "" if time.monotonic() > back_s else "torn") == ""
