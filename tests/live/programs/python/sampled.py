"""The program of ``host.py`` that also allocates on known lines, and looks at its own allocators."""

from __future__ import annotations

import _thread
import ctypes
import gc
import json
import os
import sys
import weakref
from typing import Any

import host  # type: ignore[import-not-found]  # it stands beside this file, as do the others
import target  # type: ignore[import-not-found]
from allocators import allocators  # type: ignore[import-not-found]

SMALL, MIDDLE, LARGE = 16, 1033, 200_033
"""Bytes that ``object()``, ``bytes(1000)`` and ``bytes(200_000)`` ask for."""

numbers = list(range(200_000))
"""So that counting up to as many allocates nothing."""

slots: dict[str, list[Any]] = {"small": [None] * 200_000, "middle": [None] * 8000, "large": [None] * 40}


def keep_small() -> None:
    held = slots["small"]
    for at in numbers[: len(held)]:
        held[at] = object()


def keep_middle() -> None:
    held = slots["middle"]
    for at in numbers[: len(held)]:
        held[at] = bytes(1000)


def keep_large() -> None:
    held = slots["large"]
    for at in numbers[: len(held)]:
        held[at] = bytes(200_000)


def drop_half() -> None:
    held = slots["middle"]
    for at in range(len(held) // 2):
        held[at] = None


def fill() -> str:
    """Bytes and objects by function."""
    keep_small()
    keep_middle()
    keep_large()
    sizes = {"small": SMALL, "middle": MIDDLE, "large": LARGE}
    return json.dumps({f"keep_{name}": [sizes[name] * len(held), len(held)] for name, held in slots.items()})


def pass_through(number: str) -> None:
    """Ask for a kilobyte so often, and give it back at once."""
    for _ in range(int(number)):
        bytes(1000)


def told_allocators() -> str:
    return json.dumps(allocators())


def trace(switch: str) -> None:
    import tracemalloc

    (tracemalloc.start if switch == "on" else tracemalloc.stop)()


def hook(path: str) -> None:
    """Let a library put functions of its own around the allocators."""
    ctypes.PyDLL(path).hook(
        ctypes.cast(ctypes.pythonapi.PyMem_GetAllocator, ctypes.c_void_p),
        ctypes.cast(ctypes.pythonapi.PyMem_SetAllocator, ctypes.c_void_p),
    )


def in_child() -> str:
    """What the allocators of a child are."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(write, told_allocators().encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        told = file.read()
    os.waitpid(pid, 0)
    return told


def import_numpy() -> None:
    import numpy  # type: ignore[import-not-found]  # noqa: F401, ICN001


def arrays(number: str) -> None:
    """Buffers of numpy of 80 kB each."""
    import numpy as np

    slots["arrays"] = [None] * int(number)
    keep_arrays(np)


def keep_arrays(np: Any) -> None:
    held = slots["arrays"]
    for at in range(len(held)):
        held[at] = np.ones(10_000)


codes: list[Any] = []


def make_codes(number: str) -> None:
    """Code that runs once, and is of no more use to anybody."""
    for at in range(int(number)):
        code = compile(f"held_for_a_while = bytes({40_000 + at})", f"<template {at}>", "exec")
        exec(code, {})  # noqa: S102 - it is the program's own
        codes.append(weakref.ref(code))


def codes_alive() -> str:
    """How many of them there are still."""
    gc.collect()
    return str(sum(code() is not None for code in codes))


def take_locks_away() -> None:
    """From the agent alone, as gevent puts its own in their place, which are for greenlets."""
    real = _thread.allocate_lock

    def replaced() -> Any:
        if sys._getframe(1).f_code.co_filename == "<memdash>":
            raise RuntimeError("this one is for greenlets")
        return real()

    _thread.allocate_lock = replaced


target.COMMANDS = {
    **host.target.COMMANDS,
    "fill": fill,
    "drop_half": drop_half,
    "pass": pass_through,
    "allocators": told_allocators,
    "trace": trace,
    "hook": hook,
    "child": in_child,
    "import_numpy": import_numpy,
    "arrays": arrays,
    "drop_arrays": lambda: slots.pop("arrays") and None,
    "take_locks_away": take_locks_away,
    "make_codes": make_codes,
    "codes_alive": codes_alive,
    "leave": sys.exit,
}

if __name__ == "__main__":
    target.main()
