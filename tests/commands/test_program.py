import errno
import os
import select
import shlex
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memdash.commands import self_test
from memdash.commands.prepared import prepared
from memdash.commands.program import Program, log_file, tell_output
from memdash.errors import UsageError
from memdash.signals import Signalled, signals_raised


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    with log_file(str(tmp_path / "log"), force=False) as path:
        yield path


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Reading it waits for what a program has to say."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def test_the_code_of_a_program_is_passed_on(log: Path) -> None:
    with Program(["sh", "-c", "echo done; exit 7"], log) as program:
        assert program.wait(20)
    assert program.exit_code == 7
    assert log.read_text() == "done\n"


def test_what_is_added_to_the_environment_is_added_to_our_own(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    shell = ["sh", "-c", "echo $OURS $PYTHONTRACEMALLOC"]
    with prepared(agent=False, trace=7) as given, Program(shell, log, environment=given.environment) as program:
        assert program.wait(20)
    assert log.read_text() == "1 7\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_program_that_a_signal_kills_gives_128_and_its_number(log: Path, name: str) -> None:
    number = signal.Signals[name]
    program = Program(["sleep", "60"], log)
    program.stop(number)
    assert program.exit_code == 128 + number


def test_a_program_may_handle_the_signal_that_is_passed_on(log: Path, fifo: Path) -> None:
    program = Program(["sh", "-c", f"trap 'exit 9' TERM; echo >{fifo}; while :; do sleep 0.05; done"], log)
    fifo.read_text()
    program.stop(signal.SIGTERM)
    assert program.exit_code == 9


def test_an_end_is_noticed_and_made_where_the_kernel_knows_no_pidfd(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(os, "pidfd_open", refuse)
    with Program(["sh", "-c", "exit 7"], log) as brief:
        assert brief.wait(20)
    assert brief.exit_code == 7
    with Program(["sleep", "60"], log) as long:
        assert not long.wait(0.05)
    assert long.exit_code == 128 + signal.SIGTERM


def test_what_the_program_started_gets_the_signal_too(log: Path, fifo: Path) -> None:
    program = Program(["sh", "-c", f"sleep 60 & echo $! >{fifo}; wait"], log)
    child = os.pidfd_open(int(fifo.read_text()))
    program.stop(signal.SIGTERM)
    ended, _, _ = select.select([child], [], [], 20)
    os.close(child)
    assert ended


def test_a_program_that_does_not_listen_is_killed(log: Path, fifo: Path) -> None:
    program = Program(["sh", "-c", f"trap '' TERM; echo >{fifo}; while :; do sleep 0.05; done"], log, grace_s=0.1)
    fifo.read_text()
    program.stop(signal.SIGTERM)
    assert program.exit_code == 128 + signal.SIGKILL


@contextmanager
def left_behind(fifo: Path, log: Path, shell: str, child: str) -> Iterator[Program]:
    """A shell with a child that goes on for ever: whatever becomes of the shell, the child must end as well."""
    staying = shlex.quote(f"{child}; echo $$ >{fifo}; while :; do sleep 0.05; done")
    program = Program(["sh", "-c", f"sh -c {staying} & {shell}"], log, grace_s=0.2)
    left = os.pidfd_open(int(fifo.read_text()))
    try:
        yield program
        ended, _, _ = select.select([left], [], [], 20)
        assert ended
    finally:
        os.close(left)


def test_what_a_command_has_started_ends_with_it(log: Path, fifo: Path) -> None:
    with left_behind(fifo, log, "wait", "trap '' TERM") as program:
        program.stop(signal.SIGTERM)
    assert program.exit_code == 128 + signal.SIGTERM


@pytest.mark.parametrize("child", [":", "trap '' TERM"])
def test_what_a_command_leaves_behind_does_not_outlive_us(log: Path, fifo: Path, child: str) -> None:
    with left_behind(fifo, log, "exit 3", child) as program:
        assert program.wait(20)
        program.stop(signal.SIGTERM)
        program.stop(signal.SIGTERM)
    assert program.exit_code == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_the_signal_that_ends_us_is_passed_on(log: Path, number: signal.Signals) -> None:
    program = Program(["sleep", "60"], log)
    with pytest.raises(Signalled), program:
        raise Signalled(number)
    assert program.exit_code == 128 + number


def test_its_input_is_empty(log: Path) -> None:
    with Program(["cat"], log) as program:
        assert program.wait(20)
    assert program.exit_code == 0


@pytest.mark.parametrize("command", ["no-such-command-anywhere", "/etc", "/etc/passwd"])
def test_what_cannot_be_started_is_a_usage_error(log: Path, command: str) -> None:
    with pytest.raises(UsageError):
        Program([command], log)


def test_an_existing_log_is_overwritten_only_with_force(tmp_path: Path) -> None:
    taken = tmp_path / "log"
    taken.write_text("mine")
    with pytest.raises(UsageError, match="exists already"), log_file(str(taken), force=False):
        pass
    assert taken.read_text() == "mine"
    with log_file(str(taken), force=True) as log:
        with pytest.raises(UsageError, match="there is no command"):
            Program(["no-such-command-anywhere"], log)
        assert taken.read_text() == "mine"
        with Program(["echo", "yours"], log) as program:
            assert program.wait(20)
    assert taken.read_text() == "yours\n"


def test_a_command_that_cannot_be_started_leaves_no_log(tmp_path: Path) -> None:
    with log_file(str(tmp_path / "log"), force=False) as log, pytest.raises(UsageError, match="there is no command"):
        Program(["no-such-command-anywhere"], log)
    tell_output(log, last_lines=True)
    assert not list(tmp_path.iterdir())


def test_empty_logs_of_killed_runs_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, young, full = (tmp_path / f"memdash-{name}.log" for name in ("left", "young", "full"))
    for path in (left, young, full):
        path.touch()
    full.write_text("what it printed")
    for path in (left, full):
        os.utime(path, (0, 0))
    with log_file(None, force=False) as used:
        os.utime(used, (0, 0))
        with log_file(None, force=False):
            assert used.exists()
    assert sorted(tmp_path.iterdir()) == [full, young]


def test_a_log_that_nobody_asked_for_goes_when_it_stays_empty() -> None:
    with log_file(None, force=False) as log:
        pass
    assert not log.exists()
    with log_file(None, force=False) as log:
        log.write_text("kept")
    assert log.read_text() == "kept"
    log.unlink()


def test_the_last_lines_of_a_log_are_shown_as_text(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log.write_text("".join(f"line {number}\n" for number in range(5000)) + "\x1b[31mlast\n")
    tell_output(log, last_lines=True)
    lines = capfd.readouterr().err.splitlines()
    assert lines[-3:] == ["  line 4999", r"  \e[31mlast", f"memdash: what it printed is in {log}"]
    assert len(lines) == 11
    tell_output(log, last_lines=False)
    assert capfd.readouterr().err == f"memdash: what it printed is in {log}\n"


def test_of_an_empty_log_nothing_is_said(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tell_output(log, last_lines=True)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_become_exceptions_and_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Signalled) as caught, signals_raised():
        signal.raise_signal(number)
    assert caught.value.code == 128 + number
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ("argv", "what", "hint"),
    [
        (("--endpoint", "auto", "--", "go", "run", "."), "'--endpoint'", "for a process that runs already"),
        (("--nosuch", "--", "go", "run", "-max=3"), "no such option '--nosuch'", "see memdash run --help"),
    ],
)
def test_the_words_of_a_command_are_not_taken_for_ours(
    run: Callable[..., tuple[int, str, str]], argv: tuple[str, ...], what: str, hint: str
) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert what in err
    assert hint in err


def test_a_log_of_ci_is_not_filled_by_what_the_self_test_builds(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def build(_toolchain: object, _source: Path, name: str, progress: Callable[[str], None]) -> Path:
        for package in ("bufio", "fmt", "os"):
            progress(f"building {name}: {package}")
        return Path(name)

    monkeypatch.setattr(self_test, "find_toolchain", lambda: None)
    monkeypatch.setattr(self_test, "build", build)
    assert [case.name for case in self_test._cases()] == ["Python server", "Go server"]
    assert capfd.readouterr().err == ""
