"""A program with something to do, that says what CPU time this took. Runs on CPython 3.8 and newer.

``python loads.py`` says that it is ready and answers on stdin: ``work NAME TIMES`` (CPU seconds), ``on WATCHER`` and
``off`` (somebody else's profiler, within this process). ``python loads.py NAME TIMES TURNS`` does so often what
another process watches, and prints the seconds of each turn in one line.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

DEPTH = 12
"""Frames below what works: stacks are longer than those of a script."""


@dataclass
class Row:
    number: int
    weight: int
    name: str
    tags: list[int] = field(default_factory=list)


DOCUMENT = {
    "users": [{"id": n, "name": f"user{n}", "tags": ["a", "b", str(n)], "score": n * 1.5} for n in range(60)],
}


def everyday() -> None:
    """Parse, look up, count, make objects, sort, format."""
    for _ in range(4):
        document = json.loads(json.dumps(DOCUMENT))
        by_id = {user["id"]: user for user in document["users"]}
        words = (f"the quick brown fox {len(by_id)} jumps over").split() * 40
        counts: dict[str, int] = {}
        for word in words:
            counts[word] = counts.get(word, 0) + 1
        text = ",".join(f"{word}={count}" for word, count in sorted(counts.items()))
        rows = [Row(n, -n, text[:8] + str(n), [n]) for n in range(300)]
        rows.sort(key=lambda row: (row.weight, row.name))
        lines = []
        for row in rows:
            lines.append(f"{row.number}:{row.name.upper()}")  # noqa: PERF401 - as people write it
        "\n".join(lines).encode()
        sum(row.number * row.weight for row in rows)


def allocate() -> None:
    """Little else than asking for objects and letting them go."""
    for number in range(20_000):
        inner = [number]
        outer = (number, inner)
    del inner, outer


def big() -> None:
    """Buffers of 40 to 440 KB, of which a few are kept."""
    kept: list[bytearray] = []
    for number in range(60):
        kept.append(bytearray(40_000 + number * 7919 % 400_000))
        if len(kept) > 16:
            kept.pop(0)
        bytes(kept[-1][:30_000])


def four_threads() -> None:
    threads = [threading.Thread(target=everyday) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def numbers() -> None:
    """Arrays of 240 to 400 KB, and as many scalars."""
    import numpy as np  # type: ignore[import-not-found]  # only there when this is asked for

    for number in range(30):
        array = np.arange(30_000 + number * 600, dtype=float)
        both = array * 2.0 + array
        chosen = both[both > 100.0]
        chosen.sum()
        [np.float64(n) for n in range(40)]


LOADS: dict[str, Callable[[], None]] = {
    "everyday": everyday,
    "allocate": allocate,
    "big": big,
    "threads": four_threads,
    "numpy": numbers,
}


def seconds(name: str, times: int) -> float:
    """CPU time of the whole process; garbage of what was before is not counted."""
    work = LOADS[name]

    def deep(levels: int) -> float:
        if levels:
            return deep(levels - 1)
        began_s = time.process_time()
        for _ in range(times):
            work()
        return time.process_time() - began_s

    gc.collect()
    return deep(DEPTH)


def watched_by(name: str) -> Callable[[], object]:
    """Begin; the function that ends it."""
    if name == "tracemalloc":
        import tracemalloc

        tracemalloc.start(1)
        return tracemalloc.stop
    import memray  # type: ignore[import-not-found]  # only there when this is asked for

    destination = memray.FileDestination("/dev/null", overwrite=True)
    tracker = memray.Tracker(destination=destination, trace_python_allocators=name == "memray all")
    tracker.__enter__()
    return lambda: tracker.__exit__(None, None, None)


def main() -> None:
    end: Callable[[], object] = gc.collect
    say(f"ready {os.getpid()} {platform.python_version()}")
    for line in sys.stdin:
        command, _, words = line.strip().partition(" ")
        if command == "work":
            name, times = words.split()
            say(json.dumps(seconds(name, int(times))))
        elif command == "on":
            end = watched_by(words)
            say("well")
        else:
            end()
            say("well")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:]:
        say("seconds " + json.dumps([seconds(sys.argv[1], int(sys.argv[2])) for _ in range(int(sys.argv[3]))]))
    else:
        main()
