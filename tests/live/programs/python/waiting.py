"""A Python process whose main thread waits in the way that its argument names, until a line comes on stdin.

Runs on CPython 3.8 and newer. It then says what came of it, as one line of JSON, and ends.
"""

from __future__ import annotations

import _thread
import asyncio
import ctypes
import fcntl
import json
import os
import platform
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from typing import Any, Callable  # noqa: UP035 - collections.abc has no generics in 3.8

told = threading.Event()
NAP_S = 1.2


def when_told(act: Callable[[], object]) -> threading.Thread:
    """A thread that acts once the line has come."""

    def wait() -> None:
        os.read(0, 1)
        told.set()
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def ready() -> None:
    sys.stdout.write(f"ready {os.getpid()} {platform.python_version()}\n")
    sys.stdout.flush()


def nothing() -> None:
    """What is done when only the line itself matters."""


def busy() -> bool:
    when_told(nothing)
    ready()
    while not told.is_set():
        if sum(range(1000)) != 499_500:
            return False
    return True


def busy_in_c() -> bool:
    """Outside the GIL for half a second at a time."""
    when_told(nothing)
    content = b"abcdefghij" * 1_000_000
    ready()
    while not told.is_set():
        zlib.crc32(content * 4)
        zlib.compress(content, 6)
    return True


def sleep() -> bool:
    when_told(nothing)
    ready()
    naps = []
    while not told.is_set():
        start_s = time.monotonic()
        time.sleep(NAP_S)
        naps.append(time.monotonic() - start_s)
    return min(naps) >= NAP_S - 0.002


def loop() -> bool:
    """An idle asyncio loop."""

    async def until_told() -> None:
        event, running = asyncio.Event(), asyncio.get_running_loop()
        when_told(lambda: running.call_soon_threadsafe(event.set))
        ready()
        await event.wait()

    asyncio.run(until_told())
    return True


def accept() -> bool:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0memdash-test-{os.getpid()}")
        listener.listen()
        name = listener.getsockname()

        def knock() -> None:
            with socket.socket(socket.AF_UNIX) as guest:
                guest.connect(name)

        when_told(knock)
        ready()
        listener.accept()[0].close()
    return True


def read() -> bool:
    out, into = os.pipe()
    when_told(lambda: os.write(into, b"through"))
    ready()
    return os.read(out, 100) == b"through"


def lock() -> bool:
    guard = _thread.allocate_lock()
    guard.acquire()
    when_told(guard.release)
    ready()
    return guard.acquire()


def lock_for_a_time() -> bool:
    guard = threading.Lock()
    guard.acquire()
    when_told(nothing)
    ready()
    while not told.is_set():
        start_s = time.monotonic()
        if guard.acquire(timeout=NAP_S) or time.monotonic() - start_s < NAP_S - 0.002:
            return False
    return True


def join() -> bool:
    thread = when_told(nothing)
    ready()
    thread.join()
    return True


def child() -> bool:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as started:
        assert started.stdin is not None
        when_told(lambda: os.write(started.stdin.fileno(), b"\n"))  # type: ignore[union-attr]
        ready()
        return started.wait() == 0


def poll_in_c() -> bool:
    """A C library that knows nothing of EINTR: a call for ever has to come back with its result."""
    out, into = os.pipe()
    when_told(lambda: os.write(into, b"x"))
    wanted = ctypes.create_string_buffer(int(out).to_bytes(4, "little") + select.POLLIN.to_bytes(4, "little"), 8)
    ready()
    return bool(ctypes.CDLL(None).poll(wanted, 1, -1) == 1)


def signals() -> bool:
    """Naps amid a thousand signals a second."""
    seen = []
    signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    when_told(nothing)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    ready()
    naps = []
    while not told.is_set():
        start_s = time.monotonic()
        time.sleep(0.05)
        naps.append(time.monotonic() - start_s)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return min(naps) >= 0.048 and len(seen) > 10


def threads() -> bool:
    """The main thread waits for a lock while others are busy and check what they do."""
    wrong = []
    guard = threading.Lock()

    def work() -> None:
        while not told.is_set():
            if sum(range(1000)) != 499_500 or sorted([3, 1, 2]) != [1, 2, 3]:
                wrong.append(1)
            with guard:
                time.sleep(0)

    workers = [threading.Thread(target=work) for _ in range(3)]
    when_told(nothing)
    for worker in workers:
        worker.start()
    ready()
    told.wait()
    for worker in workers:
        worker.join()
    return not wrong


def file_lock() -> bool:
    """In a system call that nobody is called out of; ``argv[2]`` is a file that another process has locked."""
    when_told(nothing)
    with open(sys.argv[2], "w", encoding="ascii") as file:
        ready()
        fcntl.flock(file, fcntl.LOCK_EX)
    return told.wait()


def hooked() -> bool:
    """Waits for the line itself while what ``argv[2]`` names breaks whatever else is run."""
    line = f"ready {os.getpid()} {platform.python_version()}\n".encode()

    def hook(*words: Any) -> None:
        if words[0] in ("compile", "exec") or words[1:2] == ("call",):
            raise RuntimeError("not this")

    install = getattr(sys, sys.argv[2])
    install(hook)
    os.write(1, line)
    os.read(0, 1)
    if sys.argv[2] != "addaudithook":
        install(None)
    return True


def full() -> bool:
    """Waits for the line itself with no descriptor left."""
    ready()
    limit = os.dup(1)
    os.close(limit)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    os.write(1, b"full\n")
    return os.read(0, 1) != b""


def own_calls() -> bool:
    """Queues calls of its own whenever a line comes, and checks that each is made, once and in their order."""
    api, made, expected = ctypes.pythonapi, [], []
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)

    def note(number: int) -> int:
        made.append(number)
        return 0

    call = kind(note)
    ready()
    for number, _ in enumerate(iter(sys.stdin.readline, "end\n"), 1):
        expected.append(number)
        if api.Py_AddPendingCall(call, ctypes.c_void_p(number)):
            return False
        until_s = time.monotonic() + 10
        while made != expected and time.monotonic() < until_s:
            sum(range(100))
        sys.stdout.write(json.dumps(made) + "\n")
        sys.stdout.flush()
    return made == expected


if __name__ == "__main__":
    result = globals()[sys.argv[1]]()
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
