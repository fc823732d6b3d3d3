"""A Python process full of objects of known types: makes them, frees some, and counts what its own collector knows.

Runs on CPython 3.8 and newer; every command is answered by one line.
"""

from __future__ import annotations

import collections
import gc
import json
import os
import sys
import threading
import weakref
from typing import Callable, Iterator, Mapping  # noqa: UP035 - collections.abc has no generics in 3.8

BASE_BYTES_AT_MOST = 400
"""An object above may, with what stands before it, be too large for the small-object allocator."""

kept: dict[str, list[object]] = {}
running = threading.Event()


class WithDict:
    def __init__(self, number: int) -> None:
        self.number = number


class Slotted:
    __slots__ = ("a", "b")


class Weak:
    __slots__ = ("__weakref__",)


class Meta(type):
    pass


class OfMeta(metaclass=Meta):
    class Nested:
        pass


class Ünïcode:
    pass


class MyList(list):  # type: ignore[type-arg]
    pass


class MyDict(dict):  # type: ignore[type-arg]
    pass


class MyInt(int):
    __slots__ = ()


class MyStr(str):
    __slots__ = ()


Point = collections.namedtuple("Point", "x y")
LOCAL = (lambda: type("Local", (), {"__module__": "shop.cart", "__qualname__": "cart.<locals>.Local"}))()


def generator() -> Iterator[int]:
    yield 1


def with_more(number: int) -> object:
    made = WithDict(number)
    vars(made).update(x=1)
    return made


def cut(number: int) -> object:
    """A tuple that is made larger at first than it will be."""
    parts: list[object] = [[], number]
    return tuple(part for part in parts)


def weakly(number: int) -> list[object]:
    objects: list[object] = [Weak() for _ in range(number)]
    return [*objects, *map(weakref.ref, objects)]


MAKERS: Mapping[str, Callable[[int], list[object]]] = {
    "with_dict": lambda number: [WithDict(i) for i in range(number)],
    "with_more": lambda number: [with_more(i) for i in range(number)],
    "slotted": lambda number: [Slotted() for _ in range(number)],
    "weak": weakly,
    "meta": lambda number: [OfMeta() for _ in range(number)],
    "nested": lambda number: [OfMeta.Nested() for _ in range(number)],
    "unicode": lambda number: [Ünïcode() for _ in range(number)],
    "my_list": lambda number: [MyList() for _ in range(number)],
    "my_dict": lambda number: [MyDict(i=i) for i in range(number)],
    "my_int": lambda number: [MyInt(i) for i in range(number)],
    "my_str": lambda number: [MyStr(i) for i in range(number)],
    "point": lambda number: [Point(i, []) for i in range(number)],
    "local": lambda number: [LOCAL() for _ in range(number)],
    "list": lambda number: [[i] for i in range(number)],
    "types": lambda number: [[int, str, WithDict] for _ in range(number)] + [(WithDict, []) for _ in range(number)],
    "dict": lambda number: [{i: []} for i in range(number)],
    "set": lambda number: [{i} for i in range(number)],
    "cut_tuple": lambda number: [cut(i) for i in range(number)],
    "ordered": lambda number: [collections.OrderedDict(i=i) for i in range(number)],
    "exception": lambda number: [ValueError([]) for _ in range(number)],
    "function": lambda number: [eval("lambda: 0") for _ in range(number)],  # noqa: S307 - a new one each
    "generator": lambda number: [generator() for _ in range(number)],
    "float": lambda number: [i + 0.5 for i in range(number)],
    "int": lambda number: [i + 10**6 for i in range(number)],
    "large_int": lambda number: [i + 10**40 for i in range(number)],
    "str": lambda number: [f"a str {i}" for i in range(number)],
    "long_str": lambda number: [f"ä{i:300}" for i in range(number)],
    "bytes": lambda number: [b"bytes %d" % i for i in range(number)],
    "complex": lambda number: [complex(i, 1) for i in range(number)],
    "object": lambda number: [object() for _ in range(number)],
}


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def make(name: str, number: str) -> None:
    kept[name] = MAKERS[name](int(number))


def make_classes(name: str, number: str) -> None:
    """Classes of this name, in place of those made before, with three objects each."""
    kept.pop("classes", None)
    gc.collect()
    kinds = [type(f"{name}{i}", (), {"__slots__": ("a",)}) for i in range(int(number))]
    kept["classes"] = [kind() for kind in kinds for _ in range(3)]


def churn() -> None:
    while running.is_set():
        for name in ("with_dict", "point", "str", "cut_tuple", "my_dict"):
            MAKERS[name](300)
        type("Passing", (), {})()


def start_churn() -> None:
    running.set()
    threading.Thread(target=churn, daemon=True).start()


def make_all(number: str) -> None:
    for name in MAKERS:
        make(name, number)


def thin_out() -> None:
    """Free two of three, so that live blocks stand among freed ones."""
    for objects in kept.values():
        objects[:] = objects[::3]


def count() -> str:
    """By type: how many objects the collector tracks. Types that have an object too large are left out."""
    found: dict[type, list[int]] = {}
    for thing in gc.get_objects():
        tally = found.setdefault(type(thing), [0, 0])
        tally[0] += 1
        tally[1] = max(tally[1], object.__sizeof__(thing))
    named: dict[str, int] = {}
    for kind, (number, largest) in found.items():
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        if largest <= BASE_BYTES_AT_MOST:
            named[name] = named.get(name, 0) + number
    return json.dumps(named)


COMMANDS: Mapping[str, Callable[..., str | None]] = {
    "make": make,
    "all": make_all,
    "thin": thin_out,
    "drop": kept.clear,
    "classes": make_classes,
    "churn": start_churn,
    "stop": running.clear,
    "count": count,
    "collect": lambda: str(gc.collect()),
}


def main() -> None:
    say(f"ready {os.getpid()} {'.'.join(map(str, sys.version_info[:3]))}")
    for line in sys.stdin:
        name, *arguments = line.split()
        say((COMMANDS[name](*arguments) or "ok") if name in COMMANDS else "unknown command")


if __name__ == "__main__":
    main()
