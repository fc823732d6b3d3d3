"""Executables, sound and hostile."""

import contextlib
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memdash.errors import BadRead, MemdashError, TargetExited, UnsupportedRuntime
from memdash.process.elf import Elf, Note, Symbol
from tests.handmade import DATA_ADDRESS, TEXT_ADDRESS, ElfFile

COMPRESSED = 0x800


def deflated(content: bytes, method: int = 1, size: int | None = None) -> bytes:
    return struct.pack("<IIQQ", method, 0, len(content) if size is None else size, 1) + zlib.compress(content)


SOUND = ElfFile(
    text=b"code" * 16,
    data=b"some data " * 10,
    sections={
        ".plain": (b"as it is", 0),
        ".debug_info": (deflated(b"x" * 5000), COMPRESSED),
        ".bad_method": (deflated(b"x", method=2), COMPRESSED),
        ".bad_size": (deflated(b"xyz", size=2), COMPRESSED),
        ".short": (b"tiny", COMPRESSED),
    },
    symbols={
        "runtime.memstats": (DATA_ADDRESS, 24, 1),
        "runtime.undefined": (0, 0, 0),
        "os.runtime.tail": (TEXT_ADDRESS, 8, 1),
    },
    notes=[(b"Go\0\0", 4, b"build/id"), (b"GNU\0", 3, b"\1\2\3")],
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], Path]:
    def write_to_file(content: bytes) -> Path:
        path = tmp_path / "program"
        path.write_bytes(content)
        return path

    return write_to_file


@pytest.fixture
def elf(write: Callable[[bytes], Path]) -> Elf:
    return Elf(write(SOUND.to_bytes()))


def test_headers(elf: Elf) -> None:
    assert elf.machine == 62
    assert elf.entry_address == TEXT_ADDRESS
    code, data, note = elf.segments
    assert (code.is_loaded, code.is_writable, code.address) == (True, False, TEXT_ADDRESS)
    assert (data.is_loaded, data.is_writable, data.memory_bytes - data.file_bytes) == (True, True, 32)
    assert not note.is_loaded
    assert elf.sections.keys() >= {".plain", ".symtab", ".strtab", ".shstrtab"}


def test_reads_by_address(elf: Elf) -> None:
    assert elf.read(TEXT_ADDRESS + 4, 6) == b"codeco"
    assert bytes(elf.view(DATA_ADDRESS, 4)) == b"some"
    assert bytes(elf.tail(DATA_ADDRESS + 95)) == b"data "


@pytest.mark.parametrize("address", [0, TEXT_ADDRESS - 1, TEXT_ADDRESS + 64, DATA_ADDRESS + 100, 2**64, -1])
def test_what_the_file_does_not_hold_is_a_bad_read(elf: Elf, address: int) -> None:
    with pytest.raises(BadRead, match="holds no"):
        elf.read(address, 1)
    with pytest.raises(BadRead, match="holds nothing"):
        elf.tail(address)


def test_a_read_does_not_reach_beyond_its_segment(elf: Elf) -> None:
    with pytest.raises(BadRead):
        elf.read(TEXT_ADDRESS + 60, 5)


def test_search_finds_every_place(elf: Elf) -> None:
    assert list(elf.search(b"code", elf.segments[0])) == list(range(TEXT_ADDRESS, TEXT_ADDRESS + 64, 4))
    assert list(elf.search(b"code", elf.segments[1])) == []


def test_sections(elf: Elf) -> None:
    assert elf.section_bytes(".plain") == b"as it is"
    assert elf.section_bytes(".debug_info") == b"x" * 5000
    assert elf.section_bytes(".nowhere") is None


@pytest.mark.parametrize("name", [".bad_method", ".bad_size", ".short"])
def test_a_section_that_does_not_inflate_is_a_bad_read(elf: Elf, name: str) -> None:
    with pytest.raises(BadRead, match=name):
        elf.section_bytes(name)


def test_symbols(elf: Elf) -> None:
    found = elf.symbols(["runtime.memstats", "runtime.undefined", "runtime.absent", "stats"])
    assert found == {"runtime.memstats": Symbol(DATA_ADDRESS, 24)}


def test_notes(elf: Elf) -> None:
    assert list(elf.notes()) == [Note(b"Go", 4, b"build/id"), Note(b"GNU", 3, b"\1\2\3")]


def test_without_section_headers_there_are_no_sections_nor_symbols(write: Callable[[bytes], Path]) -> None:
    with Elf(write(ElfFile(has_sections=False, symbols={"a": (1, 2, 1)}).to_bytes())) as elf:
        assert elf.sections == {}
        assert elf.symbols(["a"]) == {}


def test_closing_twice_and_while_a_view_is_held(elf: Elf) -> None:
    view = elf.view(TEXT_ADDRESS, 4)
    elf.close()
    elf.close()
    assert bytes(view) == b"code"


def changed(offset: int, value: int) -> bytes:
    content = bytearray(SOUND.to_bytes())
    content[offset] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"#!/bin/sh\necho hello to all of you, this is long enough for a header\n", UnsupportedRuntime, "not an ELF"),
        (b"\x7fELF", UnsupportedRuntime, "not an ELF"),
        (changed(4, 1), UnsupportedRuntime, "32-bit programs are not supported"),
        (changed(5, 2), UnsupportedRuntime, "big-endian"),
        (changed(54, 7), BadRead, "program headers"),
        (SOUND.to_bytes()[:100], BadRead, "cut short"),
        (b"", BadRead, "cannot be mapped"),
    ],
)
def test_what_cannot_be_read_says_why(
    write: Callable[[bytes], Path], content: bytes, error: type[MemdashError], says: str
) -> None:
    with pytest.raises(error, match=says):
        Elf(write(content))


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(TargetExited, match="gone"):
        Elf(tmp_path / "nothing")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(BadRead):
        Elf(tmp_path)


def test_a_file_of_somebody_else(tmp_path: Path, as_nobody: Callable[[Callable[[], str]], str]) -> None:
    path = tmp_path / "secret"
    path.write_bytes(SOUND.to_bytes())
    path.chmod(0o600)
    assert as_nobody(lambda: str(Elf(path))).startswith("AccessDenied")


def test_our_own_interpreter() -> None:
    with Elf(sys.executable) as elf:
        first = next(segment for segment in elf.segments if segment.is_loaded)
        assert elf.read(first.address, 4) == Path(sys.executable).read_bytes()[first.offset :][:4]


def questions(elf: Elf) -> Iterator[Callable[[], object]]:
    yield from (partial(elf.section_bytes, name) for name in list(elf.sections))
    for segment in elf.segments:
        yield partial(sum, elf.search(b"data", segment))
        yield partial(elf.tail, segment.address)
        yield partial(elf.read, segment.address, segment.file_bytes & 0xFFFF)
    yield lambda: list(elf.notes())
    yield partial(elf.symbols, ["runtime.memstats", "runtime.undefined"])


@example(cut=1, edits=[(79, 128)])  # a segment at 2**63
@settings(max_examples=300, deadline=None)
@given(
    cut=st.integers(0, len(SOUND.to_bytes())),
    edits=st.lists(st.tuples(st.integers(0, len(SOUND.to_bytes()) - 1), st.integers(0, 255)), max_size=12),
)
def test_no_damage_brings_an_error_of_another_kind(
    tmp_path_factory: pytest.TempPathFactory, cut: int, edits: list[tuple[int, int]]
) -> None:
    content = bytearray(SOUND.to_bytes())
    for at, value in edits:
        content[at] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content[:cut] if cut % 3 == 0 else content)
    try:
        elf = Elf(path)
    except MemdashError:
        return
    with elf:
        for question in questions(elf):
            with contextlib.suppress(MemdashError):
                question()
