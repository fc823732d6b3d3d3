"""The runtime's profile records (buckets): one per allocation stack and object size, never moved, never freed.

Source: runtime/mprof.go (bucket, stkbucket). Each bucket is a header, the stack's return addresses and a memRecord,
one after the other; all of them hang on a list with the newest first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.probes.go.program import Program
from memdash.process.memory import ProcessMemory

__all__ = ["Bucket", "BucketTable", "bucket_hash"]

_MEMORY_PROFILE = 1
_DEEPEST_STACK = 1024
_MOST_BUCKETS = 500_000
_PAGE_BYTES = 4096
_PAGES_HELD = 256
_MASK = (1 << 64) - 1
_FIELDS = ("allnext", "typ", "hash", "size", "nstk")


class Bucket(NamedTuple):
    """Where a bucket's memRecord stands, the size of its objects, its stack as return addresses, innermost first."""

    record_address: int
    object_bytes: int
    pcs: tuple[int, ...]


class BucketTable:
    """Follows the list of buckets; what it has seen it does not look at again."""

    def __init__(self, program: Program) -> None:
        self._memory = program.memory
        self._head_address = program.addresses["mbuckets"]
        self._header_bytes = program.size("bucket")
        self._header = struct.Struct(f"<{self._header_bytes // 8}Q")
        self._at = [program.offset("bucket", name) // 8 for name in _FIELDS]
        self._newest_seen = 0

    def read_new(self, most: int = _MOST_BUCKETS) -> Iterator[Bucket]:
        """The buckets made since the last time this ran to its end, newest first; it stops after ``most``.

        15 µs for each. Every one is checked against its own hash. Raises BadRead when it does not match.
        """
        head = address = self._memory.u64(self._head_address)
        pages = _Pages(self._memory)
        for _ in range(most):
            if address in (0, self._newest_seen):
                self._newest_seen = head
                return
            address, bucket = self._bucket(pages, address)
            yield bucket
        if most == _MOST_BUCKETS:
            raise BadRead(f"the list of profile records does not end after {most}")

    def _bucket(self, pages: _Pages, address: int) -> tuple[int, Bucket]:
        """The address of the next older bucket, and this one."""
        words = self._header.unpack(pages.read(address, self._header_bytes))
        older, kind, stated_hash, object_bytes, depth = (words[i] for i in self._at)
        if kind != _MEMORY_PROFILE or depth > _DEEPEST_STACK:
            raise BadRead(f"what stands at {address:#x} is no profile record")
        stack_at = address + self._header_bytes
        pcs = struct.unpack(f"<{depth}Q", pages.read(stack_at, 8 * depth))
        if bucket_hash(pcs, object_bytes) != stated_hash:
            raise BadRead(f"the profile record at {address:#x} does not match its hash")
        return older, Bucket(stack_at + 8 * depth, object_bytes, pcs)


def bucket_hash(pcs: tuple[int, ...], object_bytes: int) -> int:
    """The hash by which the runtime finds a bucket again (stkbucket)."""
    h = 0
    for pc in pcs:
        h = (h + pc) * 1025 & _MASK  # h += h << 10
        h ^= h >> 6
    h = (h + object_bytes) * 1025 & _MASK
    h ^= h >> 6
    h = h * 9 & _MASK  # h += h << 3
    return h ^ h >> 11


class _Pages:
    """Memory by whole pages, a few of them held: buckets stand close together, so most reads need no system call."""

    def __init__(self, memory: ProcessMemory) -> None:
        self._memory = memory
        self._held: dict[int, bytes] = {}

    def read(self, address: int, size: int) -> bytes:
        offset = address % _PAGE_BYTES
        page = self._page(address - offset)
        if offset + size <= _PAGE_BYTES:
            return page[offset : offset + size]
        head = page[offset:]
        return head + self.read(address + len(head), size - len(head))

    def _page(self, address: int) -> bytes:
        page = self._held.get(address)
        if page is None:
            if len(self._held) >= _PAGES_HELD:
                self._held.clear()
            page = self._held[address] = self._memory.read(address, _PAGE_BYTES)
        return page
