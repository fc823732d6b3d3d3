"""The program of ``target.py`` with more to say of what an agent in it tells, and of what it leaves behind."""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from pathlib import Path

import target  # type: ignore[import-not-found]  # it stands beside this file

pauses: list[list[int]] = []
blocks: list[bytearray] = []


def heard(phase: str, info: object) -> None:
    if phase == "start":
        pauses.append([time.monotonic_ns(), 0])
    else:
        pauses[-1][1] = time.monotonic_ns()


def measure() -> None:
    gc.callbacks.append(heard)


def measured() -> str:
    gc.callbacks.remove(heard)
    return json.dumps(pauses)


def malloc() -> str:
    """hblkhd and uordblks; None where the C library is older than that."""
    import ctypes

    class Mallinfo2(ctypes.Structure):
        _fields_ = (("fields", ctypes.c_size_t * 10),)

    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function is None:
        return json.dumps(None)
    function.restype = Mallinfo2
    fields = function().fields
    return json.dumps([fields[4], fields[7]])


def start_loop(debug: str) -> None:
    import asyncio

    async def wait_for(event: asyncio.Event) -> None:
        await event.wait()

    async def crowd() -> None:
        asyncio.get_running_loop().set_debug(debug == "1")
        event = asyncio.Event()
        tasks = [asyncio.ensure_future(wait_for(event)) for _ in range(40)]
        await asyncio.gather(asyncio.ensure_future(asyncio.sleep(1000)), *tasks)

    threading.Thread(target=lambda: asyncio.run(crowd()), name="the loop", daemon=True).start()


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def house() -> str:
    """What an agent changes."""
    return json.dumps(
        {
            "callbacks": len(gc.callbacks),
            "threads": len(list(Path("/proc/self/task").iterdir())),
            "descriptors": [number for number in range(300) if is_open(number)],
            "attribute": hasattr(sys, "_memdash"),
            "known threads": threading.active_count(),
        }
    )


def fork(command: str) -> str:
    """In a child, do something and exit with 7."""
    pid = os.fork()
    if not pid:
        target.COMMANDS[command]("2")
        os._exit(7)
    return json.dumps([pid, os.waitpid(pid, 0)[1] >> 8])


def work(number: str) -> str:
    """Do so often what a service does (parse, look up, format, keep little); the CPU seconds that this took."""
    row = {"id": 17, "name": "wrench", "tags": ["a", "b", "c"], "price": 3.25, "stock": {"here": 4, "there": 9}}
    text = json.dumps([row] * 20)
    began_s = time.process_time()
    for _ in range(int(number)):
        found = json.loads(text)
        json.dumps({entry["name"] + str(at): entry for at, entry in enumerate(found)})
    return json.dumps(time.process_time() - began_s)


def load(path: str) -> None:
    """What an injection does."""
    exec(Path(path).read_text(), {})  # noqa: S102 - that is what is tested


def become() -> None:
    os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - no shell is wanted


target.COMMANDS = {
    **target.COMMANDS,
    "measure": measure,
    "measured": measured,
    "malloc": malloc,
    "loop": start_loop,
    "house": house,
    "fork": fork,
    "become": become,
    "work": work,
    "load": load,
    "block": lambda number: blocks.append(bytearray(int(number))),
}

if __name__ == "__main__":
    target.main()
