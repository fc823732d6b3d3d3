import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memdash.errors import BadRead
from memdash.process.dwarf import Dwarf, structs
from memdash.process.elf import Elf
from memdash.process.struct_type import StructType

NAME, SIZE, VALUE, TYPE, LOCATION = 0x03, 0x0B, 0x1C, 0x49, 0x38
DATA1, DATA2, STRING, UDATA, SDATA, REF_ADDR, IMPLICIT = 0x0B, 0x05, 0x08, 0x0F, 0x0D, 0x10, 0x21

ABBREVIATIONS = b"".join(
    [
        bytes([1, 0x11, 1, NAME, STRING, 0, 0]),  # compile unit
        bytes([2, 0x13, 1, NAME, STRING, SIZE, UDATA, 0, 0]),  # struct
        bytes([3, 0x0D, 0, NAME, STRING, LOCATION, UDATA, TYPE, REF_ADDR, 0, 0]),  # member
        bytes([4, 0x27, 0, NAME, STRING, VALUE, SDATA, 0, 0]),  # constant
        bytes([5, 0x2E, 0, NAME, STRING, 0, 0]),  # function
        bytes([6, 0x27, 0, NAME, STRING, VALUE, IMPLICIT, 0x7D, 0, 0]),  # constant -3, implied
        bytes([7, 0x13, 0, NAME, STRING, SIZE, DATA2, 0, 0]),  # struct without members
        bytes([8, 0x0A, 0, 0, 0]),  # an entry without attributes
        b"\0",
    ]
)


def entry(code: int, name: str, values: bytes = b"") -> bytes:
    return bytes([code]) + name.encode() + b"\0" + values


NO_TYPE, END = bytes(4), b"\0"
HELD = b"".join(
    [
        entry(5, "main.point"),
        entry(2, "main.point", b"\x90\x01"),
        entry(3, "x", b"\x00" + NO_TYPE),
        bytes([8]),
        entry(3, "far", b"\x88\x01" + NO_TYPE),
        END,
        entry(4, "main.below", b"\x7f"),
        entry(4, "main.belowest", b"\x80\x7f"),
        entry(6, "main.implied"),
        entry(7, "main.empty", b"\x34\x12"),
        END,
    ]
)


class InMemory(Elf):
    """An executable that is only its DWARF."""

    def __init__(self, info: bytes | None, abbreviations: bytes | None = ABBREVIATIONS) -> None:
        self.held = {".debug_info": info, ".debug_abbrev": abbreviations}

    def section_bytes(self, name: str) -> bytes | None:
        return self.held[name]


def unit(version: int, content: bytes, abbreviations_at: int = 0) -> bytes:
    head = struct.pack("<BBI", 1, 8, abbreviations_at) if version >= 5 else struct.pack("<IB", abbreviations_at, 8)
    content = b"\1unit\0" + content
    return struct.pack("<IH", 2 + len(head) + len(content), version) + head + content


@pytest.fixture(params=[4, 5])
def dwarf(request: pytest.FixtureRequest) -> Dwarf:
    """Two units, of which the second holds the entries."""
    return Dwarf(InMemory(unit(4, b"\0") + unit(request.param, HELD)))


def test_a_struct_has_its_size_and_members(dwarf: Dwarf) -> None:
    assert dwarf.struct("main.point") == StructType(144, {"x": 0, "far": 136})
    assert dwarf.struct("main.empty") == StructType(0x1234, {})


def test_only_whole_names_of_the_right_kind_count(dwarf: Dwarf) -> None:
    assert dwarf.struct("main.poin") is None
    assert dwarf.struct("ain.point") is None
    assert dwarf.struct("main.below") is None
    assert dwarf.constant("main.point") is None


def test_constants_are_signed_and_found_by_prefix(dwarf: Dwarf) -> None:
    assert dwarf.constant("main.below") == -1
    assert dwarf.constant("main.implied") == -3
    assert dwarf.constants("main.below") == {"main.below": -1, "main.belowest": -128}


def test_structs_leaves_out_what_is_not_there() -> None:
    assert structs(InMemory(unit(5, HELD)), ["main.point", "main.none"]) == {
        "main.point": StructType(144, {"x": 0, "far": 136})
    }


def test_each_unit_uses_its_own_abbreviations() -> None:
    shifted = b"\0" * 3 + ABBREVIATIONS
    assert Dwarf(InMemory(unit(5, HELD, 3), shifted)).constant("main.below") == -1


@pytest.mark.parametrize("elf", [InMemory(None), InMemory(b"", None)])
def test_without_dwarf_it_says_so(elf: Elf) -> None:
    with pytest.raises(BadRead, match="holds no DWARF"):
        Dwarf(elf)


@pytest.mark.parametrize(
    ("info", "why"),
    [(b"\1\0\0", "cut short"), (b"\xff\xff\xff\xff" + bytes(12), "64-bit offsets")],
)
def test_a_form_of_dwarf_that_is_not_understood_is_refused(info: bytes, why: str) -> None:
    with pytest.raises(BadRead, match=why):
        Dwarf(InMemory(info))


def test_a_struct_that_is_cut_short_is_refused() -> None:
    whole = unit(5, HELD)
    with pytest.raises(BadRead, match=r"main\.point does not add up"):
        Dwarf(InMemory(whole[: whole.index(b"far")])).struct("main.point")


def mutated() -> Iterable[st.SearchStrategy[bytes]]:
    for good in (unit(5, HELD), ABBREVIATIONS):
        yield st.builds(
            lambda at, value, good=good: good[:at] + bytes([value]) + good[at + 1 :],
            st.integers(0, len(good) - 1),
            st.integers(0, 255),
        )


@given(*mutated())
def test_rubbish_is_read_or_refused_but_never_more(info: bytes, abbreviations: bytes) -> None:
    try:
        dwarf = Dwarf(InMemory(info, abbreviations))
        dwarf.struct("main.point")
        dwarf.constants("main.")
    except BadRead:
        pass
