"""memdash check fails a program that leaks and passes the same one with its leak closed."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from memdash.cli import main
from memdash.commands.agency import NOBODY
from memdash.commands.budget import Plan
from memdash.commands.checking import of_target
from memdash.config import MostGrowth
from memdash.model.check import Checked, Outcome
from memdash.probes.registry import PROBES
from memdash.process.identity import identify
from tests.live.conftest import StartGo
from tests.live.target import LiveTarget, PythonTarget
from tests.waiting import until

pytestmark = pytest.mark.live


@contextmanager
def working(target: LiveTarget, *steps: str) -> Iterator[None]:
    """It goes through the steps again and again."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            for step in steps:
                target.command(*step.split())

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def growth(out: str) -> dict[str, Any]:
    """What became of the budget for it."""
    found: dict[str, Any] = next(b for b in json.loads(out)["budgets"] if b["name"].startswith("growth"))
    return found


MOST_SAMPLES = 51


def check(target: LiveTarget) -> Checked:
    """Of a watch during which the machine went on: where it stood still for seconds there was nothing to see.

    Sites are read every two seconds: also of a watch that lacks a second of its five, two readings are left.
    """
    plan = Plan(max_growth=[MostGrowth(1 << 19, is_rate=False)], warm_up=0.0, duration=5.0, interval=0.1)

    def seen() -> Checked | None:
        checked = of_target(identify(target.pid), plan, PROBES, NOBODY)
        return checked if checked.samples >= 0.8 * MOST_SAMPLES else None

    return until(seen, "a watch that was not held up")


def test_a_go_program_that_leaks_fails_and_one_that_does_not_passes(start_go: StartGo) -> None:
    leaking, fixed = start_go("stripped", "pprof"), start_go("stripped", "pprof")
    with (
        ThreadPoolExecutor() as pool,
        working(leaking, "alloc 4", "gc"),
        working(fixed, "alloc 4", "free", "gc"),
    ):
        broken, kept = pool.map(check, (leaking, fixed))
    worst = broken.judgements[0]
    assert (worst.name, worst.outcome) == ("growth at most 512KiB", Outcome.FAILED)
    assert worst.why.startswith("live heap after each GC was ")
    assert "main." in worst.evidence[0]
    assert kept.passed
    assert [judgement.outcome for judgement in kept.judgements] == [Outcome.UNKNOWN, Outcome.PASSED]


@pytest.mark.matrix
@pytest.mark.parametrize(("leaks", "code"), [(True, 1), (False, 0)])
def test_a_go_program_that_never_collects_can_be_made_to(
    start_go: StartGo, capfd: pytest.CaptureFixture[str], leaks: bool, code: int
) -> None:
    target = start_go("stripped", "pprof")
    target.command("gogc", -1)
    argv = ["check", "--warm-up=0s", "--for=3s", "--max-growth=512KiB", "--allow-leak", "--json", str(target.pid)]
    with working(target, "alloc 4", *([] if leaks else ["free"])):
        assert main(argv) == 1
        assert growth(capfd.readouterr().out)["outcome"] == "not judged"
        assert main([*argv, "--force-gc", "--endpoint=auto"]) == code
    out = capfd.readouterr().out
    found = growth(out)
    assert found["why"].startswith("live heap after each GC was ")
    assert found["why"].endswith(" and 3 collections later")
    assert [deed["figures"]["action"] for deed in json.loads(out)["deeds"]] == ["force GC"] * 4


@pytest.mark.matrix
@pytest.mark.parametrize(("leaks", "code"), [(True, 1), (False, 0)])
def test_large_blocks_of_a_python_that_nobody_prepared(
    capfd: pytest.CaptureFixture[str], leaks: bool, code: int
) -> None:
    """They come from malloc, which is not read from outside: but they are resident."""
    argv = ["check", "--warm-up=1s", "--for=6s", "--max-growth=4MiB", "--json"]
    with PythonTarget(Path(sys.executable)) as target, working(target, "big 2" if leaks else "cycles 2"):
        assert main([*argv, str(target.pid)]) == code
    found = growth(capfd.readouterr().out)
    if leaks:
        assert found["why"].startswith("floor of RSS and swap was ")


@pytest.mark.matrix
def test_the_line_that_leaks_in_a_python_that_runs_is_named_by_the_agent(capfd: pytest.CaptureFixture[str]) -> None:
    argv = ["check", "--agent", "--sample=32KiB", "--warm-up=3s", "--for=6s", "--max-growth=2MiB", "--json"]
    with PythonTarget(Path(sys.executable)) as target, working(target, "big 2"):
        assert main([*argv, str(target.pid)]) == 1
    found = growth(capfd.readouterr().out)
    assert found["why"].startswith("floor of the live heap was ")
    assert "target.py:" in found["evidence"][0]


@pytest.mark.matrix
def test_why_no_sites_are_named_is_told(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program = tmp_path / "leaking.py"
    program.write_text(
        "import time\nkept = []\nwhile True:\n    kept += [[] for _ in range(9999)]\n    time.sleep(0.05)"
    )
    argv = [
        "check",
        "--warm-up=1s",
        "--for=4s",
        "--max-growth=1MiB",
        "--json",
        "--",
        sys.executable,
        "-I",
        str(program),
    ]
    assert main(argv) == 1
    why = growth(capfd.readouterr().out)["evidence"][-1]
    assert why.startswith("which sites grew is not known: it has started without memdash's agent, as with -I")


LETTING_GO = """
import os, time
kept = [bytearray(1 << 20) for _ in range(60)]
time.sleep(4)
os.closerange(3, 1000)
kept += [bytearray(1 << 20) for _ in range(60)]
time.sleep(600)
"""


@pytest.mark.matrix
def test_what_the_agent_told_is_not_judged_by_less_once_the_program_has_closed_its_connection(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    program = tmp_path / "letting_go.py"
    program.write_text(LETTING_GO)
    budgets = ["--max=HeapAlloc=100MiB", "--max=HeapSmall=100MiB", "--max-growth=200MiB", "--allow-leak"]
    argv = ["check", "--warm-up=1s", "--for=10s", "-i", "200ms", *budgets, "--json", "--", sys.executable, str(program)]
    assert main(argv) == 1
    found = {budget["name"]: budget for budget in json.loads(capfd.readouterr().out)["budgets"]}
    heap = found["HeapAlloc at most 100MiB"]
    assert (heap["outcome"], heap["fails"]) == ("not judged", True)
    assert heap["why"].startswith("not known for the last ")
    assert "memdash's agent has gone" in heap["why"]
    assert found["HeapSmall at most 100MiB"]["outcome"] == "passed"
    assert found["growth at most 200MiB"]["why"].startswith("floor of RSS and swap was ")


@pytest.mark.matrix
def test_the_self_test_finds_that_the_gate_works(capfd: pytest.CaptureFixture[str]) -> None:
    """Servers in Python and in Go, each with its leak and without."""
    code = main(["check", "--self-test"])
    out = capfd.readouterr().out
    assert code == 0, out
    assert out.splitlines()[-1] == "the gate works here"
    assert "Python server with its leak fails: growth at most 2MiB" in out
