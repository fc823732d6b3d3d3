"""A Go runtime laid out in our own memory, as one minor's layout has it, for the readers to read."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

from memdash.probes.go.buckets import bucket_hash
from memdash.probes.go.layouts import load
from memdash.probes.go.moduledata import Module
from memdash.probes.go.pclntab import Pclntab
from memdash.probes.go.program import Program
from memdash.probes.go.version import GoVersion
from memdash.process.elf import Elf
from memdash.process.memory import ProcessMemory
from tests.handmade import DATA_ADDRESS, ElfFile, GoFunction, pclntab

__all__ = ["BIAS", "PAGE_BYTES", "STACK_BYTES", "TEXT", "Call", "FakeRuntime"]

TEXT = 0x7F00_0000_0000
"""Where the code of the functions below is said to stand."""

STACK_BYTES = 4096
PAGE_BYTES = 8192

BIAS = 0x1000
_STRUCT_OF = {
    "memstats": "mstats",
    "gcController": "gcControllerState",
    "work": "workType",
    "mheap_": "mheap",
    "emptymspan": "mspan",
}
_SCHEDULER_WORDS = ("gcphase", "gomaxprocs", "allglen", "allgptr")
_MOST_GOROUTINES = 4096
_PROFILER_WORDS = ("mbuckets", "mProfCycle", "MemProfileRate", "disableMemoryProfiling")
_HEADERS = ("allp", "buildVersion")
_WAITING = 4

Call: TypeAlias = str | tuple[str, int]
"""A function, or a function and how far in its code."""

CODE_BYTES = 64
"""Each of the functions below has so much code."""

LEAK = GoFunction("main.leak", CODE_BYTES, "leak.go", [(10, 32), (20, 32)], [(8, 16, "main.grow")], frame_bytes=24)


def functions(wrapper: int) -> tuple[GoFunction, ...]:
    """All there are; ``wrapper`` is the kind of one that the compiler makes up."""
    return (
        GoFunction("runtime.mallocgc", CODE_BYTES, "malloc.go"),
        LEAK,
        GoFunction("main.main", CODE_BYTES, "main.go", frame_bytes=8),
        GoFunction("runtime.gopark", CODE_BYTES, "proc.go", frame_bytes=40),
        GoFunction("main.wait", CODE_BYTES, "wait.go", [(5, 32), (6, 32)], frame_bytes=16),
        GoFunction("main.wait.gowrap1", CODE_BYTES, "wait.go", frame_bytes=0, kind=wrapper),
        GoFunction("runtime.goexit", CODE_BYTES, "asm.s", frame_bytes=0, is_outermost=True),
        GoFunction("runtime.main", CODE_BYTES, "proc.go", frame_bytes=48),
        GoFunction("runtime.bgsweep", CODE_BYTES, "mgcsweep.go", frame_bytes=24),
        GoFunction("runtime.runfinq", CODE_BYTES, "mfinal.go", frame_bytes=24),
        GoFunction("runtime.asyncPreempt", CODE_BYTES, "preempt.s", frame_bytes=256),
        GoFunction("main.recurse", CODE_BYTES, "wait.go", frame_bytes=8),
    )


class FakeRuntime:
    """Variables, Ps, caches, spans and goroutines in one stretch of our memory; at first everything adds up.

    ``set`` changes any field of any of them.
    """

    def __init__(self, minor: int, elf_of: Callable[[ElfFile], Elf], ps: int = 2) -> None:
        layout = load(minor)
        assert layout is not None
        self.layout = layout
        self._arena = ctypes.create_string_buffer(1 << 24)
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
        self.goroutines: list[int] = []
        self.word("allgptr", self.new(8 * _MOST_GOROUTINES))
        self.goroutine(["runtime.gopark", "main.wait", "runtime.goexit"], status=_WAITING | layout.constants["_Gscan"])
        self.spans = [self.new_span(0)]
        self.slice(self.addresses["mheap_"] + self.at("mheap", "allspans"), self.spans)
        self.word("MemProfileRate", 512 * 1024)
        for allocator, kind, count in (("spanalloc", "mspan", 3), ("cachealloc", "mcache", ps)):
            used = count * layout.structs[kind].size
            inuse = self.at("mheap", allocator) + self.at("fixalloc", "inuse")
            self.put(self.addresses["mheap_"] + inuse, struct.pack("<Q", used))
            self.set("memstats", "mstats", f"{kind}_sys", 2 * used)

    def _program(self, minor: int, elf_of: Callable[[ElfFile], Elf]) -> Program:
        made = functions(self.layout.constants["funcID_wrapper"])
        self.code = {function.name: TEXT + i * CODE_BYTES for i, function in enumerate(made)}
        self._frame_bytes = {function.name: function.frame_bytes or 0 for function in made}
        table, trees = pclntab(made, is_1_20=minor >= 20)
        module = self.new(self.layout.structs["moduledata"].size)
        self.set(module, "moduledata", "gofunc", DATA_ADDRESS + BIAS)
        return Program(
            memory=ProcessMemory(os.getpid()),
            elf=elf_of(ElfFile(data=trees)),
            functions=Pclntab(0, memoryview(table)),
            module=Module(module, BIAS, TEXT, TEXT + len(made) * CODE_BYTES, 0, 1 << 63),
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

    def arenas(self, *ranges: tuple[int, int], total: int | None = None) -> None:
        """Say where the heap is; ``total`` is what its size is said to be."""
        table = self.array([address for piece in ranges for address in piece])
        size = sum(end - start for start, end in ranges) if total is None else total
        at = self.addresses["mheap_"] + self.at("mheap", "pages") + self.at("pageAlloc", "inUse")
        self.put(at, struct.pack("<4Q", table, len(ranges), len(ranges), size))

    def new_span(self, span_class: int, alloc_count: int = 0, before: int = 0, sweepgen: int = 3) -> int:
        """A span in nobody's cache; its objects were counted up to ``before``."""
        span = self.new(self.layout.structs["mspan"].size)
        self.set(span, "mspan", "spanclass", span_class, size=1)
        self.set(span, "mspan", "allocCount", alloc_count, size=2)
        self.set(span, "mspan", "allocCountBeforeCache", before, size=2)
        self.set(span, "mspan", "sweepgen", sweepgen, size=4)
        return span

    def goroutine(
        self,
        calls: Sequence[Call],
        created_by: str = "main.main",
        status: int = _WAITING,
        **fields: int,
    ) -> int:
        """One more: parked in the first of ``calls``, in bytes 9 of its code or elsewhere. Its address.

        ``fields`` are goid, waitsince and waitreason; it began with the last call but one.
        """
        g = self.new(self.layout.structs["g"].size)
        self.goroutines.append(g)
        self.put(self.word_at("allgptr") + 8 * (len(self.goroutines) - 1), struct.pack("<Q", g))
        self.word("allglen", len(self.goroutines))
        first = calls[-2] if len(calls) > 1 else calls[-1]
        self.set(g, "g", "goid", fields.get("goid", len(self.goroutines)))
        self.set(g, "g", "gopc", self.code[created_by] + 9)
        self.set(g, "g", "startpc", self.code[first if isinstance(first, str) else first[0]])
        self.set(g, "g", "atomicstatus", status, size=4)
        self.set(g, "g", "waitsince", fields.get("waitsince", 0))
        self.set(g, "g", "waitreason", fields.get("waitreason", 0), size=1)
        self.park(g, self.new(STACK_BYTES), calls)
        return g

    def move(self, g: int, address: int) -> None:
        """Have a goroutine stand elsewhere."""
        self.put(address, ctypes.string_at(g, self.layout.structs["g"].size))
        number = self.goroutines.index(g)
        self.goroutines[number] = address
        self.put(self.word_at("allgptr") + 8 * number, struct.pack("<Q", address))

    def park(self, g: int, stack: int, calls: Sequence[Call]) -> None:
        """Lay the calls out on a goroutine's stack, the outermost at its end."""
        placed = [(call, 9) if isinstance(call, str) else call for call in calls]
        words = b""
        for (function, _), (caller, at) in pairwise(placed):
            words += bytes(self._frame_bytes[function]) + struct.pack("<Q", self.code[caller] + at)
        sp = stack + STACK_BYTES - 16 - len(words)
        self.put(sp, words)
        sched = self.at("g", "sched")
        for at, value in (
            (self.at("g", "stack") + self.at("stack", "lo"), stack),
            (self.at("g", "stack") + self.at("stack", "hi"), stack + STACK_BYTES),
            (sched + self.at("gobuf", "sp"), sp),
            (sched + self.at("gobuf", "pc"), self.code[placed[0][0]] + placed[0][1]),
        ):
            self.put(g + at, struct.pack("<Q", value))

    def word_at(self, name: str) -> int:
        """What stands in a global of 64 bits."""
        return int.from_bytes(ctypes.string_at(self.addresses[name], 8), "little")

    def objects(self, span_class: int, count: int, pages: int = 1, **fields: int) -> int:
        """A span in use that holds so many objects; ``fields`` are any others of mspan. Its address."""
        span, start = self.new_span(span_class, count), self.new(pages * PAGE_BYTES + PAGE_BYTES)
        size_class, start = span_class >> 1, start + -start % PAGE_BYTES
        size = self.layout.size_classes[size_class] if size_class else pages * PAGE_BYTES
        is_wide = self.layout.structs["mspan"].size > 160
        values = {"startAddr": start, "npages": pages, "elemsize": size, "nelems": pages * PAGE_BYTES // size} | fields
        for field, value in values.items():
            self.set(span, "mspan", field, value, size=8 if is_wide or field not in ("nelems", "freeindex") else 2)
        self.set(span, "mspan", "state", self.layout.constants["mSpanInUse"], size=1)
        self.spans.append(span)
        self.slice(self.addresses["mheap_"] + self.at("mheap", "allspans"), self.spans)
        return span

    def types(self, *names: str, flags: int = 0) -> list[int]:
        """Describe types; their addresses. ``flags`` is the TFlag of the last one."""
        start = self.new(1 << 16)
        module, size = self.program.module.address, self.layout.structs["_type"].size
        self.set(module, "moduledata", "types", start)
        self.set(module, "moduledata", "etypes", start + (1 << 16))
        addresses, at = [], start + 64
        for name in names:
            encoded = name.encode()
            header = (
                bytes([0, len(encoded)])
                if len(encoded) < 128
                else bytes([0, len(encoded) & 127 | 128, len(encoded) >> 7])
            )
            self.put(at, header + encoded)
            described = at + 2048
            self.set(described, "_type", "Str", at - start, size=4)
            self.set(described, "_type", "TFlag", flags if name == names[-1] else 0, size=1)
            addresses.append(described)
            at = described + size + 64
        return addresses

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
