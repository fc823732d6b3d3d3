"""Blocks made by hand: what is an object, of which type, and what is not."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator

import pytest

from memdash.errors import MemdashError
from memdash.model.objects import Objects
from memdash.probes.cpython.layouts import minors
from memdash.probes.cpython.types import Types
from tests.probes.cpython.handmade import COLLECTED, HEAP, METACLASS, READY, Block, World, counted

LINK = 0x7F0000001230
"""What the collector's list, or any other pointer, may be."""


@pytest.fixture(params=minors(), ids=lambda minor: f"3.{minor}")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(request.param)
    yield made
    made.interpreter.memory.close()


def rows(objects: Objects) -> dict[str, tuple[int, int]]:
    return {name: (number, held_bytes) for name, number, held_bytes in objects.types}


def has_part_before_head(world: World) -> bool:
    return bool(world.layout.constants["Py_TPFLAGS_PREHEADER"])


def test_an_object_is_found_where_its_type_keeps_the_pointer(world: World) -> None:
    plain = world.a_type("float", READY, 24)
    tracked = world.a_type("list", READY | COLLECTED, 40)
    world.pool(32, [Block((1, plain)), Block((3, plain, 7))])
    world.pool(64, [Block((LINK, LINK, 1, tracked)), Block((0, 0, 2, tracked, 9, LINK))])
    assert rows(counted(world.census())) == {"float": (2, 64), "list": (2, 128)}
    if has_part_before_head(world):
        flags = READY | COLLECTED | world.layout.constants["Py_TPFLAGS_PREHEADER"]
        node = world.a_class("shop.cart", "Order.Line", flags, 16)
        world.pool(48, [Block((0, LINK, LINK, LINK, 1, node))])
        assert rows(counted(world.census()))["shop.cart.Order.Line"] == (1, 48)


def test_the_same_pointer_elsewhere_is_none(world: World) -> None:
    tracked = world.a_type("list", READY | COLLECTED, 40)
    plain = world.a_type("int", READY, 24)
    world.pool(64, [Block((1, tracked)), Block((LINK, LINK, 1, plain)), Block((LINK, plain)), Block((plain, plain))])
    found = counted(world.census())
    assert rows(found) == {}
    assert found.unknown_bytes == 4 * 64


def test_a_tuple_that_begins_with_a_class_is_a_tuple(world: World) -> None:
    kind = world.a_type("tuple", READY | COLLECTED, 24)
    flags = READY | COLLECTED | world.layout.constants["Py_TPFLAGS_PREHEADER"]
    item = world.a_type("Order", flags, 16)
    world.pool(64, [Block((LINK, LINK, 1, kind, 1, item))])
    assert rows(counted(world.census())) == {"tuple": (1, 64)}


def test_what_is_gone_is_not_counted(world: World) -> None:
    kind = world.a_type("tuple", READY | COLLECTED, 24)
    plain = world.a_type("float", READY, 24)
    alive, stale = Block((LINK, LINK, 1, kind)), Block((LINK, LINK, 1, kind), free=True)
    world.pool(64, [alive, stale, alive, stale, Block((LINK, LINK, 0, kind))])
    world.pool(32, [Block((1, plain)), Block((1, plain), free=True), Block((0, plain))])
    found = counted(world.census())
    assert rows(found) == {"tuple": (2, 128), "float": (1, 32)}
    assert found.unknown_bytes == 64 + 32


def test_what_was_never_carved_is_not_counted(world: World) -> None:
    plain = world.a_type("float", READY, 24)
    world.pool(32, [Block((1, plain))])
    at = world.offset + 48 + 32
    world.arena[at : at + 16] = (1).to_bytes(8, "little") + plain.to_bytes(8, "little")
    assert rows(counted(world.census())) == {"float": (1, 32)}


def test_counts_of_references(world: World) -> None:
    plain = world.a_type("float", READY, 24)
    immortal = world.layout.constants.get("immortal ob_refcnt")
    blocks = [Block((count, plain)) for count in (1, 1000, (1 << 20) - 1, 1 << 20, 1 << 31, 1 << 40, LINK)]
    world.pool(32, blocks if immortal is None else [Block((immortal, plain)), *blocks])
    assert rows(counted(world.census())) == {"float": (3 if immortal is None else 4, (3 + (immortal is not None)) * 32)}


def test_a_block_too_small_for_its_type_is_unknown_unless_it_is_a_str(world: World) -> None:
    large = world.a_type("Large", READY, 40)
    world.pool(32, [Block((1, large)), Block((1, world.str))])
    found = counted(world.census())
    assert rows(found) == {"str": (1, 32)}
    assert found.unknown_bytes == 32


def test_types_of_metaclasses_are_types_and_nothing_else_is(world: World) -> None:
    meta = world.a_type("Meta", READY | HEAP | METACLASS, 400)
    of_meta = world.a_type("OfMeta", READY, 24, metatype=meta)
    of_none = world.a_type("float", READY, 24, metatype=of_meta)
    unready = world.a_type("float", 0, 24)
    nameless = world.a_type("", READY, 24)
    absurd = world.a_type("float", READY, 1 << 40)
    world.pool(32, [Block((1, kind)) for kind in (of_meta, of_none, unready, nameless, absurd, 0x10000, LINK, 1 << 63)])
    assert rows(counted(world.census())) == {"OfMeta": (1, 32)}


def test_names(world: World) -> None:
    kinds = [
        world.a_type("collections.OrderedDict", READY, 24),
        world.a_class("builtins", "Made.In.Builtins"),
        world.a_class("shop", "a.<locals>.Local"),
        world.a_type("x" * 5000, READY, 24),
        world.a_type("NoDict", READY | HEAP, 24),
    ]
    world.pool(32, [Block((1, kind)) for kind in kinds])
    names = set(rows(counted(world.census())))
    assert names == {"collections.OrderedDict", "Made.In.Builtins", "shop.a.<locals>.Local", "x" * 256, "NoDict"}


def test_another_class_at_the_same_place_has_its_own_name(world: World) -> None:
    made = world.a_class("shop", "First")
    world.pool(32, [Block((1, made))])
    census = world.census()
    assert set(rows(counted(census))) == {"shop.First"}
    world.rename(made, "Second")
    assert set(rows(counted(census))) == {"shop.Second"}


def test_an_arena_given_back_meanwhile_is_left_out(world: World) -> None:
    plain = world.a_type("float", READY, 24)
    for _ in range(40):
        world.pool(32, [Block((1, plain))])
    libc = ctypes.CDLL(None)
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    assert libc.mprotect(world.first_pool, world.arena_bytes, 0) == 0
    try:
        assert counted(world.census()).types == ()
    finally:
        libc.mprotect(world.first_pool, world.arena_bytes, 3)
    assert rows(counted(world.census())) == {"float": (40, 40 * 32)}


def test_a_list_of_free_blocks_that_goes_round_ends(world: World) -> None:
    plain = world.a_type("float", READY, 24)
    world.pool(32, [Block((1, plain)), Block((1, plain), free=True), Block((1, plain), free=True)])
    at = world.offset + 48 + 32
    world.arena[at : at + 8] = (world.first_pool + 48 + 64).to_bytes(8, "little")
    assert rows(counted(world.census())) == {"float": (1, 32)}


def test_the_usual_types_prove_the_layout(world: World) -> None:
    assert Types(world.interpreter).disproved() == ""
    world.exports.symbols["PyDict_Type"] = world.str
    assert Types(world.interpreter).disproved() == "dict is str"
    del world.exports.symbols["PyDict_Type"]
    assert Types(world.interpreter).disproved() == "dict is not there"
    del world.exports.symbols["PyType_Type"]
    with pytest.raises(MemdashError, match="type of types"):
        Types(world.interpreter)


def test_no_content_raises_anything_but_errors_of_ours(world: World) -> None:
    dice = random.Random(7)
    kinds = [world.a_class("shop", f"Kind{n}", COLLECTED if n % 2 else 0) for n in range(6)]
    for size in (16, 32, 48, 64, 512):
        world.pool(size, [Block((1, kinds[0]) if n % 3 else (LINK,), free=n % 5 == 0) for n in range(20)])
    census = world.census()
    end = world.offset + world.pools * world.pool_bytes
    for _ in range(60):
        for _ in range(dice.randrange(1, 12)):
            start = dice.choice([world.offset + dice.randrange(world.pools) * world.pool_bytes + dice.randrange(48), 0])
            at = start or dice.randrange(world.offset, end - 8)
            world.arena[at] = dice.randrange(256)
        for held in dice.sample(world.kept, 4):
            at = dice.randrange(len(held))
            held[at] = bytes([dice.randrange(256)])
        try:
            found = counted(census)
        except MemdashError:
            continue
        assert found.unknown_bytes >= 0
        assert found.total.objects <= 100 * world.pool_bytes
