"""Threads as the kernel tells of them: this process's own, and files made by hand."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from collections.abc import Iterator

import pytest

from memdash.errors import BadRead, TargetExited
from memdash.model.missing import Missing
from memdash.process import threads
from memdash.process.rest import RAN, UNCOUNTED, Rest
from memdash.process.threads import Doing, Threads
from tests.waiting import until


@pytest.fixture
def asleep() -> Iterator[int]:
    """A thread of this process that waits on a lock."""
    lock = threading.Lock()
    lock.acquire()
    thread = threading.Thread(target=lock.acquire)
    thread.start()
    assert thread.native_id is not None
    yield thread.native_id
    lock.release()
    thread.join()


def doing(found: Threads, tid: int, words: str) -> Doing:
    """What it does, once it is that."""

    def look() -> Doing | None:
        seen = found.doing(tid)
        return seen if seen is not None and seen.words == words else None

    return until(look, f"a thread that is {words}")


def test_our_own_threads_are_there_by_number(asleep: int) -> None:
    ids = Threads(os.getpid()).ids()
    assert ids[os.getpid()] == os.getpid()
    assert asleep in ids.values()


def test_one_that_runs_and_one_that_waits(asleep: int) -> None:
    found = Threads(os.getpid())
    assert doing(found, asleep, "in futex").futex
    own = found.doing(threading.get_native_id())
    assert own is not None
    assert own.words in ("running", "in read")  # it reads the file that tells


def test_a_process_that_has_ended() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    pid = child.pid
    gone = Threads(pid)
    with pytest.raises(TargetExited):
        gone.ids()
    assert gone.doing(pid) is None
    assert gone.names([pid]) == {}


def by_files(monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> Threads:
    monkeypatch.setattr(threads, "read_if_there", lambda path, _: files.get(path.rpartition("/")[2], "").encode())
    return Threads(7)


@pytest.mark.parametrize(
    ("files", "doing"),
    [
        ({"syscall": "running\n", "schedstat": "5 6 7\n"}, Doing("running", 0, 5)),
        (
            {"syscall": "202 0x7f00 0x89 0x0 0x0 0x0 0xff 0x1 0x2\n", "schedstat": "5 6 7\n"},
            Doing("in futex", 0x7F00, 5),
        ),
        ({"syscall": "999 0x1 0x0 0x0 0x0 0x0 0x0 0x1 0x2\n"}, Doing("in system call 999", 0, None)),
        ({"syscall": "-1 0x7ffd 0x7f00\n"}, Doing("blocked outside system calls", 0, None)),
        ({"stat": "7 (a) b) S 1 2 3"}, Doing("sleeping", 0, None)),
        ({"stat": "7 (x) D 1 2 3"}, Doing("waiting for a disk", 0, None)),
        ({"stat": "7 (x) R 1 2 3"}, Doing("running", 0, None)),
        ({}, None),
    ],
)
def test_what_the_files_say(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], doing: Doing | None) -> None:
    assert by_files(monkeypatch, files).doing(7) == doing


def test_in_a_container_threads_have_numbers_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = by_files(monkeypatch, {"status": "Name:\tx\nNSpid:\t700\t3\n"})
    monkeypatch.setattr(os, "listdir", lambda _: ["700"])
    assert found.ids() == {3: 700}


def test_names_are_told_where_they_are_not_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Threads(7)
    names = {"/proc/7/task/7/comm": "python\n", "/proc/7/task/8/comm": "python\n", "/proc/7/task/9/comm": "worker-1\n"}
    monkeypatch.setattr(threads, "read_if_there", lambda path, _: names[path].encode())
    assert found.names([7, 8, 9]) == {9: "worker-1"}
    names["/proc/7/task/9/comm"] = "worker-2\n"
    assert {found.names([7, 9])[9] for _ in range(20)} == {"worker-1", "worker-2"}
    assert found.names([7]) == {}


def test_a_thread_rests_as_long_as_its_count_stays() -> None:
    rest = Rest()
    first = rest.take({1: Doing("in futex", 0, 5), 2: Doing("in futex", 0, 5), 3: Doing("sleeping", 0, None)})
    assert first == {1: Missing("it has been looked at only once"), 2: first[1], 3: UNCOUNTED}
    second = rest.take({1: Doing("in futex", 0, 5), 2: Doing("in futex", 0, 6)})
    assert isinstance(second[1], float)
    assert second[2] == RAN
    third = rest.take({1: Doing("in futex", 0, 5), 2: Doing("in futex", 0, 6)})
    assert isinstance(third[1], float)
    assert isinstance(third[2], float)
    assert third[1] > second[1]
    assert third[1] > third[2]


@pytest.mark.parametrize(("number", "error"), [(errno.ENOENT, TargetExited), (errno.EMFILE, BadRead)])
def test_only_a_process_that_is_not_there_has_ended(
    number: int, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> list[str]:
        raise OSError(number, os.strerror(number))

    found = Threads(os.getpid())
    monkeypatch.setattr("memdash.process.threads.os.listdir", fail)
    with pytest.raises(error):
        found.ids()
