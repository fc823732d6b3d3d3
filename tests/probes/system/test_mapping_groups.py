"""Mappings by what they are of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memdash.model.residence import MappingGroup, MappingKind
from memdash.probes.system import mapping_groups
from memdash.probes.system.mapping_groups import Grouping
from memdash.process.smaps import Mapping

PAGE = 4096
EXE = "/srv/shop-server"
HIGH = 0x7F10_0000_0000
ARENA = 64 << 20


def a_mapping(
    start: int, pages: int, name: bytes = b"", permissions: bytes = b"rw-p", rss: int | None = None
) -> Mapping:
    """Of so many pages, all of them resident unless told."""
    held = PAGE * (pages if rss is None else rss)
    return Mapping(start, start + PAGE * pages, permissions, name, held, held, held, held, 0)


def grouped(*mappings: Mapping, exe: str = EXE, stacks: tuple[int, ...] = ()) -> tuple[MappingGroup, ...]:
    grouping = Grouping(exe, stacks)
    for mapping in mappings:
        grouping.add(mapping)
    assert grouping.total == len(mappings)
    return grouping.groups()


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        (b"/srv/shop-server", MappingKind.PROGRAM, "/srv/shop-server"),
        (b"/srv/shop-server (deleted)", MappingKind.PROGRAM, "/srv/shop-server (deleted)"),
        (b"/srv/data.db", MappingKind.FILE, "/srv/data.db"),
        (b"/dev/shm/prices", MappingKind.SHARED, "/dev/shm/prices"),  # noqa: S108 - nobody opens it
        (b"/memfd:jit (deleted)", MappingKind.SHARED, "/memfd:jit (deleted)"),
        (b"/dev/zero (deleted)", MappingKind.SHARED, "/dev/zero (deleted)"),
        (b"/SYSV00000000 (deleted)", MappingKind.SHARED, "/SYSV00000000 (deleted)"),
        (b"[anon_shmem:pool]", MappingKind.SHARED, "[anon_shmem:pool]"),
        (b"[heap]", MappingKind.MALLOC, "[heap]"),
        (b"[anon:glibc: malloc arena]", MappingKind.MALLOC, "glibc: malloc arena"),
        (b"[stack]", MappingKind.STACK, "[stack]"),
        (b"[anon:glibc: pthread stack: 71]", MappingKind.STACK, "glibc: pthread stack: 71"),
        (b"[anon: Go: heap]", MappingKind.ANONYMOUS, "Go: heap"),
        (b"[anon:cpython:pymalloc]", MappingKind.ANONYMOUS, "cpython:pymalloc"),
        (b"[vdso]", MappingKind.KERNEL, "[vdso]"),
        (b"/srv/\xff\x1b[2J", MappingKind.FILE, "/srv/\\xff\x1b[2J"),
    ],
)
def test_names_tell_kinds(name: bytes, kind: MappingKind, shown: str) -> None:
    (group,) = grouped(a_mapping(PAGE, 3, name))
    assert (group.kind, group.name) == (kind, shown)
    assert (group.start, group.end) == (0, 0)


def test_a_program_in_a_memfd_is_the_program() -> None:
    (group,) = grouped(a_mapping(PAGE, 3, b"/memfd:app (deleted)"), exe="/memfd:app (deleted)")
    assert group.kind is MappingKind.PROGRAM


def test_a_program_that_the_kernel_does_not_name_is_the_lowest_file_with_its_variables() -> None:
    program, lib = EXE.encode(), b"/usr/lib/libc.so.6"
    mappings = (
        a_mapping(PAGE, 1, program, b"r--p"), a_mapping(2 * PAGE, 1, program, b"r-xp"), a_mapping(3 * PAGE, 1, program),
        a_mapping(4 * PAGE, 9), a_mapping(HIGH, 2, lib, b"r-xp"),
    )  # fmt: skip
    assert grouped(*mappings, exe="") == grouped(*mappings)
    assert [(group.kind, group.rss_bytes // PAGE) for group in grouped(*mappings, exe="")] == [
        (MappingKind.PROGRAM, 12), (MappingKind.LIBRARY, 2),
    ]  # fmt: skip


def test_a_file_without_code_is_no_program() -> None:
    (group,) = grouped(a_mapping(PAGE, 3, b"/srv/data.db"), exe="")
    assert group.kind is MappingKind.FILE


def test_a_file_with_code_in_it_is_a_library_with_all_its_pieces() -> None:
    lib = b"/usr/lib/libc.so.6"
    (group,) = grouped(
        a_mapping(PAGE, 2, lib, b"r--p"), a_mapping(3 * PAGE, 9, lib, b"r-xp", rss=0), a_mapping(20 * PAGE, 1, lib)
    )
    assert (group.kind, group.pieces, group.rss_bytes) == (MappingKind.LIBRARY, 2, 3 * PAGE)


def test_variables_that_begin_at_zero_belong_to_the_program() -> None:
    groups = grouped(
        a_mapping(PAGE, 1, EXE.encode()), a_mapping(2 * PAGE, 50), a_mapping(52 * PAGE, 7), a_mapping(99 * PAGE, 1)
    )
    assert [(g.kind, g.rss_bytes // PAGE) for g in groups] == [
        (MappingKind.PROGRAM, 51),
        (MappingKind.ANONYMOUS, 7),
        (MappingKind.ANONYMOUS, 1),
    ]


def test_what_follows_a_library_may_be_anything() -> None:
    groups = grouped(a_mapping(PAGE, 1, b"/usr/lib/libc.so.6", b"rw-p"), a_mapping(2 * PAGE, 50))
    assert [g.kind for g in groups] == [MappingKind.ANONYMOUS, MappingKind.FILE]


def test_memory_with_a_stack_pointer_in_it_is_a_stack() -> None:
    low, high = HIGH, HIGH + (1 << 30)
    pointers = (low + 5 * PAGE, high + 8 * PAGE)
    groups = grouped(
        a_mapping(low, 8),
        a_mapping(low + 8 * PAGE, 7),
        a_mapping(high, 8),
        a_mapping(high + 8 * PAGE, 6, permissions=b"r-xp"),
        stacks=pointers,
    )
    assert [g.kind for g in groups] == [MappingKind.STACK] + 3 * [MappingKind.ANONYMOUS]
    assert (groups[0].start, groups[0].end) == (low, low + 8 * PAGE)


def test_a_heap_with_stacks_in_it_is_no_stack() -> None:
    """That of Go: its threads run on stacks of goroutines."""
    (group,) = grouped(a_mapping(0xC0_0000_0000, 900), stacks=(0xC0_0000_8000,))
    assert group.kind is MappingKind.ANONYMOUS


@pytest.mark.parametrize(
    ("start", "reserved_up_to", "permissions", "kind"),
    [
        (HIGH, HIGH + ARENA, b"---p", MappingKind.MALLOC),
        (HIGH, HIGH + ARENA - PAGE, b"---p", MappingKind.ANONYMOUS),
        (HIGH, HIGH + ARENA, b"r--p", MappingKind.ANONYMOUS),
        (HIGH + PAGE, HIGH + ARENA, b"---p", MappingKind.ANONYMOUS),
        (0xC0_0000_0000, 0xC0_0000_0000 + ARENA, b"---p", MappingKind.ANONYMOUS),
    ],
)
def test_an_arena_of_malloc_is_reserved_to_its_end(
    start: int, reserved_up_to: int, permissions: bytes, kind: MappingKind
) -> None:
    used = a_mapping(start, 33)
    reserved = Mapping(used.end, reserved_up_to, permissions, b"")
    (group,) = grouped(used, reserved)
    assert (group.kind, group.start) == (kind, start)


def test_the_last_mapping_may_look_like_an_arena() -> None:
    (group,) = grouped(a_mapping(HIGH, 33))
    assert group.kind is MappingKind.ANONYMOUS


def test_of_very_many_the_largest_stand_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping_groups, "_MOST_SINGLES", 3)
    sizes = (2, 9, 1, 7, 2, 8)
    *single, rest = grouped(*(a_mapping((100 * n + 1) * PAGE, size) for n, size in enumerate(sizes)))
    assert [g.rss_bytes // PAGE for g in single] == [9, 8, 7]
    assert (rest.pieces, rest.rss_bytes // PAGE, rest.start, rest.end) == (3, 5, 0, 0)


def test_names_beyond_what_can_be_kept_are_summed_up_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping_groups, "_MOST_NAMES", 2)
    groups = grouped(*(a_mapping((9 * n + 1) * PAGE, 7 - 2 * n, b"/f%d" % n) for n in range(4)))
    assert [(g.name, g.rss_bytes // PAGE, g.pieces) for g in groups] == [("/f0", 7, 1), ("/f1", 5, 1), ("", 4, 2)]


mappings = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(1, 40),
        st.integers(0, 40),
        st.sampled_from([b"", b"", EXE.encode(), b"[heap]", b"/a", b"[anon: Go: x]"]),
        st.sampled_from([b"rw-p", b"---p", b"r-xp", b"rw-s"]),
    ),
    max_size=60,
)


@given(mappings, st.lists(st.integers(HIGH, HIGH + (1 << 20)), max_size=5), st.sampled_from([1, 2, 512]))
def test_nothing_is_lost(rows: list[tuple[int, int, int, bytes, bytes]], stacks: list[int], most: int) -> None:
    at, made = HIGH, []
    for gap, pages, rss, name, permissions in rows:
        at += gap * PAGE
        made.append(a_mapping(at, pages, name, permissions, rss))
        at += pages * PAGE
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapping_groups, "_MOST_SINGLES", most)
        groups = grouped(*made, stacks=tuple(sorted(stacks)))
    assert sum(g.rss_bytes for g in groups) == sum(m.rss_bytes for m in made)
    assert sum(g.pieces for g in groups) == sum(bool(m.rss_bytes) for m in made)
