"""A Python process that does everything at once and checks each result. Runs on CPython 3.8 and newer.

``python mixture.py SET`` says that it is ready, and then answers what comes on stdin, one line each: ``digests`` (what
each work makes of each seed, one after the other), ``expect JSON`` (those of a process that nobody disturbed),
``begin`` (all works at once, in threads, under signals), ``rounds`` and ``finish`` (how often, and what was wrong),
``allocators`` (who they are), ``limit MIB`` (so much more address space, until it finishes), ``end WAY``.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable

import packaged  # type: ignore[import-not-found]  # it stands beside this file
import works  # type: ignore[import-not-found]

SIGNALS_S = 0.003
TURNS_S = 0.0005
"""Threads take turns ten times as often as usual."""


def memory(rng: random.Random) -> object:
    """Ask for more than there is, again and again; what was held before stays whole."""
    held = [[number, str(number)] for number in range(3000)]
    failed = 0
    for _ in range(3):
        blocks: list[object] = []
        try:
            while True:
                blocks.append(bytearray(rng.randrange(1, 1 << 22)) if rng.random() < 0.5 else list(range(4000)))
        except MemoryError:
            del blocks
            failed += 1
    return failed, held


SETS = {
    "standard": works.STANDARD,
    "interpreters": works.INTERPRETERS,
    "memory": {"memory": memory},
    "gevent": {"greenlets": packaged.greenlets},
    "uvloop": {"uv_tasks": packaged.uv_tasks, "documents": works.documents},
    "numpy": {"arrays": packaged.arrays, "documents": works.documents, "forks": works.forks},
    "pandas": {"frames": packaged.frames, "arrays": packaged.arrays},
    "flask": {"flask_requests": packaged.flask_requests, "collections": works.collections},
    "celery": {"celery_tasks": packaged.celery_tasks, "subprocesses": works.subprocesses},
}


class Crowd:
    """A thread for each work, and signals for this one."""

    def __init__(self, chosen: dict[str, Callable[[random.Random], object]]) -> None:
        self.chosen = chosen
        self.expected: dict[str, list[str]] = {}
        self.rounds = dict.fromkeys(chosen, 0)
        self.wrong: list[str] = []
        self.signals = 0
        self.is_over = False
        self.running: list[threading.Thread] = []

    def begin(self) -> None:
        signal.signal(signal.SIGALRM, self.heard)
        signal.setitimer(signal.ITIMER_REAL, SIGNALS_S, SIGNALS_S)
        self.running = [threading.Thread(target=self.work, args=(name,), daemon=True) for name in self.chosen]
        for thread in self.running:
            thread.start()

    def heard(self, *_: object) -> None:
        self.signals += 1
        with contextlib.suppress(MemoryError):
            [[number] for number in range(200)]

    def work(self, name: str) -> None:
        while not self.is_over:
            seed = self.rounds[name] % works.SEEDS
            try:
                made = works.digest(self.chosen[name], seed)
            except BaseException as error:  # noqa: BLE001 - any is one too many
                self.wrong.append(f"{name} {seed}: {error!r}")
                return
            if made != self.expected[name][seed]:
                self.wrong.append(f"{name} {seed}: {made}")
                return
            self.rounds[name] += 1

    def told(self) -> str:
        return json.dumps({"rounds": self.rounds, "wrong": self.wrong, "signals": self.signals})

    def rest(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)

    def finish(self) -> str:
        self.is_over = True
        for thread in self.running:
            thread.join()
        self.rest()
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return self.told()


def allocators() -> str:
    """The functions of each, and what they are called with."""
    import ctypes

    record = (ctypes.c_uint64 * 5)()
    told = []
    for domain in range(3):
        ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(record))
        told.append(list(record))
    return json.dumps(told)


def limit(mib: int) -> None:
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    most = pages * resource.getpagesize() + (mib << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def end(crowd: Crowd, way: str) -> None:
    """``return`` has threads at work, as ``quit`` and ``exec`` have; for ``exit`` they are over."""
    if way == "exit":
        crowd.finish()
    if way == "exec":
        crowd.rest()
        os.execv(sys.executable, [sys.executable, "-W", "ignore", *sys.argv])  # noqa: S606 - no shell is wanted
    if way == "quit":
        os._exit(0)
    crowd.rest()
    sys.exit()


def main() -> None:
    sys.setswitchinterval(TURNS_S)
    crowd = Crowd(SETS[sys.argv[1]])
    say(f"ready {os.getpid()} {platform.python_version()}")
    for line in iter(heard_line, ""):
        command, _, words = line.strip().partition(" ")
        if command == "digests":
            say(json.dumps({name: works.digests(work) for name, work in crowd.chosen.items()}))
        elif command == "expect":
            crowd.expected = json.loads(words)
            say("well")
        elif command == "begin":
            crowd.begin()
            say("well")
        elif command == "rounds":
            say(crowd.told())
        elif command == "finish":
            say(crowd.finish())
        elif command == "allocators":
            say(allocators())
        elif command == "limit":
            limit(int(words))
            say("well")
        elif command == "end":
            end(crowd, words)
        time.sleep(0)


def heard_line() -> str:
    """The next one, also where there is no memory left at the moment."""
    while True:
        try:
            return sys.stdin.readline()
        except MemoryError:
            time.sleep(0.01)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
