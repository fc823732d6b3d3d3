"""Traces made by hand: what is counted, what is left out, and that nothing but a refusal comes of nonsense."""

from __future__ import annotations

import random
import struct
from collections.abc import Generator, Iterator
from typing import cast

import pytest

from memdash.errors import BadRead, ProbeError
from memdash.probes.cpython import traces
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.tracebacks import Place
from memdash.probes.cpython.traces import Look, TraceReader
from memdash.probes.cpython.tracing import Tracing
from tests.probes.cpython.traced import MadeTraces

ADD, SERVE = ("cart.py", 12), ("main.py", 40)
BLOCK = 0x7F1200000000


@pytest.fixture(params=[8, 11, 13, 15], ids=lambda minor: f"3.{minor}")
def made(request: pytest.FixtureRequest) -> Iterator[MadeTraces]:
    tables = MadeTraces(request.param, names_are_objects=request.param < 15)
    yield tables
    tables.here.memory.close()


def reader(made: MadeTraces) -> TraceReader:
    return TraceReader(cast("Interpreter", made.here), cast("Tracing", made))


def look(read: TraceReader) -> Look:
    return rest(read.look())


def rest(going_on: Generator[None, None, Look]) -> Look:
    while True:
        try:
            next(going_on)
        except StopIteration as end:
            found: Look = end.value
            return found


def places(*frames: tuple[str, int]) -> tuple[Place, ...]:
    return tuple(Place(*frame) for frame in frames)


def test_blocks_and_bytes_add_up_by_stack(made: MadeTraces) -> None:
    served, added = made.traceback([ADD, SERVE]), made.traceback([ADD])
    for number in range(100):
        made.add(BLOCK + 64 * number, 50 + number, served)
    made.add(BLOCK + 64 * 5000, 7_000_000, added)
    found = look(reader(made))
    assert found.held == {places(ADD, SERVE): (sum(range(50, 150)), 100), places(ADD): (7_000_000, 1)}
    assert (found.parts, found.parts_read) == (1, 1)


def test_a_second_look_sees_what_came_and_what_went(made: MadeTraces) -> None:
    read, first, second = reader(made), made.traceback([ADD]), made.traceback([SERVE])
    at = made.add(BLOCK, 10, first)
    assert look(read).held == {places(ADD): (10, 1)}
    made.change(at, struct.pack("<QQ", 30, second))
    made.add(BLOCK + 16, 5, second)
    assert look(read).held == {places(SERVE): (35, 2)}


def test_the_parts_of_a_large_table_are_its_whole(made: MadeTraces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "PART_TRACES", 100)
    traceback = made.traceback([ADD])
    for number in range(700):
        made.add(BLOCK + 16 * number, 16, traceback)
    read = reader(made)
    seen = [look(read) for _ in range(7)]
    assert [found.parts_read for found in seen] == list(range(1, 8))
    for found in seen:
        assert found.parts == 7
        assert found.held[places(ADD)][1] == pytest.approx(700, rel=0.35)
    assert seen[-1].held == {places(ADD): (700 * 16, 700)}
    assert look(read).held == seen[-1].held


def test_a_trace_that_leads_to_no_traceback_is_left_out(made: MadeTraces) -> None:
    right, wrong = made.traceback([ADD]), made.traceback([ADD], wrong=1)
    for number in range(50):
        made.add(BLOCK + 16 * number, 8, right)
    for number in range(3):
        made.add(BLOCK + 16 * (100 + number), 8, wrong)
    assert look(reader(made)).held == {places(ADD): (400, 50)}


def test_a_table_of_which_most_leads_nowhere_is_refused(made: MadeTraces) -> None:
    wrong = made.traceback([ADD], wrong=1)
    for number in range(200):
        made.add(BLOCK + 16 * number, 8, wrong)
    with pytest.raises(BadRead, match="do not lead to tracebacks"):
        look(reader(made))


def test_tables_that_are_being_moved_are_not_believed(made: MadeTraces) -> None:
    traceback = made.traceback([ADD])
    for number in range(300):
        made.add(BLOCK + 16 * number, 8, traceback)
    made.entries = 1500
    made.add(BLOCK + 16 * 300, 8, traceback)
    with pytest.raises(BadRead, match="being moved"):
        look(reader(made))


def test_a_program_that_frees_much_while_it_is_read_is_believed(
    made: MadeTraces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables that are moved keep the number of their entries; where blocks come and go at once it falls."""
    monkeypatch.setattr(traces, "_PAUSES_S", ())
    traceback = made.traceback([ADD])
    for number in range(300):
        made.add(BLOCK + 16 * number, 8, traceback)
    made.entries = 1500
    made._set_head()
    going_on = reader(made).look()
    next(going_on)
    made.entries = 300
    made._set_head()
    assert rest(going_on).held == {places(ADD): (2400, 300)}


def test_what_is_no_table_is_refused(made: MadeTraces) -> None:
    for buckets, at in ((2047, made.buckets_at), (8, made.buckets_at), (1 << 40, made.buckets_at), (2048, 0)):
        made.buckets, made.buckets_at = buckets, at
        made._set_head()
        with pytest.raises(BadRead, match="no hash table"):
            look(reader(made))


def test_a_chain_that_runs_in_a_circle_ends(made: MadeTraces) -> None:
    made.add(BLOCK, 8, made.traceback([ADD]))
    bucket = made.buckets_at + 8 * ((BLOCK >> 4) & 2047)
    entry = made.here.memory.u64(bucket)
    made.change(entry, struct.pack("<Q", entry))
    assert look(reader(made)).held[places(ADD)][1] == 64


def test_tracebacks_deeper_than_are_kept_are_none(made: MadeTraces) -> None:
    made.add(BLOCK, 8, made.traceback([ADD] * 5))
    made.frames = 4
    assert look(reader(made)).held == {}
    made.frames = 5
    assert look(reader(made)).held == {places(*[ADD] * 5): (8, 1)}


def test_very_deep_stacks_are_shown_from_the_inside(made: MadeTraces) -> None:
    made.frames = 1000
    made.add(BLOCK, 8, made.traceback([("deep.py", line) for line in range(300)]))
    (stack,) = look(reader(made)).held
    assert stack == places(*[("deep.py", line) for line in range(128)])


def test_names_that_were_replaced_are_read_again(made: MadeTraces) -> None:
    read = reader(made)
    made.add(BLOCK, 8, made.traceback([ADD]))
    assert look(read).held == {places(ADD): (8, 1)}
    at, _ = made.name("cart.py")
    if made.layout.version.startswith("3.15"):
        made.change(at, b"tart.py")
        assert look(read).held == {places(("tart.py", 12)): (8, 1)}
    else:
        made.change(at + made.layout.offset("PyASCIIObject", "hash"), bytes(8))
        assert look(read).held == {}


@pytest.mark.parametrize(
    "made",
    [8, *(pytest.param(minor, marks=pytest.mark.matrix) for minor in (11, 13)), 15],
    ids=lambda minor: f"3.{minor}",
    indirect=True,
)
def test_no_content_raises_anything_but_a_refusal(made: MadeTraces) -> None:
    dice = random.Random(5)
    tracebacks = [made.traceback([ADD] * depth) for depth in (1, 2, 25)]
    for number in range(400):
        made.add(BLOCK + 48 * number, dice.randrange(5000), dice.choice(tracebacks))
    whole = made.memory.raw
    for _ in range(50):
        read = reader(made)
        for _ in range(dice.choice((1, 10, 300))):
            made.corrupt(dice.randrange(1 << 30), dice.randrange(256))
        for _ in range(2):
            try:
                look(read)
            except ProbeError:
                continue
        made.restore(whole)
