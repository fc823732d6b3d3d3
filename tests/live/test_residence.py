"""Where RSS comes from, against programs that take memory in known ways."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from memdash.model.residence import Mappings, Residence, StepKind
from memdash.process.fields import bytes_of
from memdash.process.identity import identify
from memdash.session import read_once
from memdash.units import MIB
from tests.live.conftest import StartGo
from tests.live.pythons import Python, readable
from tests.live.target import LiveTarget, PythonTarget
from tests.waiting import until

pytestmark = pytest.mark.live

Steps = dict[StepKind, float]

MODES = [
    pytest.param(mode, minor, marks=() if (mode, minor) == ("stripped", 27) else pytest.mark.matrix)
    for mode, minor in (
        *(("stripped", minor) for minor in (21, 22, 23, 24, 25, 26, 27)),
        ("plain", 27), ("pie-external-stripped", 26), ("cgo", 25), ("race", 26),
    )
]  # fmt: skip


def looked_at(pid: int) -> Steps:
    """The steps in MiB; they add up to what the kernel sums up at the same time."""
    while True:
        before = rollup(pid)
        snapshot = read_once(identify(pid))
        if rollup(pid) == before:
            break
    residence, mappings = snapshot.residence, snapshot.sample.mappings
    assert isinstance(residence, Residence)
    assert isinstance(mappings, Mappings)
    assert residence.no_runtime is None
    assert mappings.counted_bytes == before
    explained = sum(step.size_bytes for step in residence.steps if step.kind is not StepKind.UNEXPLAINED)
    assert explained == before
    return dict.fromkeys(StepKind, 0.0) | {step.kind: step.size_bytes / MIB for step in residence.steps}


def rollup(pid: int) -> int:
    """Resident bytes as the kernel adds them up, once the process is at rest."""
    until(lambda: not any(is_running(task) for task in Path(f"/proc/{pid}/task").iterdir()), "a process at rest")
    return bytes_of(Path(f"/proc/{pid}/smaps_rollup").read_bytes(), b"Rss")


def is_running(task: Path) -> bool:
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0] == "R"
    except (FileNotFoundError, ProcessLookupError):
        return False


def grown(target: LiveTarget, *commands: str) -> Steps:
    """By how many MiB each step is more once the target has done this."""
    before = looked_at(target.pid)
    for command in commands:
        target.command(*command.split())
    after = looked_at(target.pid)
    return {kind: after[kind] - before[kind] for kind in StepKind}


def near(expected: float) -> object:
    return pytest.approx(expected, abs=0.6)


@pytest.mark.parametrize(("mode", "minor"), MODES)
def test_a_go_program(start_go: StartGo, mode: str, minor: int) -> None:
    target = start_go(mode, minor=minor)
    target.command("gogc", -1)
    target.command("gc")

    more = grown(target, "write 40")
    assert more[StepKind.RECENT] == near(40)
    assert more[StepKind.NOT_RESIDENT] == pytest.approx(0, abs=2)  # what the runtime keeps about it grows, too

    more = grown(target, "gc")
    assert (more[StepKind.LIVE], more[StepKind.RECENT]) == (near(40), near(-40))

    more = grown(target, "alloc 160")  # 10 MiB that nobody writes to, but the runtime clears what it had used before
    assert more[StepKind.RECENT] == near(10)
    assert more[StepKind.NOT_RESIDENT] == pytest.approx(-10, abs=2)

    more = grown(target, "drop", "gc")
    assert (more[StepKind.LIVE], more[StepKind.RECENT]) == (near(-40 + 10), near(-10))
    assert more[StepKind.IDLE] >= 39

    more = grown(target, "freeos")
    assert more[StepKind.IDLE] <= -38
    assert more[StepKind.NOT_RESIDENT] == pytest.approx(0, abs=2)

    more = grown(target, "deepen 40")
    assert 40 * 64 / 1024 <= more[StepKind.STACKS] <= 40 * 256 / 1024

    more = grown(target, "map 64")
    assert more[StepKind.ANONYMOUS] == near(64)

    more = grown(target, "mapfile 8")
    assert more[StepKind.FILES] == near(8)
    if mode != "race":  # it keeps a shadow of all memory that is used
        assert more[StepKind.ANONYMOUS] == near(0)


@pytest.mark.matrix
def test_what_c_holds_in_a_go_program(start_go: StartGo) -> None:
    target = start_go("cgo", minor=26)
    more = grown(target, "malloc 24")
    assert more[StepKind.MALLOC] + more[StepKind.ANONYMOUS] == near(24)


@pytest.mark.parametrize("python", readable(daily=(12,)))
def test_a_python_program(python: Python) -> None:
    with PythonTarget(python.executable, program="mappings.py") as target:
        more = grown(target, "small 20")
        assert more[StepKind.HEAP] == pytest.approx(20, abs=2)
        assert more[StepKind.NOT_RESIDENT] == pytest.approx(0, abs=1.5)
        assert grown(target, "blocks 12")[StepKind.MALLOC] == near(12)
        assert grown(target, "big 30")[StepKind.ANONYMOUS] == near(30)
        assert grown(target, "anonymous 16")[StepKind.ANONYMOUS] == near(16)
        assert grown(target, "shared 6")[StepKind.SHARED] == near(6)
        assert grown(target, "file 8")[StepKind.FILES] == near(8)
        assert 0 < grown(target, "threads 8")[StepKind.THREAD_STACKS] < 8


def test_a_process_of_no_runtime(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    child = start("cat")
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"x\n")
    child.stdin.flush()
    child.stdout.read(2)
    steps = looked_at(child.pid)
    kinds: Sequence[StepKind] = [kind for kind, size in steps.items() if size > 0]
    assert {StepKind.PROGRAM, StepKind.LIBRARIES, StepKind.MALLOC, StepKind.THREAD_STACKS} <= set(kinds)
    assert not {StepKind.LIVE, StepKind.HEAP, StepKind.METADATA, StepKind.NOT_RESIDENT} & set(kinds)


def test_a_python_that_cannot_be_read_has_its_mappings_all_the_same(
    start: Callable[..., subprocess.Popen[bytes]],
) -> None:
    child = start(sys.executable, "-c", "print('x', flush=True); input()", env={"PYTHONMALLOC": "malloc"})
    assert child.stdout is not None
    child.stdout.readline()
    snapshot = read_once(identify(child.pid))
    assert isinstance(snapshot.residence, Residence)
    assert snapshot.residence.no_runtime is not None
    assert sum(step.size_bytes for step in snapshot.residence.steps) == snapshot.residence.rss_bytes
