"""Mappings taken together by what they are of: a file, the C library's heap, stacks, memory without a name.

The kernel names files and little else, so two kinds are told by their form: an arena that glibc's malloc gave a thread
begins at a multiple of 64 MiB and is reserved up to the next one; a thread's stack holds its stack pointer. Memory that
follows the program's own variables without a gap is more of these (.bss). Source: malloc/arena.c of glibc (new_heap).
"""

from __future__ import annotations

import heapq
import os
from bisect import bisect_left
from collections.abc import Sequence
from itertools import count

from memdash.model.residence import MappingGroup, MappingKind
from memdash.process.smaps import Mapping

__all__ = ["Grouping"]

_MOST_NAMES = 4096
_MOST_SINGLES = 512
"""So many of the mappings without a name, the largest, stand for themselves; the others are summed up by kind."""

_ARENA_BYTES = 64 << 20
_MMAP_AREA = 0x7000_0000_0000
"""Where x86-64 puts what mmap was given no address for, such as arenas and stacks.

A runtime with a heap of its own (Go) asks for lower addresses, and keeps stacks there that are none of the system's.
"""

_DELETED = b" (deleted)"
_SHARED = (b"/dev/shm/", b"/SYSV", b"/memfd:", b"/dev/zero", b"[anon_shmem:")
_MALLOC = (b"[heap]", b"[anon:glibc: malloc", b"[anon:glibc: loader malloc", b"[anon:libc_malloc", b"[anon:scudo")
_STACK = (b"[stack", b"[anon:glibc: pthread stack")
_ANON = b"[anon:"
_KINDS = (
    *((head, MappingKind.SHARED) for head in _SHARED),
    *((head, MappingKind.MALLOC) for head in _MALLOC),
    *((head, MappingKind.STACK) for head in _STACK),
    (_ANON, MappingKind.ANONYMOUS),
    (b"[", MappingKind.KERNEL),
)


class Grouping:
    """Takes in the mappings of one process in the order of their addresses. Bounded, however many there are.

    ``exe`` is the path of the program; where the kernel does not tell that (empty) it is the file that lies lowest, if
    there is code in it: the kernel loads programs below all that is mapped later. ``stack_pointers`` are ascending.
    """

    def __init__(self, exe: str, stack_pointers: Sequence[int]) -> None:
        self.total = 0
        self._exe = os.fsencode(exe).removesuffix(_DELETED)
        self._is_told = bool(exe)
        self._stack_pointers = stack_pointers
        self._by_name: dict[bytes, list[int]] = {}
        self._with_code: set[bytes] = set()
        self._singles: list[tuple[int, int, MappingGroup]] = []
        self._number = count()
        self._rest: dict[MappingKind, list[int]] = {}
        self._before = Mapping(0, 0, b"----", b"")
        self._undecided: Mapping | None = None

    def add(self, mapping: Mapping) -> None:
        """Take in the next one."""
        self.total += 1
        if (arena := self._undecided) is not None:
            self._undecided = None
            self._add_single(arena, MappingKind.MALLOC if _ends_arena(arena, mapping) else MappingKind.ANONYMOUS)
        name = mapping.name
        if not self._exe and name.startswith(b"/"):
            self._exe = name.removesuffix(_DELETED)
        if mapping.permissions[2:3] == b"x" and name and len(self._with_code) < _MOST_NAMES:
            self._with_code.add(name)
        if mapping.rss_bytes or mapping.swap_bytes:
            if name:
                self._add_named(name, mapping)
            elif self._is_bss(mapping):
                self._add_named(self._before.name, mapping)
            elif self._is_stack(mapping):
                self._add_single(mapping, MappingKind.STACK)
            elif mapping.start % _ARENA_BYTES == 0 and mapping.start > _MMAP_AREA:
                self._undecided = mapping
            else:
                self._add_single(mapping, MappingKind.ANONYMOUS)
        self._before = mapping

    def _is_bss(self, mapping: Mapping) -> bool:
        before = self._before
        is_next = before.end == mapping.start and before.permissions == mapping.permissions == b"rw-p"
        return is_next and bool(before.name) and before.name.removesuffix(_DELETED) == self._exe

    def _is_stack(self, mapping: Mapping) -> bool:
        if mapping.permissions[:2] != b"rw" or mapping.start < _MMAP_AREA:
            return False
        at = bisect_left(self._stack_pointers, mapping.start)
        return at < len(self._stack_pointers) and self._stack_pointers[at] < mapping.end

    def _add_named(self, name: bytes, mapping: Mapping) -> None:
        held = self._by_name.get(name)
        if held is None:
            if len(self._by_name) >= _MOST_NAMES:
                _sum(self._rest.setdefault(self._kind(name), [0] * 7), _sizes(mapping))
                return
            held = self._by_name[name] = [0] * 7
        _sum(held, _sizes(mapping))

    def _add_single(self, mapping: Mapping, kind: MappingKind) -> None:
        group = MappingGroup(kind, "", *_sizes(mapping), mapping.start, mapping.end)
        entry = (group.rss_bytes, next(self._number), group)
        if len(self._singles) < _MOST_SINGLES:
            heapq.heappush(self._singles, entry)
            return
        _, _, smallest = heapq.heappushpop(self._singles, entry)
        _sum(self._rest.setdefault(smallest.kind, [0] * 7), smallest[2:9])

    def _kind(self, name: bytes) -> MappingKind:
        for head, kind in _KINDS:
            if name.startswith(head) and name.removesuffix(_DELETED) != self._exe:
                return kind
        if name.removesuffix(_DELETED) == self._exe and (self._is_told or name in self._with_code):
            return MappingKind.PROGRAM
        return MappingKind.LIBRARY if name in self._with_code else MappingKind.FILE

    def groups(self) -> tuple[MappingGroup, ...]:
        """What has come together, most resident bytes first. Nothing may be added afterwards."""
        if self._undecided is not None:
            self._add_single(self._undecided, MappingKind.ANONYMOUS)
            self._undecided = None
        named = [MappingGroup(self._kind(name), _shown(name), *sizes) for name, sizes in self._by_name.items()]
        single = [group for _, _, group in self._singles]
        rest = [MappingGroup(kind, "", *sizes) for kind, sizes in self._rest.items()]
        return tuple(sorted((*named, *single, *rest), key=lambda group: (-group.rss_bytes, group.name, group.start)))


def _ends_arena(arena: Mapping, following: Mapping) -> bool:
    is_next = following.start == arena.end and following.end % _ARENA_BYTES == 0
    return is_next and following.permissions == b"---p" and not following.name


def _sizes(mapping: Mapping) -> tuple[int, int, int, int, int, int, int]:
    return (1, mapping.end - mapping.start, *mapping[4:])


def _sum(held: list[int], more: Sequence[int]) -> None:
    for place, size in enumerate(more):
        held[place] += size


def _shown(name: bytes) -> str:
    """What a program calls its memory without the kernel's brackets; a path as it is."""
    if name.startswith(_ANON):
        name = name.removeprefix(_ANON).removesuffix(b"]").strip()
    return name.decode(errors="backslashreplace")
