"""What a Go program answers at its endpoints, handmade."""

from __future__ import annotations

import copy
import json
import socket
import threading
from dataclasses import asdict
from typing import Any

from memdash.model.memstats import MemStats
from memdash.pprof.convert import sites_document
from memdash.pprof.document import Document, Function, Line, Location, Sample, ValueType
from memdash.pprof.encode import encode
from tests.fakes import a_profile, memstats
from tests.servers import Behaviour, answer

__all__ = [
    "GOROUTINES",
    "HEAP",
    "HEAP_TEXT",
    "INDEX",
    "MEMSTATS",
    "VARS",
    "VARS_TOLD",
    "collecting",
    "goroutines",
    "served",
]

INDEX = b"<html>\n<head>\n<title>/debug/pprof/</title>\n</head><body>Types of profiles available:</body></html>"
HEAP = encode(sites_document(a_profile(), (), 1_767_000_000_000_000_000))


_CYCLES = 3
MEMSTATS = memstats(NumGC=_CYCLES, HeapSmall=MemStats.__dataclass_fields__["HeapSmall"].default)


def _told() -> dict[str, Any]:
    """MemStats as Go has them: rings of 256, the newest where the number of the cycle says."""
    told = asdict(MEMSTATS)
    del told["HeapSmall"]
    told["BySize"] = [
        {"Size": row["size_bytes"], "Mallocs": row["mallocs"], "Frees": row["frees"]} for row in told["BySize"]
    ]
    for name in ("PauseNs", "PauseEnd"):
        newest = told[name]
        told[name] = [0] * 256
        for back, value in enumerate(newest):
            told[name][(_CYCLES - 1 - back) % 256] = value
    return told


VARS_TOLD: dict[str, Any] = {"cmdline": ["/srv/shop-server"], "requests": {"a": [1, 2.5, None]}, "memstats": _told()}
VARS = json.dumps(VARS_TOLD).encode()

_SPLIT = ("Stack", "MSpan", "MCache")
_UNWRITTEN = {"PauseTotalNs", "EnableGC", "BySize", *(f"{name}{part}" for name in _SPLIT for part in ("Inuse", "Sys"))}


def _text() -> bytes:
    told = _told()
    lines = ["heap profile: 1: 2 [3: 4] @ heap/1048576", "1: 2 [3: 4] @ 0x1", "", "# runtime.MemStats"]
    for name, value in told.items():
        if name not in _UNWRITTEN:
            words = str(value).lower() if isinstance(value, bool) else str(value).replace(",", "")
            lines.append(f"# {name} = {words}")
    lines += [f"# {name} = {told[f'{name}Inuse']} / {told[f'{name}Sys']}" for name in _SPLIT]
    return "\n".join([*lines, "# MaxRSS = 123", ""]).encode()


HEAP_TEXT = _text()


def goroutines(*groups: tuple[int, tuple[str, ...]]) -> bytes:
    """A profile of so many goroutines with these stacks, innermost first."""
    names = sorted({name for _, stack in groups for name in stack})
    return encode(
        Document(
            sample_types=(ValueType("goroutine", "count"),),
            samples=tuple(Sample(tuple(names.index(name) + 1 for name in stack), (count,)) for count, stack in groups),
            locations={
                number: Location((Line(Function(name, name, f"/src/{name}.go"), number),), None, 0x1000 + number)
                for number, name in enumerate(names, start=1)
            },
        )
    )


GOROUTINES = goroutines(
    (1, ("runtime.goroutineProfileWithLabels", "runtime/pprof.writeGoroutine", "net/http.(*conn).serve")),
    (20, ("runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1", "main.worker")),
    (1, ("runtime.gopark", "time.Sleep", "main.main", "runtime.main", "runtime.goexit")),
    (1, ()),
)


def collecting() -> Behaviour:
    """Answers like ``served``, and counts the collections that were asked for."""
    pages, told, lock = served(), copy.deepcopy(VARS_TOLD), threading.Lock()

    def behave(connection: socket.socket, path: str) -> None:
        with lock:
            told["memstats"]["NumForcedGC"] += path.endswith("?gc=1")
            counted = answer(json.dumps(told).encode(), "application/json")
        connection.sendall(counted if path == "/debug/vars" else pages.get(path, answer(b"", status="404 Not Found")))

    return behave


def served(prefix: str = "/debug/pprof/", **changes: bytes) -> dict[str, bytes]:
    """By path; ``changes`` by name: index, heap, heap_text, gc, goroutine, vars."""
    parts = {"index": INDEX, "heap": HEAP, "heap_text": HEAP_TEXT, "gc": HEAP, "goroutine": GOROUTINES, "vars": VARS}
    parts |= changes
    return {
        prefix: answer(parts["index"], "text/html; charset=utf-8"),
        f"{prefix}heap": answer(parts["heap"]),
        f"{prefix}heap?debug=1": answer(parts["heap_text"], "text/plain; charset=utf-8"),
        f"{prefix}heap?gc=1": answer(parts["gc"]),
        f"{prefix}goroutine": answer(parts["goroutine"]),
        f"{prefix.removesuffix('pprof/')}vars": answer(parts["vars"], "application/json; charset=utf-8"),
    }
