"""The function table, made by hand: both formats, inlined calls, half a million functions, and damage."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memdash.errors import BadRead, MemdashError, UnsupportedRuntime
from memdash.probes.go.pclntab import Pclntab, Span
from tests.handmade import DATA_ADDRESS, ElfFile, GoFunction, pclntab
from tests.probes.go.conftest import ElfOf

FUNCTIONS = (
    GoFunction("internal/cpu.Initialize", 16, "cpu.go"),
    GoFunction("runtime.mallocgc", 64, "malloc.go", lines=[(900, 20), (905, 40), (903, 4)]),
    GoFunction("runtime.gcStart", 48, "mgc.go", lines=[(10, 48)], inlined=[(8, 16, "runtime.lock"), (16, 20, "os.x")]),
    GoFunction("main.main[go.shape.int]", 300, "/src/with space/main.go", lines=[(70_000, 299), (1, 1)]),
)

both_formats = pytest.mark.parametrize("is_1_20", [True, False], ids=["1.20", "1.18"])


def table(*functions: GoFunction, is_1_20: bool = True) -> Pclntab:
    return Pclntab(0x1000, memoryview(pclntab(functions or FUNCTIONS, is_1_20=is_1_20)[0]))


@both_formats
def test_finds_functions_of_the_runtime_by_name(is_1_20: bool) -> None:
    spans = table(is_1_20=is_1_20).spans(["runtime.mallocgc", "runtime.gcStart", "runtime.absent"])
    assert spans == {"runtime.mallocgc": Span(16, 64), "runtime.gcStart": Span(80, 48)}


@both_formats
def test_lists_all_functions(is_1_20: bool) -> None:
    assert list(table(is_1_20=is_1_20).functions()) == [
        ("internal/cpu.Initialize", Span(0, 16)),
        ("runtime.mallocgc", Span(16, 64)),
        ("runtime.gcStart", Span(80, 48)),
        ("main.main[go.shape.int]", Span(128, 300)),
    ]


@both_formats
@pytest.mark.parametrize(
    ("offset", "where"),
    [
        (0, ("internal/cpu.Initialize", "cpu.go", 1)),
        (16, ("runtime.mallocgc", "malloc.go", 900)),
        (35, ("runtime.mallocgc", "malloc.go", 900)),
        (36, ("runtime.mallocgc", "malloc.go", 905)),
        (79, ("runtime.mallocgc", "malloc.go", 903)),
        (80, ("runtime.gcStart", "mgc.go", 10)),
        (426, ("main.main[go.shape.int]", "/src/with space/main.go", 70_000)),
        (427, ("main.main[go.shape.int]", "/src/with space/main.go", 1)),
    ],
)
def test_function_file_and_line_of_a_program_counter(is_1_20: bool, offset: int, where: tuple[str, str, int]) -> None:
    functions = table(is_1_20=is_1_20)
    function = functions.function_at(offset)
    assert function is not None
    file = functions.value(function.files, function.entry, offset)
    line = functions.value(function.lines, function.entry, offset)
    assert (functions.name(function.name), functions.file(function, file), line) == where


@pytest.mark.parametrize("offset", [-1, 428, 1 << 40])
def test_outside_of_the_text_there_is_no_function(offset: int) -> None:
    assert table().function_at(offset) is None


@both_formats
@pytest.mark.parametrize(
    ("offset", "name"), [(87, None), (88, "runtime.lock"), (95, "runtime.lock"), (96, "os.x"), (100, None)]
)
def test_inlined_calls(is_1_20: bool, offset: int, name: str | None) -> None:
    content, trees = pclntab(FUNCTIONS, is_1_20=is_1_20)
    functions = Pclntab(0, memoryview(content))
    function = functions.function_at(offset)
    assert function is not None
    assert function.inline_tree is not None
    index = functions.value(function.inline_indexes, function.entry, offset)
    if name is None:
        assert index == -1
        return
    at = function.inline_tree + index * functions.inlined_call_bytes
    call = functions.inlined_call(trees[at : at + functions.inlined_call_bytes])
    assert functions.name(call.name) == name


def test_a_function_without_inlined_calls_has_no_tree() -> None:
    function = table().function_at(20)
    assert function is not None
    assert function.inline_tree is None


def test_the_search_for_the_runtime_ends_long_before_the_table() -> None:
    """Functions of one package stand together: what follows, here rows of rubbish, is never looked at."""
    functions = [GoFunction("runtime.wanted"), *[GoFunction("main.f")] * 4100]
    content = bytearray(pclntab(functions)[0])
    rows = memoryview(content)[int.from_bytes(content[64:72], "little") :].cast("I")
    for i in range(4050, 4101):
        rows[2 * i + 1] = 0xFFFF_FFF0
    beyond = Pclntab(0, memoryview(content))
    assert beyond.spans(["runtime.wanted", "runtime.absent"]) == {"runtime.wanted": Span(0, 32)}
    with pytest.raises(BadRead):
        beyond.function_at(4060 * 32)


@pytest.mark.parametrize(
    ("at", "value", "error", "says"),
    [
        (0, 0xFA, UnsupportedRuntime, "Go 1.18 or later"),
        (7, 4, UnsupportedRuntime, "32-bit"),
        (8, 0xFF, BadRead, "cut short"),
        (32, 0x47, BadRead, "makes no sense"),
        (66, 0xFF, BadRead, "makes no sense"),
    ],
)
def test_a_header_that_is_not_ours(at: int, value: int, error: type[MemdashError], says: str) -> None:
    content = bytearray(pclntab(FUNCTIONS)[0])
    content[at] = value
    with pytest.raises(error, match=says):
        Pclntab(0, memoryview(content))


def test_a_header_cut_short() -> None:
    with pytest.raises(BadRead, match="cut short"):
        Pclntab(0, memoryview(pclntab(FUNCTIONS)[0])[:40])


SOUND = pclntab(FUNCTIONS)[0]


@settings(max_examples=300, deadline=None)
@given(
    edits=st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=8),
    offset=st.integers(0, 427),
)
def test_no_damage_brings_an_error_of_another_kind(edits: list[tuple[int, int]], offset: int) -> None:
    content = bytearray(SOUND)
    for at, value in edits:
        content[at] = value
    with contextlib.suppress(MemdashError):
        functions = Pclntab(0, memoryview(content))
        with contextlib.suppress(MemdashError):
            functions.spans(["runtime.gcStart", "runtime.absent"])
        function = functions.function_at(offset)
        if function is not None:
            functions.name(function.name)
            functions.value(function.lines, function.entry, offset)
            functions.file(function, functions.value(function.files, function.entry, offset))


BEFORE = b"\xff\xff\xff\xff\0\0\1\x08 no table, although it looks like one    "
PLACE = DATA_ADDRESS + len(BEFORE)


@pytest.mark.parametrize(
    "file",
    [
        ElfFile(data=BEFORE + SOUND, placed={".gopclntab": (PLACE, len(SOUND))}),
        ElfFile(data=BEFORE + SOUND, placed={".data.rel.ro.gopclntab": (PLACE, len(SOUND))}),
        ElfFile(data=BEFORE + SOUND, placed={".data.rel.ro": (DATA_ADDRESS, len(BEFORE + SOUND))}),
        ElfFile(data=BEFORE + SOUND, has_sections=False),
        ElfFile(text=BEFORE + SOUND, data=b"", has_sections=False),
    ],
    ids=["section", "PIE", "external PIE", "no section headers", "no section headers, in the text"],
)
def test_finds_the_table_of_an_executable(elf_of: ElfOf, file: ElfFile) -> None:
    found = Pclntab.find(elf_of(file))
    assert found is not None
    assert found.count == len(FUNCTIONS)
    assert found.address == (PLACE if file.data else 0x401000 + len(BEFORE))


@pytest.mark.parametrize("has_sections", [True, False])
def test_what_has_no_table_is_not_go(elf_of: ElfOf, has_sections: bool) -> None:
    assert Pclntab.find(elf_of(ElfFile(data=BEFORE, has_sections=has_sections))) is None
