"""Reading the sampler's tables: what is new once, counters each time, and nothing that makes no sense."""

from __future__ import annotations

import os
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memdash.errors import BadRead
from memdash.probes.cpython.sampler.tables import Tables
from memdash.process.memory import ProcessMemory
from tests.probes.cpython.sampler.handmade import Counts, Handmade

ONE = Counts((1, 2, 300))


def tables_of(made: Handmade) -> Tables:
    return Tables(ProcessMemory(os.getpid()), made.at("header"))


def test_only_new_stacks_are_taken() -> None:
    made = Handmade()
    tables = tables_of(made)
    tables.counters(tables.look().header)
    assert tables.stacks == [array("I")] * 3, "those of what has no stack"
    made.add([0, 1], ONE)
    tables.counters(tables.look().header)
    made.add([2, 1, 0], ONE)
    rows = tables.counters(tables.look().header)
    assert [list(places) for places in tables.stacks[3:]] == [[0, 1], [2, 1, 0]]
    assert len(rows) == 64 * 5


def test_a_stack_that_is_ahead_of_its_header_waits() -> None:
    """It is counted last, but the header is copied word by word."""
    made = Handmade()
    made.add([0], ONE)
    made.add([1], ONE)
    made.frames = 1
    made.write()
    tables = tables_of(made)
    assert len(tables.counters(tables.look().header)) == 64 * 4
    made.frames, made.places = 2, 1
    made.write()
    assert len(tables.counters(tables.look().header)) == 64 * 4, "nor is its place known"
    made.places = 2
    made.write()
    assert len(tables.counters(tables.look().header)) == 64 * 5


def test_another_sampling_begins_anew() -> None:
    made = Handmade()
    made.add([0], ONE)
    tables = tables_of(made)
    tables.counters(tables.look().header)
    assert len(tables.stacks) == 4
    made.stacks, made.frames, made.places, made.started_ns = 3, 0, 0, 2
    made.write()
    header = tables.look().header
    assert tables.begun_ns == header.started_ns == 2
    assert tables.stacks == []


def test_all_that_was_asked_for_is_told_between_samples_too() -> None:
    made = Handmade(consumed=(1000, 50), armed=(700, 90))
    made.left = 300, 80
    made.write()
    assert tables_of(made).look().asked_bytes == 1000 + 400 + 50 + 10
    made.left = (1 << 63) - 1, 80
    assert tables_of(made).look().asked_bytes == 1000 + 50 + 10, "one that is not armed"


@pytest.mark.parametrize(
    "broken",
    [
        {"magic": b"memdashT"},
        {"version": 1},
        {"header_bytes": 64},
        {"moved_by": 8},
        {"stacks": 1 << 20},
        {"frames": 1 << 21},
        {"places": 1 << 18},
    ],
)
def test_what_is_no_header_is_refused(broken: dict[str, int]) -> None:
    with pytest.raises(BadRead):
        tables_of(Handmade(**broken)).look()  # type: ignore[arg-type]


def test_a_stack_that_is_too_deep_is_refused() -> None:
    made = Handmade()
    made.add([0] * 65, ONE)
    tables = tables_of(made)
    with pytest.raises(BadRead, match="deeper"):
        tables.counters(tables.look().header)


@given(st.binary(min_size=224, max_size=224), st.booleans())
def test_no_bytes_make_it_fail_otherwise(content: bytes, begins_well: bool) -> None:
    made = Handmade()
    made.buffers["header"].raw = made.buffers["header"].raw[:24] + content[24:] if begins_well else content
    tables = tables_of(made)
    try:
        tables.counters(tables.look().header)
    except BadRead:
        return
