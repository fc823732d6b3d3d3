"""A Go runtime laid out in our own memory, as one minor's layout has it, for the readers to read."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Sequence

from memdash.probes.go.buckets import bucket_hash
from memdash.probes.go.layouts import load
from memdash.probes.go.moduledata import Module
from memdash.probes.go.pclntab import Pclntab
from memdash.probes.go.program import Program
from memdash.probes.go.version import GoVersion
from memdash.process.elf import Elf
from memdash.process.memory import ProcessMemory
from tests.handmade import DATA_ADDRESS, ElfFile, GoFunction, pclntab

__all__ = ["BIAS", "TEXT", "FakeRuntime"]

TEXT = 0x7F00_0000_0000
"""Where the code of the functions below is said to stand."""

BIAS = 0x1000
_STRUCT_OF = {
    "memstats": "mstats",
    "gcController": "gcControllerState",
    "work": "workType",
    "mheap_": "mheap",
    "emptymspan": "mspan",
}
_SCHEDULER_WORDS = ("gcphase", "gomaxprocs", "allglen", "allgptr")
_PROFILER_WORDS = ("mbuckets", "mProfCycle", "MemProfileRate", "disableMemoryProfiling")
_HEADERS = ("allp", "buildVersion")
_WAITING = 4

FUNCTIONS = (
    GoFunction("runtime.mallocgc", 64, "malloc.go"),
    GoFunction("main.leak", 64, "leak.go", lines=[(10, 32), (20, 32)], inlined=[(8, 16, "main.grow")]),
    GoFunction("main.main", 64, "main.go"),
)


class FakeRuntime:
    """Variables, Ps, caches, spans and goroutines in one stretch of our memory; at first everything adds up.

    ``set`` changes any field of any of them.
    """

    def __init__(self, minor: int, elf_of: Callable[[ElfFile], Elf], ps: int = 2) -> None:
        layout = load(minor)
        assert layout is not None
        self.layout = layout
        self._arena = ctypes.create_string_buffer(1 << 20)
        self._free = (ctypes.addressof(self._arena) + 8191) & ~8191
        self.addresses = {name: self.new(layout.structs[kind].size) for name, kind in _STRUCT_OF.items()}
        self.addresses |= {name: self.new(8) for name in _SCHEDULER_WORDS + _PROFILER_WORDS}
        self.addresses |= {name: self.new(24) for name in _HEADERS}
        self.program = self._program(minor, elf_of)
        self.text(self.addresses["buildVersion"], layout.go_version)
        self.p: list[int] = []
        self.cache: list[int] = []
        for number in range(ps):
            self._add_p(number)
        self.word("gomaxprocs", ps, size=4)
        self.slice(self.addresses["allp"], self.p)
        goroutine = self.new(layout.structs["g"].size)
        self.set(goroutine, "g", "atomicstatus", _WAITING | layout.constants["_Gscan"], size=4)
        self.word("allglen", 1)
        self.word("allgptr", self.array([goroutine]))
        self.spans = [self.new_span(0)]
        self.slice(self.addresses["mheap_"] + self.at("mheap", "allspans"), self.spans)
        self.word("MemProfileRate", 512 * 1024)
        for allocator, kind, count in (("spanalloc", "mspan", 3), ("cachealloc", "mcache", ps)):
            used = count * layout.structs[kind].size
            inuse = self.at("mheap", allocator) + self.at("fixalloc", "inuse")
            self.put(self.addresses["mheap_"] + inuse, struct.pack("<Q", used))
            self.set("memstats", "mstats", f"{kind}_sys", 2 * used)

    def _program(self, minor: int, elf_of: Callable[[ElfFile], Elf]) -> Program:
        table, trees = pclntab(FUNCTIONS, is_1_20=minor >= 20)
        module = self.new(self.layout.structs["moduledata"].size)
        self.set(module, "moduledata", "gofunc", DATA_ADDRESS + BIAS)
        return Program(
            memory=ProcessMemory(os.getpid()),
            elf=elf_of(ElfFile(data=trees)),
            functions=Pclntab(0, memoryview(table)),
            module=Module(module, BIAS, TEXT, TEXT + 192, 0, 1 << 63),
            version=GoVersion(self.layout.go_version, minor),
            layout=self.layout,
            addresses=self.addresses,
            is_stripped=True,
        )

    def _add_p(self, number: int) -> None:
        p, cache = self.new(self.layout.structs["p"].size), self.new(self.layout.structs["mcache"].size)
        self.set(p, "p", "id", number, size=4)
        self.set(p, "p", "mcache", cache)
        for span_class in range(self.layout.constants["numSpanClasses"]):
            self.put(
                cache + self.at("mcache", "alloc") + 8 * span_class, struct.pack("<Q", self.addresses["emptymspan"])
            )
        self.p.append(p)
        self.cache.append(cache)

    def new(self, size: int) -> int:
        """The address of so many fresh bytes."""
        address, self._free = self._free, self._free + (size + 15 & ~15)
        return address

    def put(self, address: int, content: bytes) -> None:
        ctypes.memmove(address, content, len(content))

    def at(self, struct_name: str, field: str) -> int:
        return self.layout.structs[struct_name].offsets[field]

    def set(self, address: int | str, struct_name: str, field: str, value: int, size: int = 8) -> None:
        """Write an integer field; ``address`` may be the name of a global."""
        start = self.addresses[address] if isinstance(address, str) else address
        self.put(start + self.at(struct_name, field), (value % (1 << 8 * size)).to_bytes(size, "little"))

    def word(self, name: str, value: int, size: int = 8) -> None:
        self.put(self.addresses[name], value.to_bytes(size, "little"))

    def array(self, values: Sequence[int]) -> int:
        address = self.new(8 * len(values))
        self.put(address, struct.pack(f"<{len(values)}Q", *values))
        return address

    def slice(self, address: int, values: Sequence[int]) -> None:
        self.put(address, struct.pack("<QQ", self.array(values), len(values)))

    def text(self, address: int, content: str) -> None:
        encoded = content.encode()
        start = self.new(len(encoded))
        self.put(start, encoded)
        self.put(address, struct.pack("<QQ", start, len(encoded)))

    def heap(self, field: str, value: int, generation: int = 0, index: int = 0) -> None:
        """Write one of the heap's counts into a generation."""
        start = self.at("mstats", "heapStats") + self.at("consistentHeapStats", "stats")
        start += generation * self.layout.structs["heapStatsDelta"].size + self.at("heapStatsDelta", field) + 8 * index
        self.put(self.addresses["memstats"] + start, struct.pack("<q", value))

    def new_span(self, span_class: int, alloc_count: int = 0, before: int = 0, sweepgen: int = 3) -> int:
        """A span in nobody's cache; its objects were counted up to ``before``."""
        span = self.new(self.layout.structs["mspan"].size)
        self.set(span, "mspan", "spanclass", span_class, size=1)
        self.set(span, "mspan", "allocCount", alloc_count, size=2)
        self.set(span, "mspan", "allocCountBeforeCache", before, size=2)
        self.set(span, "mspan", "sweepgen", sweepgen, size=4)
        return span

    def cache_span(self, p: int, span_class: int, span: int) -> None:
        self.put(self.cache[p] + self.at("mcache", "alloc") + 8 * span_class, struct.pack("<Q", span))

    def bucket(self, size: int, pcs: Sequence[int], counts: Sequence[int] = (0,) * 8) -> int:
        """Add a profile record; ``counts`` are allocs and frees, active and of the three futures. Its address."""
        address = self.new(self.layout.structs["bucket"].size + 8 * len(pcs) + self.layout.structs["memRecord"].size)
        for field, value in (
            ("allnext", int.from_bytes(ctypes.string_at(self.addresses["mbuckets"], 8), "little")),
            ("typ", 1),
            ("hash", bucket_hash(tuple(pcs), size)),
            ("size", size),
            ("nstk", len(pcs)),
        ):
            self.set(address, "bucket", field, value)
        self.put(address + self.layout.structs["bucket"].size, struct.pack(f"<{len(pcs)}Q", *pcs))
        self.count(address, counts)
        self.word("mbuckets", address)
        return address

    def count(self, bucket: int, counts: Sequence[int]) -> None:
        """Change the counts of a profile record."""
        depth_at = bucket + self.at("bucket", "nstk")
        depth = int.from_bytes(ctypes.string_at(depth_at, 8), "little")
        record = bucket + self.layout.structs["bucket"].size + 8 * depth
        for i in range(4):
            start = record + i * self.layout.structs["memRecordCycle"].size
            self.put(start, struct.pack("<QQ", *counts[2 * i : 2 * i + 2]))
