"""A program that is started, fed, bounded in time and output, and ended with all that it has started."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, BinaryIO

from memdash.errors import HookError
from memdash.plain import excerpt
from memdash.units import duration

__all__ = ["run_child"]

_LOOK_EVERY_S = 0.05
_GRACE_S = 1.0
_PIECE_BYTES = 1 << 16
_KEPT_BYTES = 4096
"""Of its output the end is kept: what went wrong is said last."""


def run_child(argv: Sequence[str], fed: bytes, timeout_s: float, cancelled: threading.Event) -> None:
    """Run a program with ``fed`` on its standard input and wait for it to succeed.

    It has no shell around it and is a process group of its own, which is ended when it takes longer than ``timeout_s``
    or ``cancelled`` is set. What it prints is read, and but for its end thrown away. Raises HookError.
    """
    with _readable(fed) as given:
        try:
            child = subprocess.Popen(  # noqa: S603 - to run what the user named is the point
                argv, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0, bufsize=0
            )
        except FileNotFoundError:
            raise HookError(f"there is no command {excerpt(argv[0])}") from None
        except (OSError, ValueError) as error:  # ValueError: a zero byte in it
            raise HookError(f"it cannot be started: {getattr(error, 'strerror', None) or error}") from None
    if child.stdout is None:
        raise HookError("it has no output")
    with child.stdout as pipe:
        said = _Said(pipe)
        try:
            ended = _followed(child, said, time.monotonic() + timeout_s, cancelled)
        finally:
            _end(child)
        said.take_rest()
    if not ended:
        raise HookError("it was broken off" if cancelled.is_set() else f"it had not ended after {duration(timeout_s)}")
    if child.returncode:
        raise HookError(_how_it_ended(child.returncode) + said.words)


def _readable(fed: bytes) -> BinaryIO:
    """An anonymous file, so that nobody waits for a program that does not read."""
    file = os.fdopen(os.memfd_create("memdash-alert", os.MFD_CLOEXEC), "w+b", buffering=0)
    file.write(fed)
    file.seek(0)
    return file


class _Said:
    """The end of what came through a pipe."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._end = b""
        self._is_open = True
        os.set_blocking(pipe.fileno(), False)
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def wait(self, cancelled: threading.Event) -> None:
        """Take a piece, or wait a moment for one."""
        if not self._is_open:
            cancelled.wait(_LOOK_EVERY_S)
        elif self._poll.poll(_LOOK_EVERY_S * 1000):
            self._take()

    def take_rest(self) -> None:
        """What is still in the pipe; others may hold its other end, and fill it for ever."""
        for _ in range(32):
            if not self._is_open or not self._poll.poll(0):
                return
            self._take()

    def _take(self) -> None:
        with suppress(BlockingIOError):
            piece = self._pipe.read(_PIECE_BYTES)
            self._is_open = piece != b""
            self._end = (self._end + (piece or b""))[-_KEPT_BYTES:]

    @property
    def words(self) -> str:
        """Its last line, to follow a sentence."""
        lines = self._end.decode(errors="backslashreplace").strip().splitlines()
        return f": {excerpt(lines[-1])}" if lines else ""


def _followed(child: subprocess.Popen[bytes], said: _Said, until_s: float, cancelled: threading.Event) -> bool:
    """Whether it ended by itself. It is not waited for here: until it is, its number can stand for no other group."""
    while not _has_ended(child):
        if cancelled.is_set() or time.monotonic() >= until_s:
            return False
        said.wait(cancelled)
    return True


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the group of one that goes on: politely, then not. What it left behind when it ended by itself may stay."""
    if not _has_ended(child):
        _signal(child, signal.SIGTERM)
        until_s = time.monotonic() + _GRACE_S
        while not _has_ended(child) and time.monotonic() < until_s:
            time.sleep(_LOOK_EVERY_S)
        _signal(child, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # one that we may not end, and that does not
        child.wait(_GRACE_S)


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it may have become another user's, as by sudo
        os.killpg(child.pid, number)


def _how_it_ended(code: int) -> str:
    if code > 0:
        return f"it exited with code {code}"
    try:
        return f"it was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was killed by signal {-code}"
