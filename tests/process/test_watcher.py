import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.errors import TargetError
from memdash.model.missing import Missing
from memdash.model.target import Ending, Target
from memdash.process.cgroup import locate
from memdash.process.identity import identify
from memdash.process.stat import Stat, parse_stat
from memdash.process.watcher import Watcher
from tests.waiting import until

Start = Callable[..., "subprocess.Popen[bytes]"]
Watch = Callable[..., Watcher]


@pytest.fixture
def watch() -> Iterator[Watch]:
    opened = []

    def of(pid: int | Target) -> Watcher:
        watcher = Watcher(identify(pid) if isinstance(pid, int) else pid)
        opened.append(watcher)
        return watcher

    yield of
    for watcher in opened:
        watcher.close()


def python(start: Start, code: str) -> "subprocess.Popen[bytes]":
    """A Python program that has said it is ready."""
    child = start(sys.executable, "-c", f"print('ready', flush=True)\n{code}")
    assert child.stdout is not None
    child.stdout.readline()
    return child


def tell(child: "subprocess.Popen[bytes]") -> None:
    assert child.stdin is not None
    child.stdin.write(b"go\n")
    child.stdin.flush()


def wait_for_end(watcher: Watcher, timeout_s: float = 30.0) -> Ending:
    poller = select.poll()
    poller.register(watcher.fileno(), select.POLLIN)
    assert poller.poll(timeout_s * 1000)
    ending = watcher.check()
    assert ending is not None
    return ending


def changed(watcher: Watcher) -> Ending:
    """An exec wakes nobody: ask until it shows."""
    return until(watcher.check, "another program")


def test_a_living_process_has_no_ending(start: Start, watch: Watch) -> None:
    watcher = watch(start("sleep", "60").pid)
    assert [watcher.check() for _ in range(100)] == [None] * 100
    assert not select.select([watcher.fileno()], [], [], 0)[0]


@pytest.mark.parametrize("reaped", [False, True])
@pytest.mark.parametrize(("code", "expected"), [("sys.exit(3)", 3), ("pass", 0)])
def test_tells_the_exit_code(start: Start, watch: Watch, code: str, expected: int, reaped: bool) -> None:
    child = python(start, f"import sys\nsys.stdin.readline()\n{code}")
    watcher = watch(child.pid)
    tell(child)
    if reaped:
        child.wait()
    ending = wait_for_end(watcher)
    assert ending.signal_number is None
    assert ending.words == f"exited with code {expected}" or (reaped and not _keeps_exit_status())
    assert abs(ending.at_s - time.time()) < 30


@pytest.mark.parametrize("reaped", [False, True])
def test_tells_the_signal(start: Start, watch: Watch, reaped: bool) -> None:
    child = start("sleep", "60")
    watcher = watch(child.pid)
    child.terminate()
    if reaped:
        child.wait()
    ending = wait_for_end(watcher)
    assert ending.words == "killed by SIGTERM" or (reaped and not _keeps_exit_status())
    assert not ending.oom_killed


def test_a_kill_in_the_middle_of_a_look_is_not_taken_for_an_exec(
    start: Start, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = start("sleep", "60")
    watcher = watch(child.pid)

    def killed_just_then(line: bytes) -> Stat:
        child.kill()
        select.select([watcher.fileno()], [], [])
        return parse_stat(line)

    with monkeypatch.context() as patched:
        patched.setattr("memdash.process.watcher.parse_stat", killed_just_then)
        assert watcher.check() is None
    assert wait_for_end(watcher).words == "killed by SIGKILL"


def test_the_ending_stays_the_same_after_it_was_seen(start: Start, watch: Watch) -> None:
    child = start("sleep", "60")
    watcher = watch(child.pid)
    child.kill()
    ending = wait_for_end(watcher)
    child.wait()
    assert watcher.check() is ending


def test_another_program_in_the_same_process_is_another_target(start: Start, watch: Watch) -> None:
    child = python(start, "import os, sys\nsys.stdin.readline()\nos.execlp('sleep', 'sleep', '60')")
    watcher = watch(child.pid)
    assert watcher.check() is None
    tell(child)
    ending = changed(watcher)
    assert ending.words == f"pid {child.pid} now runs {Path(f'/proc/{child.pid}/exe').readlink()} (exec)"
    assert ending.exit_code is None


@pytest.mark.parametrize("randomised", [True, False])
def test_the_same_program_started_anew_is_another_target(start: Start, watch: Watch, randomised: bool) -> None:
    again = "import os, sys\nsys.stdin.readline()\nos.execv(sys.executable, [sys.executable, '-c', 'input()'])"
    wrapper = () if randomised else ("setarch", "-R")
    child = start(*wrapper, sys.executable, "-c", f"print('ready', flush=True)\n{again}")
    assert child.stdout is not None
    child.stdout.readline()
    watcher = watch(child.pid)
    tell(child)
    ending = changed(watcher)
    assert ending.words == f"pid {child.pid} started {identify(child.pid).exe} anew (exec)"


def test_an_exec_between_identifying_and_pinning_is_seen(start: Start, watch: Watch) -> None:
    child = start("sleep", "60")
    earlier = replace(identify(child.pid), exe_id=(1, 2))
    assert "now runs" in changed(watch(earlier)).words


def test_a_reused_pid_is_another_target(start: Start, watch: Watch) -> None:
    child = start("sleep", "60")
    earlier = replace(identify(child.pid), start_ticks=1)
    assert changed(watch(earlier)).words == f"pid {child.pid} now belongs to another process"


def test_a_process_gone_before_it_was_pinned_has_ended(start: Start, watch: Watch) -> None:
    child = start("sleep", "60")
    target = identify(child.pid)
    child.kill()
    child.wait()
    assert changed(watch(target)).words == "ended; how is known only to its parent"


def test_a_process_whose_first_thread_left_still_runs(start: Start, watch: Watch) -> None:
    code = (
        "import ctypes, sys, threading\n"
        "threading.Thread(target=lambda: (sys.stdin.readline(), __import__('os')._exit(7))).start()\n"
        "watched = ctypes.CDLL(None)\n"
        "print('leaving', flush=True)\n"
        "watched.syscall(60, 0)"  # exit, of this thread alone
    )
    child = python(start, code)
    assert child.stdout is not None
    watcher = watch(child.pid)
    child.stdout.readline()
    until(lambda: " Z " in Path(f"/proc/{child.pid}/stat").read_text(), "the end of its first thread")
    assert watcher.check() is None
    tell(child)
    assert wait_for_end(watcher).words == "exited with code 7"


def test_a_process_of_another_user_is_watched_without_its_memory(
    start: Start, as_nobody: Callable[[Callable[[], str]], str]
) -> None:
    child = start("sleep", "60")

    def told() -> str:
        watcher = Watcher(identify(child.pid))
        before = watcher.check()
        os.write(ready_w, b".")
        return f"{before} {wait_for_end(watcher)}"

    ready_r, ready_w = os.pipe()
    if os.fork() == 0:
        os.read(ready_r, 1)
        os.kill(child.pid, signal.SIGTERM)
        os._exit(0)
    answer = as_nobody(told)
    os.wait()
    os.close(ready_r)
    os.close(ready_w)
    assert answer.startswith("None Ending(")
    assert "exit_code=0" not in answer


def open_descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def test_close_gives_back_every_descriptor(start: Start) -> None:
    child = start("sleep", "60")
    before = open_descriptors()
    watcher = Watcher(identify(child.pid))
    assert open_descriptors() != before
    watcher.close()
    watcher.close()
    assert open_descriptors() == before
    assert watcher.fileno() == -1


def test_running_out_of_descriptors_is_not_taken_for_an_end(start: Start) -> None:
    target = identify(start("sleep", "60").pid)
    before = open_descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(TargetError, match="cannot be watched: Too many open files"):
            Watcher(target)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert open_descriptors() == before


def _keeps_exit_status() -> bool:
    return tuple(int(part) for part in os.uname().release.split(".")[:2]) >= (6, 15)


@pytest.fixture
def small_cgroup() -> Iterator[Path]:
    """A memory cgroup of 40 MiB below our own; few test machines let us make one."""
    ours = locate(os.getpid())
    if isinstance(ours, Missing):
        pytest.skip(ours.why)
    folder = ours.folders[0] / f"memdash-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error.strerror}")
    try:
        (folder / ("memory.max" if ours.version == 2 else "memory.limit_in_bytes")).write_text("40M")
        for name, most in (("memory.swap.max", "0"), ("memory.memsw.limit_in_bytes", "40M")):
            if (folder / name).exists():
                (folder / name).write_text(most)
        yield folder
    except OSError as error:
        pytest.skip(f"no memory limit can be set here: {error.strerror}")
    finally:
        folder.rmdir()


def test_a_kill_for_lack_of_memory_is_told_from_any_other(start: Start, watch: Watch, small_cgroup: Path) -> None:
    code = "import sys; sys.stdin.readline(); hoard = [bytearray(1 << 20) for _ in range(400)]"
    child = python(start, code)
    (small_cgroup / "cgroup.procs").write_text(str(child.pid))
    watcher = watch(child.pid)
    tell(child)
    ending = wait_for_end(watcher)
    assert ending.words == "killed by SIGKILL (out of memory)"
    child.wait()


def test_a_plain_kill_is_not_blamed_on_memory(start: Start, watch: Watch, small_cgroup: Path) -> None:
    child = start("sleep", "60")
    (small_cgroup / "cgroup.procs").write_text(str(child.pid))
    watcher = watch(child.pid)
    child.kill()
    assert wait_for_end(watcher).words == "killed by SIGKILL"
    child.wait()
