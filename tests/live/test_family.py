"""Process trees of real programs: each way in which multiprocessing starts workers, on every CPython, and Go's."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from memdash.model.family import Family
from memdash.model.missing import Missing
from memdash.probes.system.family import FamilyProbe
from memdash.process.identity import identify
from tests.live.conftest import StartGo
from tests.live.pythons import Python, readable

pytestmark = pytest.mark.live

_PROGRAM = Path(__file__).parent / "programs/python/workers.py"
_PATIENCE_S = 60.0

_TRACKER, _SERVER = "multiprocessing resource tracker", "multiprocessing fork server"
METHODS = {
    "fork": ("forked from {}", set[str]()),
    "spawn": ("multiprocessing worker (spawn)", {_TRACKER}),
    "forkserver": ("multiprocessing worker (forkserver)", {_TRACKER, _SERVER}),
}
"""What workers say they are, and who else is there, by the way in which they were started."""


def look(pid: int) -> Family:
    (fact,) = FamilyProbe(identify(pid)).read().facts
    assert isinstance(fact, Family)
    return fact


@pytest.fixture
def masters() -> Iterator[Callable[[Path], dict[str, list[int]]]]:
    """By method, the pid of a master and those of its two workers, which end with it: they are daemons."""
    started: list[subprocess.Popen[bytes]] = []

    def start(interpreter: Path) -> dict[str, list[int]]:
        children = {
            method: subprocess.Popen(
                [interpreter, _PROGRAM, method], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
            for method in METHODS
        }
        started.extend(children.values())
        return {method: pids_told(child) for method, child in children.items()}

    yield start
    for child in started:
        try:
            child.communicate(b"\n", timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()


def pids_told(child: subprocess.Popen[bytes]) -> list[int]:
    assert child.stdout is not None
    assert select.select([child.stdout], [], [], _PATIENCE_S)[0], "the master says nothing"
    return [int(pid) for pid in child.stdout.readline().split()]


@pytest.mark.parametrize("python", readable())
def test_the_workers_of_multiprocessing(masters: Callable[[Path], dict[str, list[int]]], python: Python) -> None:
    for method, pids in masters(python.executable).items():
        for own in pids:
            check(look(own), method, own, pids)


def check(family: Family, method: str, own: int, pids: Sequence[int]) -> None:
    """From whomever it is seen, it is the same tree."""
    master, *workers = pids
    words, others = METHODS[method]
    assert (family.members[0].pid, family.members[0].role) == (master, f"workers.py {method}")
    roles = {member.pid: member.role for member in family.members[1:]}
    assert {roles.pop(worker) for worker in workers} == {words.format(master)}
    assert set(roles.values()) == others
    assert family.own_pid == own
    assert family.place is not None
    pss, rss = family.pss_bytes, family.rss_bytes
    assert not isinstance(pss, Missing)
    assert not isinstance(rss, Missing)
    assert 1 << 20 < pss <= rss


def test_a_go_program_and_what_it_is_started_under(start_go: StartGo) -> None:
    """It was started by the test run: another program, so it is the root of its tree."""
    target = start_go()
    family = look(target.pid)
    assert [member.pid for member in family.members] == [target.pid]
    assert not family.is_tree


def test_a_go_program_under_a_shell(start_go: StartGo, tmp_path: Path) -> None:
    """The shell is no part of it, but whoever watches the shell sees the program below."""
    target = start_go()
    program = Path(f"/proc/{target.pid}/exe").readlink()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    shell = subprocess.Popen(["sh", "-c", '"$0" <"$1" & echo $!; wait', program, fifo], stdout=subprocess.PIPE)
    assert shell.stdout is not None
    with fifo.open("wb"):
        pid = int(shell.stdout.readline())
        assert shell.stdout.readline().startswith(b"ready")
        assert [member.pid for member in look(pid).members] == [pid]
        assert [member.pid for member in look(shell.pid).members] == [shell.pid, pid]
    shell.wait()
    shell.stdout.close()
