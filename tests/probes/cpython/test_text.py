"""str objects and C strings made by hand in this very process, read as those of a target."""

from __future__ import annotations

import ctypes
import mmap
import os
import random
import struct
from collections.abc import Iterator
from typing import cast

import pytest

from memdash.errors import BadRead
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.layouts import Layout, load, minors
from memdash.probes.cpython.text import Text, read_c_string
from memdash.process.memory import ProcessMemory
from tests.probes.cpython.handmade import STR_TYPE, Exports, Here


@pytest.fixture(params=minors(), ids=lambda minor: f"3.{minor}")
def here(request: pytest.FixtureRequest) -> Iterator[Here]:
    layout = load(request.param)
    assert layout is not None
    made = Here(layout, Exports({"PyUnicode_Type": STR_TYPE}))
    yield made
    made.memory.close()


def made(layout: Layout, text: str, *, kind_of_object: int = STR_TYPE, length: int | None = None) -> bytes:
    """A compact str as PyUnicode_New lays it out."""
    width = 1 if max(text, default="a") < "\x80" or max(text) <= "\xff" else 2 if max(text) <= "\uffff" else 4
    state = width << layout.constants["PyASCIIObject.state.kind shift"]
    state |= 1 << layout.constants["PyASCIIObject.state.compact shift"]
    state |= text.isascii() << layout.constants["PyASCIIObject.state.ascii shift"]
    head = bytearray(layout.size("PyASCIIObject" if text.isascii() else "PyCompactUnicodeObject"))
    struct.pack_into("<QQ", head, 0, 1, kind_of_object)
    struct.pack_into("<q", head, layout.offset("PyASCIIObject", "length"), len(text) if length is None else length)
    struct.pack_into("<I", head, layout.offset("PyASCIIObject", "state"), state)
    encoding = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}[width]
    return bytes(head) + text.encode(encoding, "surrogatepass") + bytes(width)


def read(here: Here, content: bytes) -> str:
    held = ctypes.create_string_buffer(content, len(content))
    return Text(cast("Interpreter", here)).read(ctypes.addressof(held))


@pytest.mark.parametrize("text", ["", "app.py", "ümläut.py", "日本.py", "🐍.py", "lone\udcff.py"])
def test_a_str_is_read_whatever_its_characters(here: Here, text: str) -> None:
    assert read(here, made(here.layout, text)) == text


def test_a_long_str_is_cut_off(here: Here) -> None:
    assert read(here, made(here.layout, "a" * 9000)) == "a" * 4096


def test_what_is_no_str_is_refused(here: Here) -> None:
    for content in (
        made(here.layout, "a", kind_of_object=STR_TYPE + 8),
        made(here.layout, "a", length=-1),
        bytes(64),
        made(here.layout, "🐍").replace("🐍".encode("utf-32-le"), b"\xff\xff\xff\xff"),
    ):
        with pytest.raises(BadRead, match="no str"):
            read(here, content)


def test_no_content_raises_anything_else(here: Here) -> None:
    dice = random.Random(1)
    whole = made(here.layout, "日本" * 20)
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(dice.randrange(1, 8)):
            content[dice.randrange(8, len(content))] = dice.randrange(256)
        try:
            read(here, bytes(content))
        except BadRead:
            continue


def test_a_c_string_ends_at_its_nul_and_before_an_unmapped_page() -> None:
    with ProcessMemory(os.getpid()) as memory:
        held = ctypes.create_string_buffer(b"x" * 300 + b"\0rest")
        assert read_c_string(memory, ctypes.addressof(held)) == b"x" * 300
        pages = mmap.mmap(-1, 2 * mmap.PAGESIZE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
        libc = ctypes.CDLL(None)
        libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        assert libc.mprotect(start + mmap.PAGESIZE, mmap.PAGESIZE, 0) == 0
        at = mmap.PAGESIZE - 5
        pages[at : at + 5] = b"tail\0"
        assert read_c_string(memory, start + at) == b"tail"
        pages[at : at + 5] = b"tails"
        with pytest.raises(BadRead):
            read_c_string(memory, start + at)


def test_a_c_string_without_end_is_cut_off() -> None:
    with ProcessMemory(os.getpid()) as memory:
        held = ctypes.create_string_buffer(b"x" * 9000)
        assert read_c_string(memory, ctypes.addressof(held)) == b"x" * 4096
