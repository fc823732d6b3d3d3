"""A queue of pending calls made by hand in this very process, written to as that of a target."""

from __future__ import annotations

import ctypes
import os
import random
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

import pytest

from memdash.errors import LayoutRefused
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.pending_calls import PendingCall, TooLong
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.layouts import Layout, load
from memdash.probes.cpython.version import CPythonVersion
from memdash.process.identity import identify
from memdash.process.memory import ProcessMemory

FUNCTION = 0x1234_5678_9ABC
CODE = b"try:\n pass\nexcept:0\n" * 5


@dataclass
class Binary:
    runtime: int
    offers: bool = True

    def exported(self, name: str) -> int | None:
        assert name == "PyRun_SimpleString"
        return FUNCTION if self.offers else None


@dataclass
class Here:
    """The parts of an Interpreter that the queue's writer uses, over this process's own memory."""

    minor: int
    memory: ProcessMemory = field(default_factory=lambda: ProcessMemory(os.getpid()))

    def __post_init__(self) -> None:
        found = load(self.minor)
        assert found is not None
        self.layout: Layout = found
        self.held = ctypes.create_string_buffer(max(kind.size for kind in found.structs.values()))
        self.main = ctypes.addressof(self.held)
        self.binary = Binary(self.main)
        self.version = CPythonVersion(self.minor, 0, f"3.{self.minor}.0")
        owner = "_PyRuntimeState" if self.minor == 8 else "PyInterpreterState"
        self.ring = found.offset(owner, "ceval.pending")
        self.slots = found.constants["PENDINGCALLSARRAYSIZE"]
        self.slot_bytes = found.constants["sizeof(_pending_call)"]
        if found.has("_pending_calls", "max"):
            self.set("max", 300)

    def at(self, name: str) -> int:
        return self.ring + self.layout.offset("_pending_calls", name)

    def get(self, name: str) -> int:
        return int(struct.unpack_from("<i", self.held, self.at(name))[0])

    def set(self, name: str, value: int) -> None:
        struct.pack_into("<i", self.held, self.at(name), value)

    def slot(self, number: int) -> tuple[int, int]:
        return struct.unpack_from("<QQ", self.held, self.at("calls") + number * self.slot_bytes)

    def set_slot(self, number: int, function: int, argument: int) -> None:
        struct.pack_into("<QQ", self.held, self.at("calls") + number * self.slot_bytes, function, argument)

    def run(self) -> bytes:
        """Take the first call out as the interpreter does; the code that it would run."""
        first = self.get("first")
        function, argument = self.slot(first)
        assert function == FUNCTION
        assert self.get("npending") == 1
        self.set("first", (first + 1) % self.slots)
        self.set("npending", 0)
        assert self.get("first") == self.get("next")
        return ctypes.string_at(argument)


@pytest.fixture(params=[8, 9, 11, 12, 13, 15])
def here(request: pytest.FixtureRequest) -> Here:
    return Here(request.param)


@pytest.fixture
def to() -> Iterator[TargetMemory]:
    with TargetMemory(identify(os.getpid())) as opened:
        yield opened


def call_in(here: Here, to: TargetMemory) -> PendingCall:
    return PendingCall(cast("Interpreter", here), to)


def queue(here: Here, to: TargetMemory, code: bytes = CODE) -> PendingCall:
    call = call_in(here, to)
    call.queue(code)
    if here.minor < 13:
        call.hurry(main_only=True)
    return call


def test_wherever_the_ring_begins_the_call_is_the_next(here: Here, to: TargetMemory) -> None:
    for first in range(here.slots):
        here.set("first", first)
        here.set("next", first)
        call = queue(here, to)
        assert not call.is_taken()
        assert here.run() == CODE
        assert call.is_taken()


def test_calls_of_its_own_that_come_after_it_do_not_touch_the_code(here: Here, to: TargetMemory) -> None:
    for first in range(here.slots):
        here.set("first", first)
        here.set("next", first)
        queue(here, to)
        for number in range(1, 8):
            here.set_slot((first + number) % here.slots, 0xBAD, 0xBAD)
        assert here.run() == CODE


def test_what_is_silenced_runs_nothing(here: Here, to: TargetMemory) -> None:
    call = queue(here, to)
    call.silence()
    assert ctypes.string_at(here.slot(0)[1]) == b""
    again = queue(here, to, b"other")
    assert here.get("next") == 1
    assert here.run() == b"other"
    assert again.is_taken()
    again.silence()
    assert ctypes.string_at(here.slot(0)[1]) == b"other"


def test_what_is_taken_while_it_is_taken_over_leaves_a_whole_queue(here: Here) -> None:
    with RunsMeanwhile(here) as to:
        queue(here, to, b"x" * len(CODE))
        to.armed = True
        call = queue(here, to)
        assert to.ran == b""
        assert not call.is_taken()
        assert here.run() == CODE


class RunsMeanwhile(TargetMemory):
    """The target takes its call right after the next write."""

    def __init__(self, here: Here) -> None:
        super().__init__(identify(os.getpid()))
        self.here, self.armed, self.ran = here, False, b"-"

    def write(self, address: int, content: bytes) -> None:
        super().write(address, content)
        if self.armed:
            self.armed, self.ran = False, self.here.run()


@pytest.mark.parametrize("values", [{"first": -1}, {"next": 300}, {"npending": -5}, {"first": 1 << 30}])
def test_a_queue_that_makes_no_sense_is_left_alone(here: Here, to: TargetMemory, values: dict[str, int]) -> None:
    for name, value in values.items():
        here.set(name, value)
    before = bytes(here.held)
    with pytest.raises(LayoutRefused, match="not where it is expected"):
        queue(here, to)
    assert bytes(here.held) == before


def test_calls_of_its_own_are_not_touched(here: Here, to: TargetMemory) -> None:
    here.set("npending", 1)
    with pytest.raises(LayoutRefused, match="is busy"):
        queue(here, to)
    for waiting, argument in ((1, 0xBAD), (2, here.main + here.at("calls"))):
        here.set("next", waiting)
        here.set("npending", waiting)
        here.set_slot(0, FUNCTION, argument)
        with pytest.raises(LayoutRefused, match="of its own"):
            queue(here, to)


def test_what_does_not_fit_is_refused(here: Here, to: TargetMemory) -> None:
    with pytest.raises(TooLong):
        queue(here, to, b"x" * here.slots * here.slot_bytes)
    queue(here, to, b"short")
    with pytest.raises(TooLong):
        queue(here, to, b"x" * 100)


def test_an_interpreter_that_offers_no_such_function_is_refused(here: Here, to: TargetMemory) -> None:
    here.binary.offers = False
    with pytest.raises(LayoutRefused, match="does not offer PyRun_SimpleString"):
        call_in(here, to)


def test_nonsense_is_refused_or_harmless(here: Here, to: TargetMemory) -> None:
    """Whatever stands there, nothing but the ring and what belongs to it is written to."""
    chance = random.Random(here.minor)
    size = here.layout.size("_pending_calls")
    for _ in range(300):
        for name in ("first", "next", "npending"):
            here.set(name, chance.choice([0, 1, 2, here.slots - 1, here.slots, -1, chance.randrange(-(2**31), 2**31)]))
        here.set_slot(0, chance.choice([0, FUNCTION]), chance.randrange(here.main, here.main + size))
        around = here.held.raw[: here.ring], here.held.raw[here.ring + size :]
        with suppress(LayoutRefused, TooLong):
            call_in(here, to).queue(CODE)
        assert (here.held.raw[: here.ring], here.held.raw[here.ring + size :]) == around
