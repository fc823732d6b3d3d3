import subprocess
import sys
from pathlib import Path

import pytest

from memdash.probes.go.layouts import Layout, Recipe, load, minors
from memdash.probes.go.layouts.files import FOLDER, dump
from memdash.process.struct_type import StructType

# Sizes of structs that a release changed, read from those releases' DWARF by another tool.
SIZES = {
    "mstats": {21: 9040, 22: 7744, 23: 7744, 24: 7744, 25: 8264, 26: 10440, 27: 10440},
    "heapStatsDelta": {21: 1176, 22: 1176, 23: 1176, 24: 1176, 25: 1168, 26: 1168, 27: 1168},
    "mheap": {21: 92792, 22: 92856, 23: 92928, 24: 93008, 25: 93320, 26: 93464, 27: 93464},
    "mcache": {21: 1200, 22: 1200, 23: 1200, 24: 1208, 25: 1208, 26: 2296, 27: 2296},
    "mspan": {21: 168, 22: 160, 23: 160, 24: 160, 25: 160, 26: 160, 27: 160},
    "p": {21: 8912, 22: 8944, 23: 8944, 24: 8952, 25: 9512, 26: 15920, 27: 15920},
    "g": {21: 408, 22: 424, 23: 432, 24: 440, 25: 440, 26: 456, 27: 456},
    "memRecord": {21: 128, 22: 128, 23: 128, 24: 128, 25: 128, 26: 128, 27: 64},
}
ESSENTIAL = (
    "memstats gcController work gcphase mheap_ emptymspan allp gomaxprocs mbuckets mProfCycle MemProfileRate "
    "persistentChunks allglen allgptr sched buildVersion waitReasonStrings"
)


def layout(minor: int) -> Layout:
    found = load(minor)
    assert found is not None
    return found


def test_there_is_a_file_for_each_minor_we_promise() -> None:
    assert minors() == (19, 21, 22, 23, 24, 25, 26, 27)
    assert load(20) is None


@pytest.mark.parametrize("name", SIZES)
def test_struct_sizes_are_those_another_reader_found(name: str) -> None:
    assert {minor: layout(minor).structs[name].size for minor in SIZES[name]} == SIZES[name]


@pytest.mark.parametrize("minor", minors())
class TestEveryFile:
    def test_comes_from_a_release_of_its_minor(self, minor: int) -> None:
        assert layout(minor).go_version.startswith(f"go1.{minor}.")

    def test_leads_to_every_global_in_two_ways_at_least(self, minor: int) -> None:
        recipes = layout(minor).recipes
        assert {name for name in ESSENTIAL.split() if len(recipes[name]) < 2} == set()

    def test_has_plausible_recipes(self, minor: int) -> None:
        for rows in layout(minor).recipes.values():
            assert len(set(rows)) == len(rows)
            for recipe in rows:
                assert recipe.function.startswith(("runtime.", "internal/runtime/"))
                assert recipe.offset >= len(recipe.opcode) >= 2
                assert recipe.tail in {4, 5, 6, 8}
                assert recipe.addend >= 0
                assert recipe.opcode[-1] & 0xC7 == 5  # relative to the instruction pointer

    def test_keeps_members_inside_their_struct(self, minor: int) -> None:
        for kind in layout(minor).structs.values():
            assert list(kind.offsets.values()) == sorted(kind.offsets.values())
            assert all(0 <= at <= kind.size for at in kind.offsets.values())

    def test_knows_the_size_classes(self, minor: int) -> None:
        sizes = layout(minor).size_classes
        assert len(sizes) == layout(minor).constants["_NumSizeClasses"] == 68
        assert (sizes[0], sizes[1], sizes[-1]) == (0, 8, 32768)
        assert list(sizes) == sorted(sizes)

    def test_names_wait_reasons_by_number(self, minor: int) -> None:
        reasons = layout(minor).wait_reasons
        assert reasons[:2] == ("Zero", "GCAssistMarking")
        assert "" not in reasons

    def test_is_written_back_byte_for_byte(self, minor: int, tmp_path: Path) -> None:
        written = dump(layout(minor), minor, tmp_path)
        assert written.read_bytes() == (FOLDER / written.name).read_bytes()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    made = Layout(
        go_version="go1.99.1",
        structs={"a": StructType(16, {"x": 0, "y": 8}), "empty": StructType(0, {})},
        constants={"c": -1},
        wait_reasons=("Zero",),
        size_classes=(0, 8),
        recipes={"g": (Recipe("runtime.f", 3, 4, 8, b"\x48\x8b\x05"),), "none": ()},
    )
    dump(made, 99, tmp_path)
    assert load(99, tmp_path) == made


def test_loading_needs_nothing_of_the_generator() -> None:
    code = "import sys; from memdash.probes.go.layouts import load; load(27); print('capstone' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
