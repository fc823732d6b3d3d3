"""A program whose memory has the shape it is told: each line on standard input says how many KiB it should hold in a
cache, how many bytes to leak, how many KiB to allocate and drop and to have in flight, and how many cycles of objects
to leave to the collector."""

from __future__ import annotations

import os
import sys
from collections import deque


class Entry:
    """One of a cache."""

    def __init__(self, kib: int) -> None:
        self.kib = kib
        self.data = [bytes(430 + number % 2) for number in range(2 * kib)]  # small enough for Python's own allocator
        self.itself: Entry | None = None


class Cache:
    """Drops the oldest."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.kib = 0
        self.made = 0

    def resize(self, kib: int) -> None:
        while self.kib < kib:
            self.made += 1
            entry = Entry(1 + self.made % 4)
            self.entries.append(entry)
            self.kib += entry.kib
        while self.kib > kib and self.entries:
            self.kib -= self.entries.popleft().kib


def main() -> None:
    leaked: list[object] = []
    held, flight, debt = Cache(), Cache(), 0
    sys.stdout.write(f"ready {os.getpid()} {'.'.join(map(str, sys.version_info[:3]))}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        kib, leaking, garbage, flying, cycles = map(int, line.split())
        held.resize(kib)
        flight.resize(flying)
        debt += leaking
        while debt >= 600:
            leaked.append({"row": len(leaked), "text": bytes(330)})
            debt -= 600
        for size in range(garbage // 4):
            bytes(4096 - size % 512)
        for _ in range(cycles):
            entry = Entry(1)
            entry.itself = entry


if __name__ == "__main__":
    main()
