"""A Python process that takes memory in every way there is, as the lines on stdin say; each is answered by one line."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
import threading
from typing import Callable, Mapping  # noqa: UP035 - collections.abc has no generics in 3.8

MIB = 1 << 20
held: list[object] = []
forever = threading.Event()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def small(mib: int) -> None:
    held.append([bytes(400) for _ in range(mib * MIB // 448)])


def blocks(mib: int) -> None:
    """Below malloc's threshold for mappings of their own, so they are in its heap."""
    for _ in range(mib * 16):
        at = libc.malloc(MIB // 16)
        ctypes.memset(at, 1, MIB // 16)


def big(mib: int) -> None:
    held.append(b"\1" * (mib * MIB))


def anonymous(mib: int) -> None:
    memory = mmap.mmap(-1, mib * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    touch(memory)


def shared(mib: int) -> None:
    touch(mmap.mmap(-1, mib * MIB))


def touch(memory: mmap.mmap) -> None:
    for at in range(0, len(memory), mmap.PAGESIZE):
        memory[at] = 1
    held.append(memory)


def file(mib: int) -> None:
    with tempfile.TemporaryFile() as opened:
        opened.write(bytes(mib * MIB))
        opened.flush()
        memory = mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ)
    held.append(memory)
    sum(memory[at] for at in range(0, len(memory), mmap.PAGESIZE))


def threads(number: int) -> None:
    used = threading.Barrier(number + 1)

    def wait() -> None:
        used.wait()
        forever.wait()

    for _ in range(number):
        threading.Thread(target=wait, daemon=True).start()
    used.wait()


COMMANDS: Mapping[str, Callable[[int], None]] = {
    "small": small, "blocks": blocks, "big": big, "anonymous": anonymous, "shared": shared, "file": file,
    "threads": threads,
}  # fmt: skip


def main() -> None:
    say(f"ready {os.getpid()} {'.'.join(map(str, sys.version_info[:3]))}")
    for line in sys.stdin:
        name, number = line.split()
        COMMANDS[name](int(number))
        say("ok")


if __name__ == "__main__":
    main()
