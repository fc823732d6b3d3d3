"""Objects by size class and by type, and that their sum is what the spans hold."""

import contextlib
import random
import struct

import pytest

from memdash.errors import BadRead, ProbeError
from memdash.model.objects import TypeCount
from memdash.probes.go.objects import ObjectReader
from memdash.probes.go.types import TypeNames
from tests.probes.go.runtime import PAGE_BYTES, FakeRuntime

OF_48, OF_48_NOSCAN, OF_1024 = 5 << 1, 5 << 1 | 1, 32 << 1
LARGE, LARGE_NOSCAN = 0, 1
EXTRA_STAR = 2


@pytest.fixture
def reader(runtime: FakeRuntime) -> ObjectReader:
    return ObjectReader(runtime.program)


WITH_TYPES = pytest.mark.parametrize("runtime", [25, 27], indirect=True)
"""Go 1.22 and later keep types with objects."""


def rows(reader: ObjectReader) -> set[TypeCount]:
    return set(reader.read().types)


def test_objects_count_by_their_size_and_whether_they_hold_pointers(runtime: FakeRuntime, reader: ObjectReader) -> None:
    runtime.objects(OF_48, 3)
    runtime.objects(OF_48, 2)
    runtime.objects(OF_48_NOSCAN, 7)
    runtime.objects(LARGE_NOSCAN, 1, pages=5)
    runtime.objects(OF_48, 0)
    assert rows(reader) == {
        TypeCount("48 B with pointers", 5, 240),
        TypeCount("48 B without pointers", 7, 336),
        TypeCount("large without pointers", 1, 5 * PAGE_BYTES),
    }
    assert reader.read().total == TypeCount("", 13, 240 + 336 + 5 * PAGE_BYTES)


def test_spans_that_are_not_in_use_hold_nothing(runtime: FakeRuntime, reader: ObjectReader) -> None:
    for state in ("mSpanDead", "mSpanManual"):
        span = runtime.objects(OF_48, 3)
        runtime.set(span, "mspan", "state", runtime.layout.constants[state], size=1)
    assert rows(reader) == set()


def test_more_spans_than_one_system_call_takes(runtime: FakeRuntime, reader: ObjectReader) -> None:
    span = runtime.objects(OF_48, 1)
    runtime.slice(runtime.addresses["mheap_"] + runtime.at("mheap", "allspans"), [span] * 2500)
    assert rows(reader) == {TypeCount("48 B with pointers", 2500, 2500 * 48)}


@WITH_TYPES
def test_large_objects_say_their_type(runtime: FakeRuntime) -> None:
    (tree,) = runtime.types("main.tree")
    runtime.objects(LARGE, 1, pages=6, largeType=tree)
    runtime.objects(LARGE, 1, pages=6, largeType=12345)
    runtime.objects(LARGE_NOSCAN, 1, pages=6, largeType=tree)
    assert rows(ObjectReader(runtime.program)) == {
        TypeCount("main.tree", 1, 6 * PAGE_BYTES),
        TypeCount("large with pointers", 1, 6 * PAGE_BYTES),
        TypeCount("large without pointers", 1, 6 * PAGE_BYTES),
    }


@WITH_TYPES
def test_objects_of_more_than_512_bytes_say_their_type(runtime: FakeRuntime) -> None:
    """Slots 0 and 1 come before freeindex, 4 and 6 survived the last sweep; the last one's type is unknown."""
    tree, leaf = runtime.types("main.tree", "*main.leaf", flags=EXTRA_STAR)
    bits = runtime.array([0b1010000])
    span = runtime.objects(OF_1024, 4, freeindex=2, allocBits=bits)
    start = runtime.program.memory.u64(span + runtime.at("mspan", "startAddr"))
    for slot, header in ((0, tree), (1, leaf), (2, tree), (4, leaf), (6, 99)):
        runtime.put(start + slot * 1024, struct.pack("<Q", header))
    assert rows(ObjectReader(runtime.program)) == {
        TypeCount("main.tree", 1, 1024),
        TypeCount("main.leaf", 2, 2048),
        TypeCount("1.00 KiB with pointers", 1, 1024),
    }


@WITH_TYPES
def test_a_span_in_the_midst_of_a_change_counts_by_size(runtime: FakeRuntime) -> None:
    runtime.objects(OF_1024, 4, freeindex=2, allocBits=runtime.array([0]))
    assert rows(ObjectReader(runtime.program)) == {TypeCount("1.00 KiB with pointers", 4, 4096)}


@WITH_TYPES
def test_a_long_name_is_cut_and_a_wrong_one_is_none(runtime: FakeRuntime) -> None:
    (long,) = runtime.types("main." + "x" * 1000)
    names = TypeNames(runtime.program)
    assert names[long].startswith("main.xxx")
    assert len(names[long]) < 520
    assert names[8] == names[(1 << 64) - 1] == ""


def test_a_table_that_cannot_be_is_a_bad_read(runtime: FakeRuntime, reader: ObjectReader) -> None:
    at = runtime.addresses["mheap_"] + runtime.at("mheap", "allspans")
    for pointers, length in ((8, 3), (8, 1 << 40)):
        runtime.put(at, struct.pack("<QQ", pointers, length))
        with pytest.raises(BadRead):
            reader.read()


def test_nonsense_never_gives_more_than_an_error(runtime: FakeRuntime) -> None:
    chance = random.Random(runtime.layout.go_version)
    for _ in range(5):
        runtime.objects(OF_1024, 3, freeindex=3, allocBits=runtime.array([0]))
        runtime.objects(LARGE, 1, pages=4)
    reader = ObjectReader(runtime.program)
    for _ in range(1000):
        at = chance.choice(runtime.spans) + chance.randrange(runtime.layout.structs["mspan"].size - 8)
        held = runtime.program.memory.read(at, 8)
        runtime.put(at, chance.choice([chance.randbytes(8), bytes(8), b"\xff" * 8]))
        with contextlib.suppress(ProbeError):
            assert reader.read().total.objects >= 0
        if chance.random() < 0.9:
            runtime.put(at, held)
