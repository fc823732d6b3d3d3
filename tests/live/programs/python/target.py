"""A Python process to look at: does what the lines on stdin say, and tells what it knows of itself.

Runs on CPython 3.8 and newer; every command is answered by one line.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import tempfile
import threading
from typing import Any, Callable, Mapping  # noqa: UP035 - collections.abc has no generics in 3.8

kept: list[object] = []
big: list[bytes] = []
interpreters: list[object] = []
running = threading.Event()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def stats() -> str:
    rows: list[dict[str, Any]] = list(gc.get_stats())
    report = {
        "stats": [[row["collections"], row["collected"], row["uncollectable"]] for row in rows],
        "durations_s": [row.get("duration") for row in rows],
        "count": gc.get_count(),
        "threshold": gc.get_threshold(),
        "enabled": gc.isenabled(),
        "debug": gc.get_debug(),
        "tracked": len(gc.get_objects()),
    }
    report["blocks"] = sys.getallocatedblocks()
    return json.dumps(report)


def pymalloc() -> str:
    """What the allocator prints of itself, as it prints it."""
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        before = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            sys._debugmallocstats()
        finally:
            os.dup2(before, 2)
            os.close(before)
        file.seek(0)
        return json.dumps(file.read().decode())


def make_cycles(number: str) -> None:
    for _ in range(int(number)):
        loop: list[object] = []
        loop.append(loop)


def churn() -> None:
    grown: list[object] = []
    while running.is_set():
        loop: list[object] = []
        loop.append({len(grown): loop})
        grown.append(loop)
        if len(grown) > 5000:
            grown.clear()


def start_churn(threads: str) -> None:
    running.set()
    for _ in range(int(threads)):
        threading.Thread(target=churn, daemon=True).start()


def add_interpreter() -> None:
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    interpreters.append(importlib.import_module(name).create())


COMMANDS: Mapping[str, Callable[..., str | None]] = {
    "stats": stats,
    "pymalloc": pymalloc,
    "keep": lambda number: kept.extend([i] for i in range(int(number))),
    "drop": kept.clear,
    "big": lambda number: big.extend(bytes(100_000 + i) for i in range(int(number))),
    "cycles": make_cycles,
    "collect": lambda generation: str(gc.collect(int(generation))),
    "threshold": lambda *counts: gc.set_threshold(*map(int, counts)),
    "enable": gc.enable,
    "disable": gc.disable,
    "debug": lambda flags: gc.set_debug(int(flags)),
    "churn": start_churn,
    "stop": running.clear,
    "interpreter": add_interpreter,
}


def main() -> None:
    say(f"ready {os.getpid()} {'.'.join(map(str, sys.version_info[:3]))}")
    for line in sys.stdin:
        name, *arguments = line.split()
        say((COMMANDS[name](*arguments) or "ok") if name in COMMANDS else "unknown command")


if __name__ == "__main__":
    main()
