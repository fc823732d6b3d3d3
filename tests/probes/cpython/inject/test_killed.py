"""Whoever writes is killed between any two writes: the target goes on as before, and the next attempt works.

To be killed is to do nothing further: the kernel lets a stopped thread go, as leaving ``StoppedThread`` does here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.progress import Stage
from memdash.probes.cpython.inject.request import request_for
from memdash.probes.cpython.inject.route import Route
from memdash.probes.cpython.interpreter import open_interpreter
from memdash.process.identity import identify
from tests.live.pythons import Python, each
from tests.live.target import LiveTarget
from tests.waiting import until

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).parents[3] / "live/programs/python/waiting.py"
MOST_WRITES = 40


class Killed(BaseException):
    """Passes through everything, as a SIGKILL does."""


class CutShort(TargetMemory):
    """Writes only so often."""

    left = MOST_WRITES

    def write(self, address: int, content: bytes) -> None:
        self._count()
        super().write(address, content)

    def write_together(self, parts: Sequence[tuple[int, bytes]]) -> None:
        self._count()
        super().write_together(parts)

    def _count(self) -> None:
        if not self.left:
            raise Killed
        self.left -= 1


FEW = (8, 15)
"""Those whose ways differ most; ``-m matrix`` tries the others."""


python = each(FEW)


def script(folder: Path) -> tuple[Path, Callable[[], int]]:
    """A script, and how often it has been run."""
    path, count = folder / "boot.py", folder / "count"
    path.write_text(f"with open({str(count)!r}, 'a') as file:\n    file.write('x')\n")
    return path, lambda: count.stat().st_size if count.exists() else 0


def attempt(target: LiveTarget, path: Path, writes: int) -> bool:
    """Whether it got to the end with so many writes."""
    identity = identify(target.pid)
    with ExitStack() as opened:
        to = opened.enter_context(CutShort(identity))
        interpreter = open_interpreter(identity)
        opened.callback(interpreter.close)
        to.left = writes
        try:
            route = Route(interpreter, to, request_for(interpreter, to, str(path)))
            until(lambda: route.step().stage is Stage.RAN, "the end of the script")
        except Killed:
            return False
    return True


def test_calls_of_its_own_are_all_made_in_their_order(python: Python, folder: Path) -> None:
    path, runs = script(folder)
    with LiveTarget([python.executable, PROGRAM, "own_calls"]) as target:
        made: list[int] = []
        for writes in range(MOST_WRITES):
            done = attempt(target, path, writes)
            made.append(len(made) + 1)
            assert json.loads(target.command("go")) == made
            if done:
                break
        assert done
        before = runs()
        assert before <= writes + 1
        assert attempt(target, path, MOST_WRITES)
        made.append(len(made) + 1)
        assert json.loads(target.command("go")) == made
        assert runs() > before
        assert target.command("end") == "true"


@pytest.mark.parametrize("way", ["accept", "lock"])
def test_one_that_waits_is_woken_once_and_waits_on(python: Python, folder: Path, way: str) -> None:
    path, runs = script(folder)
    with LiveTarget([python.executable, PROGRAM, way]) as target:
        for writes in range(MOST_WRITES):
            if attempt(target, path, writes):
                break
        assert attempt(target, path, MOST_WRITES)
        assert target.command("x") == "true"
        assert 2 <= runs() <= writes + 2
