# ruff: noqa: B018, PLW0108, PLW2101, S102, S606, TRY301 - each kind of frame is here for its own sake
"""A Python process whose threads stand in many kinds of frames, and that tells where each of them stands.

Runs on CPython 3.8 and newer; every command is answered by one line.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
import os
import selectors
import sys
import threading
import time
import types
from typing import Any, Callable, Iterator  # noqa: UP035 - collections.abc has no generics in 3.8

never = threading.Event()
held = threading.Lock()
held.acquire()
busy = threading.Event()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def wait(_: object = None) -> int:
    never.wait()
    return 0


def sleeping() -> None:
    time.sleep(10_000)


def waiting_for_lock() -> None:
    held.acquire()


def in_epoll() -> None:
    selectors.EpollSelector().select()


def recursive(depth: int = 200) -> None:
    if depth:
        recursive(depth - 1)
    else:
        wait()


def generator() -> Iterator[int]:
    yield 1
    yield wait()


def in_generator() -> None:
    for _ in generator():
        pass


def delegating() -> Iterator[int]:
    yield from generator()


def in_delegated_generator() -> None:
    list(delegating())


def in_comprehension() -> list[int]:
    return [wait(i) for i in range(3)]


def in_generator_expression() -> int:
    return sum(wait(i) for i in range(3))


def in_sorted() -> list[int]:
    return sorted([3, 1, 2], key=lambda number: wait(number))


def in_map() -> list[int]:
    return list(map(wait, range(3)))


async def inner() -> None:
    wait()


async def outer() -> None:
    await inner()


def in_coroutine() -> None:
    asyncio.run(outer())


def decorator(function: Callable[[], None]) -> Callable[[], None]:
    @functools.wraps(function)
    def wrapper() -> None:
        function()

    return wrapper


@decorator
def decorated() -> None:
    wait()


class Things:
    @property
    def waiting(self) -> int:
        return wait()

    @classmethod
    def method(cls) -> int:
        return cls().waiting

    def __getattr__(self, name: str) -> int:
        return wait(name)


def in_attribute() -> None:
    Things().nothing


def in_class_body() -> None:
    class Body:
        value = wait()


def in_many_lines() -> int:
    return max(
        1,
        2,
        wait(
            3,
        ),
    )


def in_handler() -> None:
    try:
        raise ValueError
    except ValueError:
        for _ in range(2):
            wait()
    finally:
        time.sleep(0)


def in_with() -> None:
    with threading.Lock():
        if never.is_set():
            return
        wait()


def größe() -> None:
    wait()


def имя() -> None:
    wait()


def far_apart() -> None:
    """Lines and instructions far from each other, in a file whose name takes four bytes a character."""
    source = "def far(wait):\n x = 0\n" + " x += 1\n" * 300 + "\n" * 700 + " x = (x +\n\n\n wait())\n"
    scope: dict[str, Any] = {}
    exec(compile(source, "/nowhere/\U0001f40d/" + "long" * 100 + ".py", "exec"), scope)
    scope["far"](wait)


def in_exec() -> None:
    exec("import time\n\ntime.sleep(10_000)")


lambdas = {"in_lambda": lambda: wait()}

WAITING: tuple[Callable[[], object], ...] = (
    sleeping, waiting_for_lock, in_epoll, recursive, in_generator, in_delegated_generator, in_comprehension,
    in_generator_expression, in_sorted, in_map, in_coroutine, decorated, Things.method, in_attribute, in_class_body,
    in_many_lines, in_handler, in_with, größe, имя, far_apart, in_exec, lambdas["in_lambda"],
)  # fmt: skip


def leaf_a() -> int:
    return 1


def leaf_b(number: int) -> int:
    return sum(i for i in range(number))


def branch(number: int) -> int:
    return leaf_a() + (branch(number - 1) if number else leaf_b(5))


def tree() -> int:
    return branch(7) + leaf_b(3)


def computing() -> None:
    while busy.is_set():
        tree()
        leaf_a()


def start_computing(number: str) -> None:
    busy.set()
    for _ in range(int(number)):
        threading.Thread(target=computing, daemon=True).start()


def start_waiting(number: str) -> None:
    for _ in range(int(number)):
        threading.Thread(target=recursive, args=(12,), daemon=True).start()


def come_and_go(number: str) -> None:
    """Threads that begin and end all the time."""
    busy.set()

    def begin() -> None:
        while busy.is_set():
            thread = threading.Thread(target=leaf_b, args=(100,))
            thread.start()
            thread.join()

    for _ in range(int(number)):
        threading.Thread(target=begin, daemon=True).start()


def stop() -> None:
    busy.clear()


def stacks() -> str:
    """Every thread but this one as Python sees it: (name of the code, file, line), innermost first."""
    found: list[list[tuple[str, str, int]]] = []
    for ident, innermost in sys._current_frames().items():
        stack: list[tuple[str, str, int]] = []
        frame: types.FrameType | None = innermost
        while frame is not None:
            code = frame.f_code
            name = getattr(code, "co_qualname", code.co_name)
            stack.append((name, code.co_filename, frame.f_lineno or 0))
            frame = frame.f_back
        if ident != threading.get_ident():
            found.append(stack)
    return json.dumps(found)


def settled() -> str:
    """Whether every thread that is to wait does so by now."""
    told = json.loads(stacks())
    last = {"wait", "sleeping", "waiting_for_lock", "in_epoll", "in_exec"}
    return str(all(last & {str(name).rpartition(".")[2] for name, _, _ in stack} for stack in told))


def in_interpreter() -> None:
    """A thread that waits in a sub-interpreter."""
    module = importlib.import_module("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
    ident = module.create()
    threading.Thread(target=module.run_string, args=(ident, "import time\ntime.sleep(10_000)"), daemon=True).start()


def fork() -> str:
    """A child that waits; the name of its pid."""
    pid = os.fork()
    if not pid:
        wait()
    return str(pid)


COMMANDS: dict[str, Callable[..., Any]] = {
    "stacks": stacks, "settled": settled, "compute": start_computing, "wait": start_waiting, "come_and_go": come_and_go,
    "stop": stop, "interpreter": in_interpreter, "fork": fork,
    "exec": lambda: os.execv("/bin/sleep", ["sleep", "1000"]),
}  # fmt: skip


def main() -> None:
    if "plain" not in sys.argv:
        for function in WAITING:
            threading.Thread(target=function, daemon=True).start()
    say(f"ready {os.getpid()} {'.'.join(map(str, sys.version_info[:3]))}")
    for line in sys.stdin:
        name, *arguments = line.split()
        say((COMMANDS[name](*arguments) or "ok") if name in COMMANDS else "unknown command")


if __name__ == "__main__":
    main()
