import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from memdash.process.identity import identify
from memdash.process.listing import matching, processes, user_name, wait_for

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """A program that sleeps, under a name of our own."""

    def named(name: str) -> Path:
        path = tmp_path / name
        shutil.copy(shutil.which("sleep") or "", path)
        return path

    return named


def test_lists_what_psutil_lists_apart_from_what_has_no_memory(start: Start, zombie: int) -> None:
    child = start("sleep", "60")
    before = {process.pid for process in psutil.process_iter() if process.memory_info().rss}
    listed = {candidate.target.pid: candidate for candidate in processes()}
    after = {process.pid for process in psutil.process_iter() if process.memory_info().rss}
    assert before & after <= set(listed)
    assert zombie not in listed
    assert 2 not in listed or psutil.Process(2).name() != "kthreadd"
    assert listed[child.pid].target == identify(child.pid)
    assert listed[child.pid].rss_bytes == psutil.Process(child.pid).memory_info().rss


def test_lists_the_largest_first() -> None:
    sizes = [candidate.rss_bytes for candidate in processes()]
    assert sizes == sorted(sizes, reverse=True)


def test_an_exact_name_outranks_part_of_a_name(start: Start, program: Callable[[str], Path]) -> None:
    exact, longer = start(program("mdt-api"), "60"), start(program("mdt-api-worker"), "60")
    assert [target.pid for target in matching("mdt-api")] == [exact.pid]
    assert {target.pid for target in matching("mdt-ap")} == {exact.pid, longer.pid}


def test_arguments_are_looked_at_last(start: Start, program: Callable[[str], Path]) -> None:
    child = start(sys.executable, "-c", "input()", "--role=mdt-billing")
    assert [target.pid for target in matching("mdt-billing")] == [child.pid]
    named = start(program("mdt-billing"), "60")
    assert [target.pid for target in matching("mdt-billing")] == [named.pid]


def test_a_shell_that_only_started_us_is_not_meant(start: Start) -> None:
    code = "from memdash.process.listing import matching; print([t.pid for t in matching('mdt-nobody')])"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "{code}" mdt-nobody; true', sys.executable],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=root,
    )
    assert done.stdout == "[]\n"


def test_nothing_matches_nothing() -> None:
    assert matching("mdt-" + "no-such-name") == ()


def test_waits_until_a_process_of_that_name_has_started(start: Start, program: Callable[[str], Path]) -> None:
    path = program("mdt-late")
    started: list[int] = []

    def later(_seconds: float) -> None:
        started.append(start(path, "60").pid)

    assert wait_for("mdt-late", later).pid == started[0]
    assert len(started) == 1


def test_a_process_that_becomes_it_by_exec_is_noticed(start: Start, program: Callable[[str], Path]) -> None:
    child = start("sh", "-c", f'read go; exec "{program("mdt-became")}" 60')
    paused = 0

    def later(_seconds: float) -> None:
        nonlocal paused
        paused += 1
        assert paused < 10_000
        if paused == 1:
            assert child.stdin is not None
            child.stdin.write(b"go\n")
            child.stdin.flush()
        os.sched_yield()

    assert wait_for("mdt-became", later).pid == child.pid


def test_of_several_the_newest_is_taken(start: Start, program: Callable[[str], Path]) -> None:
    path = program("mdt-twice")
    first = start(path, "60")
    second = start(path, "60")
    ticks = {child.pid: identify(child.pid).start_ticks for child in (first, second)}
    assert ticks[wait_for("mdt-twice").pid] == max(ticks.values())


def test_a_user_without_a_name_is_shown_by_number() -> None:
    assert user_name(os.getuid()) == psutil.Process().username()
    assert user_name(2_000_000_123) == "2000000123"
