"""A Python process that leaks in known places and traces that when told to; tells what tracemalloc knows of it.

Runs on CPython 3.8 and newer; every command is answered by one line.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import threading
import time
import tracemalloc
from typing import Any, Callable, Mapping  # noqa: UP035 - collections.abc has no generics in 3.8

kept: list[object] = []
grown: list[object] = []
done = [0]
running = threading.Event()
finished = threading.Event()
finished.set()


class Store:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[object] = []

    def add(self, number: int) -> None:
        for i in range(number):
            self.rows.append({"number": i})


def words(number: int) -> list[str]:
    return ["word %d" % i for i in range(number)]  # noqa: UP031 - a new object each, on this very line


def deep(depth: int) -> bytes:
    if depth:
        return deep(depth - 1)
    return bytes(5000)


def leak(number: str) -> None:
    store = Store()
    store.add(int(number))
    kept.extend((store, words(int(number)), [bytes(60_000 + i) for i in range(20)], deep(40)))
    exec(compile("kept.append([bytes(700)])", "<made up>", "exec"))  # noqa: S102 - code without a file


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def report() -> str:
    """Bytes and blocks by stack, innermost frame first, as a snapshot of the traces has them."""
    found: list[Any] = []
    for trace in tracemalloc.take_snapshot().statistics("traceback"):
        stack = [(frame.filename, frame.lineno) for frame in reversed(trace.traceback)]
        found.append([stack, trace.size, trace.count])
    return json.dumps(found)


def grow() -> None:
    while running.is_set():
        grown.extend({"grown": i} for i in range(100))
        time.sleep(0.002)  # some hundred thousand objects a minute are growth enough
    finished.set()


def churn() -> None:
    while running.is_set():
        lists = [[i] * (i % 50) for i in range(3000)]
        texts = [bytes(i) for i in range(300)]
        del lists, texts
    finished.set()


def work() -> None:
    while running.is_set():
        lists = [[i] * 3 for i in range(1000)]
        lists.clear()
        done[0] += 1
    finished.set()


def flip() -> None:
    while running.is_set():
        tracemalloc.start(2)
        held = [[i] for i in range(500)]
        held.clear()
        tracemalloc.stop()
    finished.set()


def run(name: str) -> None:
    running.set()
    finished.clear()
    threading.Thread(target={"grow": grow, "churn": churn, "work": work, "flip": flip}[name], daemon=True).start()


def rest() -> None:
    running.clear()
    finished.wait()


def track(domain: str, number: str) -> None:
    """Blocks that somebody else than Python has allocated, as numpy reports its own."""
    tell = ctypes.pythonapi.PyTraceMalloc_Track
    tell.argtypes = (ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t)
    for i in range(int(number)):
        tell(int(domain), 0x5000_0000 + 64 * i, 1000)


COMMANDS: Mapping[str, Callable[..., str | None]] = {
    "start": lambda frames: tracemalloc.start(int(frames)),
    "stop": tracemalloc.stop,
    "clear": tracemalloc.clear_traces,
    "leak": leak,
    "drop": kept.clear,
    "report": report,
    "memory": lambda: json.dumps(tracemalloc.get_traced_memory()),
    "run": run,
    "rest": rest,
    "done": lambda: str(done[0]),
    "track": track,
}


def main() -> None:
    gc.disable()  # what is garbage stays where it is
    say(f"ready {os.getpid()} {'.'.join(map(str, sys.version_info[:3]))}")
    for line in sys.stdin:
        name, *arguments = line.split()
        say((COMMANDS[name](*arguments) or "ok") if name in COMMANDS else "unknown command")


if __name__ == "__main__":
    main()
