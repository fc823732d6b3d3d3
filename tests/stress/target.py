"""A Python process that is attached to again and again, and checks itself. Runs on CPython 3.8 and newer.

Its argument says what the main thread does; another thread answers what comes on stdin. Where that and the main thread
are all there is, the other threads are idle while nobody asks.
"""

from __future__ import annotations

import os
import platform
import select
import signal
import sys
import threading
import time

wrong: list[str] = []


def speed() -> float:
    """Loops a second of this thread's CPU time."""
    start_s = time.thread_time()
    total = 0
    for number in range(300_000):
        total += number
    return 300_000 / (time.thread_time() - start_s)


def answer() -> None:
    for line in sys.stdin:
        said = speed() if line.strip() == "speed" else len(wrong)
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
    os._exit(0)


def work() -> None:
    """Mostly Python code, a little sleep."""
    while True:
        if sum(range(1000)) != 499_500 or sorted([3, 1, 2]) != [1, 2, 3]:
            wrong.append("sum")
        time.sleep(0.001)


def wait() -> None:
    """In epoll, for 20 s at a time."""
    poll = select.epoll()
    out, _into = os.pipe()
    poll.register(out, select.EPOLLIN)
    while True:
        start_s = time.monotonic()
        if poll.poll(20) or time.monotonic() - start_s < 19.9:
            wrong.append("epoll")


def lock() -> None:
    """In a lock that is never free, for 20 s at a time."""
    guard = threading.Lock()
    guard.acquire()
    while True:
        start_s = time.monotonic()
        if guard.acquire(timeout=20) or time.monotonic() - start_s < 19.9:
            wrong.append("lock")


def mixed() -> None:
    """Sleeps, under a hundred signals a second, beside threads that are busy and take turns at a lock."""
    seen = []
    guard = threading.Lock()

    def busy() -> None:
        while True:
            with guard:
                if sum(range(1000)) != 499_500:
                    wrong.append("sum")
            time.sleep(0.002)

    for _ in range(2):
        threading.Thread(target=busy, daemon=True).start()
    signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    while True:
        start_s = time.monotonic()
        time.sleep(0.5)
        if time.monotonic() - start_s < 0.499:
            wrong.append("sleep")
        del seen[:]


if __name__ == "__main__":
    threading.Thread(target=answer, daemon=True).start()
    sys.stdout.write(f"ready {os.getpid()} {platform.python_version()}\n")
    sys.stdout.flush()
    globals()[sys.argv[1]]()
