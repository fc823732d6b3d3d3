"""Process trees as the kernel shows them: masters of our own, and what becomes of their workers."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import psutil
import pytest

from memdash.errors import BadRead, TargetExited
from memdash.model.family import Family
from memdash.model.missing import Missing
from memdash.probes.system.family import FamilyProbe, Shares, Survivors
from memdash.process.identity import identify
from tests.fakes import a_family
from tests.waiting import until

Start = Callable[..., "subprocess.Popen[bytes]"]
T = TypeVar("T")

FORKS = """
import os, signal, sys
for _ in range(int(sys.argv[1])):
    if not os.fork():
        signal.pause()
os.write(1, b"ready\\n")
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        signal.pause()
    os.write(1, b"%d\\n" % pid)
"""


@pytest.fixture
def master(start: Start) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """A program that has forked so many workers, and forks one more for each line it reads."""
    started: list[subprocess.Popen[bytes]] = []

    def run(workers: int) -> subprocess.Popen[bytes]:
        child = start(sys.executable, "-c", FORKS, str(workers))
        started.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        return child

    yield run
    for child in started:
        for worker in psutil.Process(child.pid).children(recursive=True) if child.poll() is None else ():
            worker.kill()


Master = Callable[[int], "subprocess.Popen[bytes]"]


def look(pid: int) -> Family:
    (fact,) = FamilyProbe(identify(pid)).read().facts
    assert isinstance(fact, Family)
    return fact


def test_a_process_without_workers_is_a_family_of_one(start: Start) -> None:
    child = start("sleep", "60")
    family = look(child.pid)
    (member,) = family.members
    assert (member.pid, member.depth, member.role) == (child.pid, 0, "sleep 60")
    assert member.state in ("running", "sleeping")
    assert not family.is_tree
    assert isinstance(member.pss_bytes, Missing)


def test_from_the_master_and_from_each_worker_it_is_one_tree(master: Master) -> None:
    pid = master(3).pid
    workers = [child.pid for child in psutil.Process(pid).children()]
    for own in (pid, *workers):
        family = look(own)
        assert [member.pid for member in family.members] == [pid, *sorted(workers)]
        assert [member.depth for member in family.members] == [0, 1, 1, 1]
        assert [member.role for member in family.members[1:]] == [f"forked from {pid}"] * 3
        assert family.place == family.members.index(next(m for m in family.members if m.pid == own))
        assert {member.parent for member in family.members[1:]} == {pid}


def settled(pid: int) -> Family:
    """A look at which all wait and none has grown since the last: who has just been forked still does."""
    seen = [look(pid)]

    def at_rest() -> Family | None:
        time.sleep(0.1)
        seen.append(look(pid))
        is_calm = seen[-1].rss_bytes == seen[-2].rss_bytes
        return seen[-1] if is_calm and all(member.state != "running" for member in seen[-1].members) else None

    return until(at_rest, "a tree at rest")


def test_rss_and_pss_are_as_psutil_says(master: Master) -> None:
    family = settled(master(2).pid)
    for member in family.members:
        process = psutil.Process(member.pid)
        assert member.rss_bytes == process.memory_info().rss
        assert member.pss_bytes == pytest.approx(process.memory_full_info().pss, rel=0.05)
    rss, pss = family.rss_bytes, family.pss_bytes
    assert isinstance(rss, int)
    assert isinstance(pss, int)
    assert 0 < pss < rss


def test_a_worker_that_comes_or_goes_is_noticed(master: Master) -> None:
    child = master(1)
    probe = FamilyProbe(identify(child.pid))

    def pids() -> list[int]:
        (fact,) = probe.read().facts
        assert isinstance(fact, Family)
        return [member.pid for member in fact.members]

    before = pids()
    assert len(before) == 2
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"\n")
    child.stdin.flush()
    new = int(child.stdout.readline())
    assert pids() == [*before, new]
    os.kill(before[1], signal.SIGKILL)
    until(lambda: psutil.Process(before[1]).status() == psutil.STATUS_ZOMBIE, "its end")
    assert pids() == [child.pid, new]


def test_a_shell_is_no_part_of_what_it_started_but_holds_it(start: Start) -> None:
    shell = start("sh", "-c", "sleep 60 & echo $!; wait")
    assert shell.stdout is not None
    pid = int(shell.stdout.readline())
    until(lambda: psutil.Process(pid).name() == "sleep", "sleep")
    assert [member.pid for member in look(pid).members] == [pid]
    assert [member.pid for member in look(shell.pid).members] == [shell.pid, pid]
    os.kill(pid, signal.SIGTERM)


def test_a_program_started_by_a_script_of_the_same_interpreter_is_another(start: Start) -> None:
    inner = "import os; print(os.getpid(), flush=True); input()"
    outer = start(sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])")
    assert outer.stdout is not None
    pid = int(outer.stdout.readline())
    assert [member.pid for member in look(pid).members] == [pid]
    assert [member.pid for member in look(outer.pid).members] == [outer.pid, pid]


def test_memdash_is_not_of_the_tree_that_it_was_started_in() -> None:
    """The test run is the parent here: it leaves itself out of what it looks at, and what it started with it."""
    family = look(os.getppid())
    assert os.getpid() not in {member.pid for member in family.members}


def test_a_tree_of_hundreds_is_whole(master: Master) -> None:
    family = look(master(299).pid)
    assert len(family.members) == 300
    assert len({member.pid for member in family.members}) == 300


def test_a_target_that_has_ended_is_told(start: Start) -> None:
    child = start("sleep", "60")
    probe = FamilyProbe(identify(child.pid))
    child.kill()
    child.wait()
    with pytest.raises(TargetExited):
        probe.read()


def test_a_pid_that_went_to_another_process_is_not_the_target(start: Start) -> None:
    target = identify(start("sleep", "60").pid)
    with pytest.raises(TargetExited):
        FamilyProbe(replace(target, start_ticks=target.start_ticks - 1)).read()


def test_another_users_tree_has_its_sizes_and_says_why_no_pss(
    master: Master, as_nobody: Callable[[Callable[[], str]], str]
) -> None:
    pid = master(1).pid

    def words() -> str:
        family = look(pid)
        pss = family.pss_bytes
        assert isinstance(pss, Missing)
        return f"{len(family.members)} {family.rss_bytes} {pss.why}"

    number, rss, why = as_nobody(words).split(" ", 2)
    assert int(number) == 2
    assert int(rss) > 1 << 20
    assert "only to its owner" in why


# After the target's end


def test_of_a_dead_worker_the_tree_lives_on_with_its_successor(master: Master) -> None:
    child = master(2)
    worker = look(child.pid).members[1]
    target, before = identify(worker.pid), look(worker.pid)
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: psutil.Process(worker.pid).status() == psutil.STATUS_ZOMBIE, "its end")
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"\n")
    child.stdin.flush()
    successor = int(child.stdout.readline())
    now = Survivors(target, before).look()
    assert now.place is None
    assert now.is_tree
    after = now.beside(1)
    assert after is not None
    assert after.pid == successor
    root = now.beside(-1)
    assert root is not None
    assert root.pid == child.pid
    assert isinstance(now.pss_bytes, int)


def test_of_a_tree_that_is_gone_nobody_is_left() -> None:
    before = a_family()
    before = replace(before, members=tuple(replace(member, pid=2**22) for member in before.members))
    gone = Survivors(identify(os.getpid()), before).look()
    assert gone.members == ()
    assert not gone.is_tree
    assert gone.beside(1) is None


# PSS in turn


class Meter:
    """A clock of CPU time on which each look at it takes ``step_s``."""

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


def test_pss_is_read_in_turn_within_its_time(start: Start) -> None:
    pids = [start("sleep", "60").pid for _ in range(4)]
    members = tuple(
        replace(a_family().members[0], pid=pid, start_ticks=number, pss_bytes=Missing("unread"))
        for number, pid in enumerate(pids)
    )
    at_s = [100.0]
    shares = Shares(Meter(0.06), lambda: at_s[0])
    known = [sum(isinstance(member.pss_bytes, int) for member in shares.given_to(members))]
    for _ in range(2):
        at_s[0] += 4.0
        known.append(sum(isinstance(member.pss_bytes, int) for member in shares.given_to(members)))
    assert known == [2, 3, 4]
    assert shares.oldest_s == 8.0
    at_s[0] += 4.0
    shares.given_to(members)
    assert shares.oldest_s == 12.0  # of the two of the first round one is still to come


def test_who_has_gone_is_forgotten(start: Start) -> None:
    pid = start("sleep", "60").pid
    member = replace(a_family().members[0], pid=pid)
    shares = Shares()
    assert isinstance(shares.given_to((member,))[0].pss_bytes, int)
    gone = shares.given_to((replace(member, pid=2**22, start_ticks=5),))
    assert gone[0].pss_bytes == Missing("the kernel has no smaps_rollup for it")
    assert len(shares._read) == 1


@pytest.mark.parametrize(("number", "error"), [(errno.ESRCH, TargetExited), (errno.EMFILE, BadRead)])
def test_only_a_target_that_is_not_there_has_ended(
    number: int, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    probe = FamilyProbe(identify(os.getpid()))
    monkeypatch.setattr("memdash.probes.system.family._read", fail)
    with pytest.raises(error):
        probe.read()
