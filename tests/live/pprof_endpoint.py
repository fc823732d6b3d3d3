"""What a target's /debug/pprof/heap says, in the terms of memdash's profile."""

from __future__ import annotations

import http.client
import math
import re
from collections import Counter
from dataclasses import dataclass

from memdash.model.profile import Frame, Usage
from tests.live.target import GoTarget

__all__ = ["FRAME", "EndpointProfile", "abbreviated", "fetch", "fetch_heap", "read_heap", "shown"]

_RECORD = re.compile(r"(\d+): (\d+) \[(\d+): (\d+)\] @((?: 0x[0-9a-f]+)*)$")
FRAME = re.compile(r"#\t0x[0-9a-f]+\t(.+)\+0x[0-9a-f]+\t+(.+):(\d+)$")
_RATE = re.compile(r"heap profile: .* @ heap/(\d+)$")


@dataclass(frozen=True)
class EndpointProfile:
    """``sites`` counts equal (return addresses, scaled usage); all-zero records are left out.

    ``stacks`` are the frames it shows for each stack.
    """

    rate_bytes: int
    sites: Counter[tuple[tuple[int, ...], Usage]]
    stacks: dict[tuple[int, ...], list[Frame]]


def fetch_heap(target: GoTarget, query: str = "") -> bytes:
    return fetch(target, f"/debug/pprof/heap{query}")


def fetch(target: GoTarget, path: str) -> bytes:
    connection = http.client.HTTPConnection(target.command("addr"), timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == http.client.OK
        return answer.read()
    finally:
        connection.close()


def read_heap(target: GoTarget) -> EndpointProfile:
    text = fetch_heap(target, "?debug=1").decode()
    head, *lines = text.splitlines()
    rate = _RATE.match(head)
    assert rate
    rate_bytes = int(rate[1]) // 2
    sites: Counter[tuple[tuple[int, ...], Usage]] = Counter()
    stacks: dict[tuple[int, ...], list[Frame]] = {}
    frames: list[Frame] = []
    for line in lines:
        if record := _RECORD.match(line):
            inuse_objects, inuse_bytes, alloc_objects, alloc_bytes = map(int, record.groups()[:4])
            pcs = tuple(int(pc, 16) for pc in record[5].split())
            frames = stacks[pcs] = []
            if alloc_objects:
                inuse = _scaled(inuse_objects, inuse_bytes, rate_bytes)
                alloc = _scaled(alloc_objects, alloc_bytes, rate_bytes)
                sites[pcs, Usage(inuse[1], inuse[0], alloc[1], alloc[0])] += 1
        elif frame := FRAME.match(line):
            frames.append(Frame(frame[1], frame[2], int(frame[3])))
        elif line.startswith("# runtime.MemStats"):
            break
    return EndpointProfile(rate_bytes, sites, stacks)


def _scaled(count: int, size: int, rate: int) -> tuple[int, int]:
    """As scaleHeapSample of runtime/pprof does."""
    if not count or not size:
        return 0, 0
    if rate <= 1:
        return count, size
    factor = 1 / (1 - math.exp(-(size / count) / rate))
    return int(count * factor), int(size * factor)


def shown(stack: tuple[Frame, ...]) -> list[Frame]:
    """What pprof shows of a stack: not its end, nor the runtime's functions it begins with, if there are others."""
    frames = [frame._replace(function=abbreviated(frame.function)) for frame in stack]
    frames = [frame for frame in frames if frame.function != "runtime.goexit"]
    for i, frame in enumerate(frames):
        if not frame.function.startswith(("runtime.", "internal/runtime/")):
            return frames[i:]
    return frames


def abbreviated(function: str) -> str:
    """As text output shows a generic function: without its type arguments."""
    return re.sub(r"\[.*\]", "[...]", function)
