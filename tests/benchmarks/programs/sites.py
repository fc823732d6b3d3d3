"""A program that holds so many MB at twenty places, each its own part, while others come and go. CPython 3.8 and newer.

``python sites.py MB`` says that it is ready, and does it when anything comes on stdin. ``python sites.py MB traced``
does it under tracemalloc, and prints bytes by line.
"""

from __future__ import annotations

import json
import os
import platform
import random
import sys
from collections.abc import Callable

MB = 1_000_000
PLACES = (
    ("bytes(40 + k)", 80),
    ("[k] * 100", 860),
    ("{'a': k, 'b': [k]}", 250),
    ("'x' * (700 + k)", 750),
    ("bytearray(5000)", 5060),
    ("(k, [k], str(n))", 170),
    ("bytes(60000)", 60_040),
    ("bytes(900000)", 900_040),
    ("{1, 2, 3, k}", 220),
    ("float(n) + .5", 32),
    ("[[], []]", 190),
    ("'y%d' % n", 60),
    ("bytes(200)", 240),
    ("list(range(300, 320))", 800),
    ("dict.fromkeys(range(30))", 1200),
    ("bytearray(300)", 360),
    ("object()", 24),
    ("'z' * (3000 + k)", 3060),
    ("bytes(1000)", 1040),
    ("[None] * 4000", 32_060),
)
"""What is made, and about how many bytes that are."""

FUNCTION = """
def place{number}(n, k):
    kept = []
    while n > 0:
        kept.append({made})
        n -= {size}
        if len(kept) % 7 == 0:
            churn()
    return kept
"""


def churn() -> None:
    """What is gone at once."""
    sorted(str(number) * 2 for number in range(20))


def places() -> list[Callable[[int, int], list[object]]]:
    space: dict[str, Callable[[int, int], list[object]]] = {"churn": churn}  # type: ignore[dict-item]
    text = "".join(FUNCTION.format(number=at, made=made, size=size) for at, (made, size) in enumerate(PLACES))
    exec(compile(text, "places.py", "exec"), space)  # noqa: S102 - our own text
    return [space[f"place{number}"] for number in range(len(PLACES))]


def hold(mb: int) -> list[list[object]]:
    """A place's part is one to twenty in 210."""
    parts = list(range(1, len(PLACES) + 1))
    random.Random(5).shuffle(parts)
    return [place(mb * MB * parts[at] // sum(parts), 7) for at, place in enumerate(places())]


def traced(mb: int) -> str:
    import tracemalloc

    tracemalloc.start(1)
    kept = hold(mb)
    found = {
        statistic.traceback[0].lineno: statistic.size
        for statistic in tracemalloc.take_snapshot().statistics("lineno")
        if statistic.traceback[0].filename == "places.py"
    }
    assert kept
    return json.dumps(found)


def main() -> None:
    say(f"ready {os.getpid()} {platform.python_version()}")
    kept = []
    for _ in sys.stdin:
        kept.append(hold(int(sys.argv[1])))
        say("well")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[2:]:
        say(traced(int(sys.argv[1])))
    else:
        main()
