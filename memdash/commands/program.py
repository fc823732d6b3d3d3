"""A command that we start: its output goes to a file, signals are passed on, it does not outlive us."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import select
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import click

from memdash.commands.output import check_output, tell
from memdash.errors import UsageError
from memdash.files import written
from memdash.model.target import Runtime, Target
from memdash.plain import plain
from memdash.probes.probe import Fit, judged
from memdash.probes.registry import PROBES
from memdash.process.family import settle
from memdash.process.group import running_in_group
from memdash.signals import Signalled

__all__ = ["Program", "log_file", "tell_output"]

_PREFIX, _SUFFIX = "memdash-", ".log"
_AGE_S = 60.0
"""What is younger may be about to be locked by the run that has just made it."""
_LAST_LINES = 10
_LAST_BYTES = 4096
_PAUSE_S = 0.02


@contextmanager
def log_file(name: str | None, force: bool) -> Iterator[Path]:
    """The file for a program's output: ``name``, or one in the temporary directory that goes if it stays empty.

    What is there under that name stays until the program has been started. Raises UsageError.
    """
    if name is not None:
        check_output(name, force)
        yield Path(name)
        return
    _sweep_logs()
    descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX)
    path = Path(name)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # tells other runs that it is in use
        yield path
    finally:
        os.close(descriptor)
        if path.stat().st_size == 0:
            path.unlink()


def _sweep_logs() -> None:
    """Remove the empty logs of earlier runs that were killed. Raises nothing."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*{_SUFFIX}"):
        with contextlib.suppress(OSError), ExitStack() as closing:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            closing.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(descriptor)
            is_left = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_size == 0
            if is_left and time.time() - found.st_mtime > _AGE_S:
                path.unlink()


def tell_output(log: Path, last_lines: bool) -> None:
    """Say on stderr where the output is, if there is any; with its last lines if wanted."""
    size = log.stat().st_size if log.exists() else 0
    if not size:
        return
    if last_lines:
        with log.open("rb") as file:
            file.seek(max(size - _LAST_BYTES, 0))
            for line in file.read().decode(errors="backslashreplace").splitlines()[-_LAST_LINES:]:
                click.echo(f"  {plain(line)}", err=True)
    tell(f"what it printed is in {log}")


@contextmanager
def _fresh(log: Path) -> Iterator[BinaryIO]:
    """It, empty; what is there goes only when no error comes out of the context."""
    if log.is_file() and not log.stat().st_size:
        with log.open("ab") as output:
            yield output
        return
    with written(log, replaces=True) as output:
        # Whoever cuts it short while the program runs finds no hole of zeros in it.
        fcntl.fcntl(output, fcntl.F_SETFL, fcntl.fcntl(output, fcntl.F_GETFL) | os.O_APPEND)
        yield output


class Program:
    """One running command and the processes it starts; as a context it ends them on the way out.

    They form a process group of their own: the terminal belongs to the dashboard, so the command's input is empty, what
    it prints goes to ``log``, to our stderr where there is none, and ctrl+c reaches it only through us.
    ``environment`` is added to our own. Once asked to end it has ``grace_s`` seconds. Raises UsageError when it cannot
    be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path | None,
        grace_s: float = 5.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._grace_s = grace_s
        with ExitStack() as failing:
            try:
                with contextlib.nullcontext(2) if log is None else _fresh(log) as output:
                    self._process = _started(command, output, {**os.environ, **(environment or {})})
                    failing.callback(self.stop, signal.SIGKILL)
            except OSError as error:
                raise UsageError(f"{log} cannot be written: {error.strerror}", "choose another place") from None
            failing.pop_all()

    @property
    def pid(self) -> int:
        """The pid of the command itself, which is also the number of its group."""
        return self._process.pid

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop(error.number if isinstance(error, Signalled) else signal.SIGTERM)

    def stop(self, number: int) -> None:
        """Send the group a signal and wait for all in it to end; kill those that do not, or on ctrl+c.

        What the command has left behind is ended as well. The command is waited for last of all: until then its number
        cannot stand for another group.
        """
        if self._process.returncode is not None:
            return
        self._signal(number)
        with contextlib.suppress(KeyboardInterrupt, Signalled):
            self._wait_for_group()
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _wait_for_group(self) -> None:
        """Until nothing in it runs, for as long as the grace lasts."""
        until_s = time.monotonic() + self._grace_s
        self.wait(self._grace_s)
        while running_in_group(self.pid) and time.monotonic() < until_s:
            time.sleep(_PAUSE_S)

    def _signal(self, number: int) -> None:
        """Signal the group; what has ended feels nothing."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def settled(self) -> Target:
        """What it turns out to be, once that is clear: itself, or what it is a wrapper of. Raises TargetError."""
        return settle(self.pid, _is_telling)

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until the command has ended by itself, for so long at most; whether it has."""
        if self._process.returncode is not None:
            return True
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:  # before Linux 5.3, or when there are no more descriptors
            return self._has_ended_within(math.inf if timeout_s is None else timeout_s)
        try:
            ended, _, _ = select.select([descriptor], [], [], timeout_s)
        finally:
            os.close(descriptor)
        return bool(ended)

    def _has_ended_within(self, timeout_s: float) -> bool:
        """Ask time and again, for so long at most: nothing wakes us, and the command must stay to be waited for."""
        until_s = time.monotonic() + timeout_s
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            if time.monotonic() >= until_s:
                return False
            time.sleep(_PAUSE_S)
        return True

    @property
    def exit_code(self) -> int:
        """The command's code once it has ended or been stopped, 128 + N when signal N killed it."""
        if self._process.returncode is None:
            ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            if ended is not None:
                return ended.si_status + (0 if ended.si_code == os.CLD_EXITED else 128)
        code = self._process.wait()
        return 128 - code if code < 0 else code


def _started(command: Sequence[str], output: int | BinaryIO, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - to run what the user typed is the point
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            env=environment,
        )
    except FileNotFoundError:
        raise UsageError(f"there is no command {command[0]!r}", "give a path, or a name found in PATH") from None
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be started: {error.strerror}", "is it a program?") from None


def _is_telling(target: Target) -> bool:
    """Whether a probe reads more of it than the kernel tells of any process."""
    verdicts = (judged(entry, target) for entry in PROBES)
    return any(isinstance(verdict, Fit) and verdict.runtime is not Runtime.NATIVE for verdict in verdicts)
