import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from memdash.errors import MemdashError, NoSuchTarget, TargetError, TargetExited
from memdash.model.target import Runtime
from memdash.process.identity import identify, pid_inside

Start = Callable[..., "subprocess.Popen[bytes]"]
SLEEP = shutil.which("sleep") or ""


def test_says_who_a_process_is_as_psutil_does(start: Start) -> None:
    child = start("sleep", "60")
    target, told = identify(child.pid), psutil.Process(child.pid)
    assert target.pid == child.pid
    assert target.name == told.name() == "sleep"
    assert target.argv == ("sleep", "60")
    assert target.exe == told.exe()
    assert target.uid == told.uids().effective
    assert target.started_at_s == pytest.approx(told.create_time(), abs=1.5)
    assert abs(target.started_at_s - time.time()) < 30
    file = Path(told.exe()).stat()
    assert target.exe_id == (file.st_dev, file.st_ino)
    assert target.runtime is Runtime.NATIVE


def test_the_name_is_completed_beyond_the_15_bytes_the_kernel_keeps(start: Start, tmp_path: Path) -> None:
    program = tmp_path / "a-name-longer-than-fifteen"
    shutil.copy(SLEEP, program)
    assert identify(start(program, "60").pid).name == "a-name-longer-than-fifteen"


def test_a_name_with_parentheses_spaces_and_escapes_is_kept_whole(start: Start, tmp_path: Path) -> None:
    program = tmp_path / "a) R (\x1b[31m"
    shutil.copy(SLEEP, program)
    child = start(program, "60")
    target = identify(child.pid)
    assert target.name == "a) R (\x1b[31m"
    assert target.start_ticks > 0


def test_a_deleted_executable_keeps_its_path_and_inode(start: Start, tmp_path: Path) -> None:
    program = tmp_path / "gone"
    shutil.copy(SLEEP, program)
    inode = program.stat().st_ino
    child = start(program, "60")
    program.unlink()
    target = identify(child.pid)
    assert target.exe == str(program)
    assert target.exe_id[1] == inode


@pytest.mark.parametrize("pid", [-1, 0, 2**22 + 1, 2**31, 10**30])
def test_a_pid_that_cannot_be_is_no_such_target(pid: int) -> None:
    with pytest.raises(NoSuchTarget, match=f"no process has pid {pid}$") as caught:
        identify(pid)
    assert caught.value.hint


def test_a_reaped_pid_is_no_such_target() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    with pytest.raises(NoSuchTarget):
        identify(child.pid)


def test_a_zombie_is_named_as_one(zombie: int) -> None:
    with pytest.raises(TargetExited, match=r"already exited and waits for its parent \d+ \(a zombie\)"):
        identify(zombie)


def test_a_thread_is_told_from_its_process() -> None:
    asked = []
    ready, done = threading.Event(), threading.Event()

    def body() -> None:
        asked.append(threading.get_native_id())
        ready.set()
        done.wait(30)

    thread = threading.Thread(target=body)
    thread.start()
    ready.wait(30)
    try:
        with pytest.raises(NoSuchTarget, match=f"is a thread of process {os.getpid()}") as caught:
            identify(asked[0])
    finally:
        done.set()
        thread.join()
    assert str(os.getpid()) in caught.value.hint


@pytest.mark.skipif(
    not Path("/proc/2/stat").exists() or psutil.Process(2).name() != "kthreadd", reason="a pid namespace"
)
def test_a_kernel_thread_has_no_memory() -> None:
    with pytest.raises(TargetError, match="kernel thread: it has no memory of its own"):
        identify(2)


def test_a_process_of_another_user_is_still_a_target(
    start: Start, as_nobody: Callable[[Callable[[], str]], str]
) -> None:
    child = start("sleep", "60")
    told = as_nobody(lambda: repr(identify(child.pid)))
    assert "name='sleep', argv=('sleep', '60'), exe='', exe_id=(0, 0), uid=0" in told


def test_every_error_is_one_line_with_something_to_try(zombie: int) -> None:
    for pid in (-1, 2**31, zombie):
        with pytest.raises(MemdashError) as caught:
            identify(pid)
        assert "\n" not in str(caught.value)
        assert not str(caught.value).endswith(".")
        assert caught.value.hint


def test_a_process_knows_itself_by_the_innermost_of_its_pids(start: Start) -> None:
    assert pid_inside(os.getpid()) == os.getpid()
    with pytest.raises(TargetExited):
        pid_inside(2**22 + 1)
    if os.geteuid() != 0:
        pytest.skip("only root can make a namespace of pids")
    child = start("unshare", "--pid", "--fork", "sh", "-c", "echo there; exec sleep 60")
    assert child.stdout is not None
    if child.stdout.readline() != b"there\n":
        pytest.skip("the kernel lets nobody make a namespace of pids here")
    (inner,) = psutil.Process(child.pid).children()
    try:
        assert pid_inside(inner.pid) == 1
    finally:
        inner.kill()
