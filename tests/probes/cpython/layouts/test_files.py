from pathlib import Path

import pytest

from memdash.errors import LayoutRefused
from memdash.probes.cpython.layouts import Layout, load, minors
from memdash.probes.cpython.layouts.files import FOLDER, dump
from memdash.process.struct_type import StructType

# Offsets that a release changed, compiled from those releases' headers by another program.
OFFSETS = {
    ("_PyRuntimeState", "interpreters.head"): [32, 32, 32, 40, 40, 632, 808, 936],
    ("_PyRuntimeState", "interpreters.main"): [40, 40, 40, 48, 48, 640, 816, 944],
    ("PyInterpreterState", "next"): [0, 0, 0, 0, 0, 7264, 7272, 7264],
    ("PyInterpreterState", "id"): [16, 24, 24, 48, 8, 7272, 7280, 7272],
    ("PyInterpreterState", "threads.head"): [8, 8, 8, 16, 72, 7344, 7344, 7336],
    ("_gc_runtime_state", "enabled"): [12, 12, 12, 12, 12, 12, 12, 0],
    ("_gc_runtime_state", "generations"): [24, 24, 24, 24, 24, 24, 24, 8],
    ("_gc_runtime_state", "generation_stats"): [128, 128, 128, 128, 128, 128, 120, 104],
    ("_gc_runtime_state", "collecting"): [200, 200, 200, 200, 200, 200, 192, 112],
    ("_gc_runtime_state", "long_lived_total"): [224, 224, 224, 224, 224, 224, 240, 152],
    ("_pending_calls", "next"): [540, 532, 532, 532, 540, 7228, 7228, 7228],
}
SOME_MINORS = {
    ("PyInterpreterState", "gc"): {9: 616, 10: 616, 11: 648, 12: 112, 13: 7400, 14: 7408, 15: 7400},
    ("PyInterpreterState", "obmalloc"): {12: 3960, 13: 10800, 14: 10904, 15: 10880},
    ("_gc_runtime_state", "heap_size"): {14: 216, 15: 144},
    ("_PyRuntimeState", "gc"): {8: 344},
}


def layout(minor: int) -> Layout:
    found = load(minor)
    assert found is not None
    return found


def test_there_is_a_file_for_each_minor_we_promise() -> None:
    assert minors() == tuple(range(8, 16))
    assert load(7) is None


@pytest.mark.parametrize("member", OFFSETS, ids=".".join)
def test_members_stand_where_another_program_found_them(member: tuple[str, str]) -> None:
    assert [layout(minor).offset(*member) for minor in minors()] == OFFSETS[member]


@pytest.mark.parametrize("member", SOME_MINORS, ids=".".join)
def test_members_are_in_the_minors_that_have_them(member: tuple[str, str]) -> None:
    assert {m: layout(m).offset(*member) for m in minors() if layout(m).has(*member)} == SOME_MINORS[member]


@pytest.mark.parametrize("minor", minors())
class TestEveryFile:
    def test_comes_from_a_release_of_its_minor(self, minor: int) -> None:
        assert layout(minor).version.startswith(f"3.{minor}.")

    def test_keeps_members_inside_their_struct(self, minor: int) -> None:
        for kind in layout(minor).structs.values():
            assert all(0 <= at < kind.size for at in kind.offsets.values())
            assert len(set(kind.offsets.values())) == len(kind.offsets)

    def test_knows_the_sizes_of_arenas_and_pools(self, minor: int) -> None:
        constants = layout(minor).constants
        assert (constants["ARENA_BITS"], constants["POOL_BITS"]) == ((18, 12) if minor < 10 else (20, 14))

    def test_is_written_back_byte_for_byte(self, minor: int, tmp_path: Path) -> None:
        written = dump(layout(minor), minor, tmp_path)
        assert written.read_bytes() == (FOLDER / written.name).read_bytes()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    made = Layout("3.99.1", {"a": StructType(16, {"x": 0, "y.z": 8}), "empty": StructType(0, {})}, {"C": -1})
    dump(made, 99, tmp_path)
    assert load(99, tmp_path) == made


def test_what_a_minor_lacks_is_refused_by_name() -> None:
    with pytest.raises(LayoutRefused, match=r"CPython 3\.8\.18 has no PyInterpreterState\.obmalloc"):
        layout(8).offset("PyInterpreterState", "obmalloc")
    with pytest.raises(LayoutRefused, match=r"CPython 3\.8\.18 has no gc_stats"):
        layout(8).size("gc_stats")
