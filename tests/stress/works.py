"""What the process under stress does: each work makes the same text of a seed every time, however it is disturbed.

Runs in the target, on CPython 3.8 and newer, with nothing but the standard library.
"""

from __future__ import annotations

import asyncio
import bz2
import contextlib
import gc
import hashlib
import json
import lzma
import os
import random
import subprocess
import sys
import threading
import time
import traceback
import weakref
import zlib
from collections.abc import Callable, Iterator

__all__ = ["INTERPRETERS", "SEEDS", "STANDARD", "digest", "digests"]

SEEDS = 4


def digest(work: Callable[[random.Random], object], seed: int) -> str:
    return hashlib.sha256(repr(work(random.Random(seed))).encode()).hexdigest()[:16]


def digests(work: Callable[[random.Random], object]) -> list[str]:
    return [digest(work, seed) for seed in range(SEEDS)]


class Knot:
    """A cycle whose finalizer allocates."""

    def __init__(self, ended: list[str], name: str) -> None:
        self.myself, self.ended, self.held = self, ended, {"a": [name] * 50}

    def __del__(self) -> None:
        self.ended.append(str(self.held["a"][:3]) + str([number for number in range(50)]))  # noqa: C416


def collections(rng: random.Random) -> object:
    ended: list[str] = []
    for number in range(200):
        Knot(ended, str(number))
    gc.collect(rng.randrange(3))
    while len(ended) < 200:  # another thread may be the one that collects
        gc.collect()
        time.sleep(0.001)
    return sorted(ended)


def _deep(levels: int) -> list[int]:
    return [levels] if levels == 0 else [*_deep(levels - 1), levels]


def _endless() -> int:
    return _endless() + 1


_NOTHING: dict[str, int] = {}


def exceptions(rng: random.Random) -> object:
    told = []
    for number in range(100):
        try:
            try:
                _deep(30)
                _NOTHING["x" + str(number)]
            except KeyError as error:
                raise ValueError(str(number) * 50) from error
        except ValueError:
            told.append(traceback.format_exc())
    if rng.random() < 0.5:
        with contextlib.suppress(RecursionError):
            told.append(str(_endless()))
    return told


def documents(rng: random.Random) -> object:
    document = {f"k{n}": [n, str(n), None, {"z": 1.5 * n, "r": rng.random()}] for n in range(200)}
    text = json.dumps(document)
    assert json.loads(text) == document
    return text


def buffers(rng: random.Random) -> object:
    """zlib, bz2 and lzma ask for memory without the GIL; bytearray and list move theirs."""
    block = bytes(rng.getrandbits(8) for _ in range(500)) * rng.randrange(1, 600)
    packed = zlib.compress(block, 1), bz2.compress(block[:20_000], 1), lzma.compress(block[:20_000], preset=0)
    assert zlib.decompress(packed[0]) == block
    assert bz2.decompress(packed[1]) == lzma.decompress(packed[2]) == block[:20_000]
    grown = bytearray()
    for _ in range(200):
        grown += block[:500]
    numbers = []
    for number in range(20_000):
        numbers.append(number)  # noqa: PERF402 - growing it step by step is wanted
    del numbers[100:]
    return packed, hashlib.sha256(grown).hexdigest(), numbers


def classes(rng: random.Random) -> object:
    def inner(count: int) -> Iterator[list[int]]:
        for number in range(count):
            yield [number] * 20

    def outer() -> Iterator[list[int]]:
        yield from inner(300)

    space: dict[str, object] = {}
    exec(f"def f(a): return [a] * {rng.randrange(500)}\nr = [f(i) for i in range(50)]", space)  # noqa: S102
    made = type(f"C{rng.randrange(10**6)}", (), {"m": lambda _: [1] * 100})
    told = sum(map(len, outer())), space["r"], [made().m() for _ in range(20)], made.__name__
    reference = weakref.ref(made)
    del made
    while reference() is not None:
        gc.collect()
    return told


def forks(rng: random.Random) -> object:
    number = rng.randrange(1000)
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            blocks = [bytes(300) for _ in range(2000)]
            text = json.dumps([number, *range(1000)])
            gc.collect()
            os.write(writer, f"{sum(map(len, blocks))} {hashlib.sha256(text.encode()).hexdigest()}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    code = os.waitpid(pid, 0)[1]
    time.sleep(0.01)
    return said, code


def subprocesses(rng: random.Random) -> object:
    """With our environment, agent and all, and without."""
    is_bare = rng.random() < 0.7
    program = f"import sys; sys.stdout.write('x' * {rng.randrange(1000)})"
    command = [sys.executable, *(["-S"] if is_bare else []), "-c", program]
    done = subprocess.run(command, capture_output=True, env={} if is_bare else None, check=False)
    time.sleep(0.02)
    return done.returncode, done.stdout, done.stderr


async def _tell(number: int) -> int:
    await asyncio.sleep(0)
    held = [number] * 100
    await asyncio.sleep(0.0001)
    return len(held)


def tasks(_: random.Random) -> object:
    async def crowd() -> int:
        return sum(await asyncio.gather(*[_tell(number) for number in range(100)]))

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(crowd())
    finally:
        loop.close()


def threads(_: random.Random) -> object:
    told: list[list[str]] = []
    started = [threading.Thread(target=lambda: told.append([str(n) for n in range(500)])) for _ in range(8)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return told


def interpreters(rng: random.Random) -> object:
    """Sub-interpreters that come and go, with a GIL of their own from 3.12 on."""
    try:
        module = __import__("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
    except ImportError:
        return None
    number = module.create()
    try:
        module.run_string(
            number,
            "import gc\nx = None\n"
            f"for i in range({rng.randrange(50, 200)}):\n    x = [{{'a': [j] * 10, 'b': str(j)}} for j in range(50)]\n"
            "gc.collect()\nassert len(x) == 50\n",
        )
    finally:
        module.destroy(number)
    return "done"


STANDARD = {
    work.__name__: work
    for work in (collections, exceptions, documents, buffers, classes, forks, subprocesses, tasks, threads)
}
INTERPRETERS = {work.__name__: work for work in (documents, buffers, interpreters)}
