"""A script gets into every interpreter, whatever its main thread does, and the target goes on as before."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.model.action import Action
from memdash.model.missing import Missing
from memdash.probes.cpython import CPYTHON
from memdash.probes.cpython.inject.injection import Injection
from memdash.probes.cpython.inject.progress import Progress, Stage
from memdash.probes.cpython.inject.ptrace import _SEIZE, _request
from memdash.process.identity import identify
from tests.live.pythons import Python, each, readable
from tests.live.target import LiveTarget
from tests.live.watched import Watched
from tests.waiting import until

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).parent / "programs/python/waiting.py"
PATIENCE_S = 30.0

IDLE_WAYS = ["sleep", "loop", "lock_for_a_time", "poll_in_c"]
MORE_IDLE_WAYS = ["accept", "read", "lock", "join", "child"]
BUSY_WAYS = ["busy", "signals", *(pytest.param(way, marks=pytest.mark.matrix) for way in ("busy_in_c", "threads"))]


FEW = (8, 15)
"""Those whose ways differ most; ``-m matrix`` tries the others."""


python = each(FEW)
mended = each((8, 14))
"""Whose ways to run a script, and to fail in it, differ most."""


class WaitingTarget(LiveTarget):
    """The program ``waiting.py``; what it writes to stderr is kept."""

    def __init__(self, python: Python, way: str, *words: str | Path, options: tuple[str, ...] = ()) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the target
        super().__init__([python.executable, "-Werror", *options, PROGRAM, way, *words], stderr=self._errors)

    def result(self, last_words: bytes = b"x") -> tuple[str, int, bytes]:
        """Tell it to end: what it says, its exit code, and its complaints."""
        assert self._process.stdin is not None
        self._process.stdin.write(last_words)
        said = self._line()
        code = self._process.wait(PATIENCE_S)
        self._errors.seek(0)
        return said, code, self._errors.read()

    def kill(self) -> None:
        super().kill()
        self._errors.close()


FINE = ("true", 0, b"")


class Script:
    """A script that counts how often it is run."""

    def __init__(self, folder: Path, name: str = "boot") -> None:
        self.path, self._count = folder / f"{name}.py", folder / f"{name}.count"
        count = str(self._count)
        self.path.write_text(
            f"import os\nfd = os.open({count!r}, os.O_CREAT | os.O_APPEND | os.O_WRONLY)\n"
            "os.write(fd, b'x')\nos.close(fd)\n"
        )

    @property
    def runs(self) -> int:
        return self._count.stat().st_size if self._count.exists() else 0


def injected(started: ExitStack, target: LiveTarget, script: Script) -> Injection:
    return started.enter_context(closing(Injection(identify(target.pid), str(script.path))))


def awaited(injection: Injection, stage: Stage) -> Progress:
    """Once it has come to that stage, or can come no further."""
    until(lambda: injection.poll().stage in (stage, Stage.RAN, Stage.REFUSED))
    assert injection.poll().stage is stage, injection.poll()
    return injection.poll()


def test_it_runs_once_however_the_main_thread_waits(python: Python, folder: Path) -> None:
    run_once(python, folder, IDLE_WAYS)


@pytest.mark.matrix
def test_it_runs_once_in_whatever_else_the_main_thread_waits(python: Python, folder: Path) -> None:
    run_once(python, folder, MORE_IDLE_WAYS)


@pytest.mark.parametrize("way", BUSY_WAYS)
def test_it_runs_once_whatever_the_main_thread_does(python: Python, folder: Path, way: str) -> None:
    run_once(python, folder, [way])


def run_once(python: Python, folder: Path, ways: list[str]) -> None:
    scripts = {way: Script(folder, way) for way in ways}
    results = {}
    with ExitStack() as started:
        targets = {way: started.enter_context(WaitingTarget(python, way)) for way in ways}
        injections = {way: injected(started, targets[way], scripts[way]) for way in ways}
        for way, injection in injections.items():
            awaited(injection, Stage.RAN)
            until(lambda script=scripts[way]: script.runs > 0)  # type: ignore[misc]
            injection.connected()
            results[way] = targets[way].result()
    assert results == dict.fromkeys(ways, FINE)
    assert {way: script.runs for way, script in scripts.items()} == dict.fromkeys(ways, 1)


def test_the_agent_gets_in_and_goes_without_a_trace(python: Python) -> None:
    with WaitingTarget(python, "accept") as target, Watched(target, CPYTHON) as watched:
        (agent,) = (actor for actor in watched.attachment.actors if Action.LOAD_AGENT in actor.offers())
        agent.act(Action.LOAD_AGENT)
        until(lambda: isinstance(agent.offers()[Action.FORCE_GC], str))
        assert agent.act(Action.FORCE_GC).endswith("collected")
        agent.close()
        assert target.result() == FINE


@pytest.fixture
def locked(python: Python, folder: Path) -> Iterator[tuple[WaitingTarget, Callable[[], None]]]:
    """A target that cannot be woken, and what lets it go on."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with WaitingTarget(python, "file_lock", folder / "lock") as target:
            yield target, lambda: fcntl.flock(file, fcntl.LOCK_UN)


@pytest.mark.matrix
def test_one_that_cannot_be_woken_is_waited_for(locked: tuple[WaitingTarget, Callable[[], None]], folder: Path) -> None:
    target, unlock = locked
    script, unwanted = Script(folder), Script(folder, "unwanted")
    with closing(Injection(identify(target.pid), str(unwanted.path))) as injection:
        awaited(injection, Stage.WAITING)
        assert injection.state() == "waiting for it to wake, blocked in flock"
    leave_behind(target.pid, unwanted)
    with closing(Injection(identify(target.pid), str(script.path))) as injection:
        awaited(injection, Stage.WAITING)
        unlock()
        awaited(injection, Stage.RAN)
    assert target.result() == FINE
    assert (script.runs, unwanted.runs) == (1, 0)


def test_what_a_killed_process_has_asked_is_taken_back(
    locked: tuple[WaitingTarget, Callable[[], None]], folder: Path
) -> None:
    target, unlock = locked
    unwanted = Script(folder)
    with closing(Injection(identify(target.pid), str(unwanted.path))) as injection:
        awaited(injection, Stage.WAITING)
        os.kill(injection._process.pid, signal.SIGKILL)
        awaited(injection, Stage.REFUSED)
        assert injection.state() == Missing("the process that was to do it has been killed", "try again")
    unlock()
    assert target.result() == FINE
    assert unwanted.runs == 0


def leave_behind(pid: int, script: Script) -> None:
    """Be killed while an injection waits, and see its own process end."""
    command = [sys.executable, "-c", LEFT_BEHIND, str(pid), str(script.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as watcher:
        assert watcher.stdout is not None
        helper = int(watcher.stdout.readline())
        watcher.kill()
    until(lambda: not is_running(helper))


LEFT_BEHIND = """
import sys, time
from memdash.model.action import Action
from memdash.model.missing import Missing
from memdash.probes.cpython import CPYTHON
from memdash.probes.cpython.inject.injection import Injection
from memdash.probes.cpython.inject.progress import Stage
from memdash.process.identity import identify
injection = Injection(identify(int(sys.argv[1])), sys.argv[2])
while injection.poll().stage is not Stage.WAITING:
    time.sleep(0.005)
print(injection._process.pid, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def newest() -> Python:
    *_, found = [value for parameter in readable() if (value := parameter.values[0])]  # type: ignore[attr-defined]
    assert isinstance(found, Python)
    return found


def oldest() -> Python:
    return next(value for parameter in readable() if (value := parameter.values[0]))  # type: ignore[attr-defined,no-any-return]


def test_a_stopped_target_runs_it_when_it_continues(folder: Path) -> None:
    script = Script(folder)
    with WaitingTarget(oldest(), "accept") as target:
        os.kill(target.pid, signal.SIGSTOP)
        with closing(Injection(identify(target.pid), str(script.path))) as injection:
            assert awaited(injection, Stage.WAITING).words == "it is stopped: the script will run when it continues"
            os.kill(target.pid, signal.SIGCONT)
            awaited(injection, Stage.RAN)
        assert target.result() == FINE
    assert script.runs == 1


def test_one_that_is_traced_already_is_not_woken(folder: Path) -> None:
    with WaitingTarget(oldest(), "accept") as target:
        _request(_SEIZE, target.pid)
        with closing(Injection(identify(target.pid), str(Script(folder).path))) as injection:
            until(lambda: bool(injection.poll().hint))
            assert injection.poll() == Progress(
                Stage.WAITING,
                "waiting for it to wake, blocked in accept4",
                f"memdash cannot wake it: process {os.getpid()} traces it already",
            )


@pytest.mark.parametrize("way", ["variable", "option"])
def test_who_has_opted_out_is_left_alone(way: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = newest()
    if python.minor < 14:
        pytest.skip("no interpreter here knows of remote debugging")
    if way == "variable":
        monkeypatch.setenv("PYTHON_DISABLE_REMOTE_DEBUG", "1")
    options = ("-Xdisable-remote-debug",) if way == "option" else ()
    script = Script(folder)
    with WaitingTarget(python, "busy", options=options) as target:
        with closing(Injection(identify(target.pid), str(script.path))) as injection:
            progress = awaited(injection, Stage.REFUSED)
        assert progress.words.startswith("it was started with remote debugging disabled")
        assert "start it without" in progress.hint
        assert target.result() == FINE
    assert script.runs == 0


@pytest.mark.parametrize("hook", ["addaudithook", "settrace", "setprofile"])
def test_who_breaks_what_is_run_in_it_is_left_alone(mended: Python, folder: Path, hook: str) -> None:
    script = Script(folder)
    with WaitingTarget(mended, "hooked", hook) as target:
        with closing(Injection(identify(target.pid), str(script.path))) as injection:
            progress = awaited(injection, Stage.REFUSED)
        assert {"addaudithook": "an audit hook", "settrace": "a trace f", "setprofile": "a profile f"}[
            hook
        ] in progress.words
        assert "start it under memdash" in progress.hint
        assert target.result() == FINE
    assert script.runs == 0


def test_one_without_a_descriptor_left_says_nothing(mended: Python, folder: Path) -> None:
    script = Script(folder)
    with WaitingTarget(mended, "full") as target:
        assert target._line() == "full"
        with closing(Injection(identify(target.pid), str(script.path))) as injection:
            progress = awaited(injection, Stage.REFUSED if mended.minor >= 14 else Stage.RAN)
        assert mended.minor < 14 or "no file descriptor left" in progress.words
        assert target.result() == FINE
    assert script.runs == 0


def test_another_process_of_that_pid_is_left_alone(folder: Path) -> None:
    script = Script(folder)
    with WaitingTarget(newest(), "busy") as target:
        before = identify(target.pid)
        for other in (replace(before, start_ticks=before.start_ticks - 1), replace(before, exe_id=(1, 1))):
            with closing(Injection(other, str(script.path))) as injection:
                words = awaited(injection, Stage.REFUSED).words
            assert "has ended" in words or "another program" in words
        assert target.result() == FINE
    assert script.runs == 0


def test_what_is_no_python_is_refused() -> None:
    with subprocess.Popen(["sleep", "60"]) as program:
        with closing(Injection(identify(program.pid), "/boot.py")) as injection:
            assert awaited(injection, Stage.REFUSED).words == "not a CPython program"
        program.kill()


def test_a_path_that_does_not_fit_is_refused(python: Python, folder: Path) -> None:
    script = Script(folder, "long" * 60)
    with WaitingTarget(python, "busy") as target:
        path = folder / Path("x" * 200, "y" * 200, "z" * 200)
        with closing(Injection(identify(target.pid), str(path))) as injection:
            # 3.13 has room for 7 KB; of a file that is not there it says nothing.
            words = awaited(injection, Stage.RAN if python.minor == 13 else Stage.REFUSED).words
        assert "path is" in words or python.minor == 13
        assert target.result() == FINE
    assert script.runs == 0
