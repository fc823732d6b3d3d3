"""Drive the programs under ``programs``: start one, tell it what to do, ask what it knows of itself, end it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

__all__ = ["GoTarget", "LiveTarget", "PythonTarget"]

_PYTHON_PROGRAMS = Path(__file__).parent / "programs/python"

_PATIENCE_S = 60.0
"""A saturated machine under the race detector is slow; a target that answers nothing for so long is stuck."""


class LiveTarget:
    """A running target; a context manager that ends it. It is stopped by pid, and never outlives the test.

    ``version`` is what it says of its own runtime.
    """

    def __init__(
        self, argv: Sequence[str | Path], environment: Mapping[str, str] | None = None, stderr: IO[bytes] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            argv,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=0,
        )
        self.pid = self._process.pid
        self._unread = b""
        try:
            word, pid, self.version, *_ = self._line().split()
            assert (word, pid) == ("ready", str(self.pid))
        except BaseException:
            self.kill()
            raise

    def command(self, *words: str | int) -> str:
        """Send one command and return its answer. Raises ValueError when the target does not know it."""
        self.send(*words)
        answer = self._line()
        if answer == "unknown command":
            raise ValueError(f"the target does not know {words}")
        return answer

    def send(self, *words: str | int) -> None:
        """Send one command whose answer nobody waits for."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)).encode() + b"\n")

    def kill(self) -> None:
        """End it. May be called twice."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        deadline = time.monotonic() + _PATIENCE_S
        while b"\n" not in self._unread:
            readable, _, _ = select.select([self._process.stdout], [], [], max(deadline - time.monotonic(), 0))
            if not readable:
                raise TimeoutError(f"the target has said nothing for {_PATIENCE_S} s")
            chunk = self._process.stdout.read(1 << 16)
            if not chunk:
                raise EOFError(f"the target ended with {self._process.wait()}")
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class GoTarget(LiveTarget):
    """The Go program of ``programs/target``."""

    def __init__(
        self, program: Path, environment: Mapping[str, str] | None = None, stderr: IO[bytes] | None = None
    ) -> None:
        super().__init__([program], environment, stderr)
        self.go_version = self.version

    def stats(self) -> dict[str, Any]:
        """What runtime.ReadMemStats told the target: Go's field names, PauseNs and PauseEnd as Go's rings."""
        memstats: dict[str, Any] = json.loads(self.command("stats"))["MemStats"]
        return memstats


class PythonTarget(LiveTarget):
    """A program of ``programs/python`` under one interpreter."""

    def __init__(
        self,
        interpreter: Path,
        environment: Mapping[str, str] | None = None,
        program: str = "target.py",
        arguments: Sequence[str] = (),
    ) -> None:
        super().__init__([interpreter, _PYTHON_PROGRAMS / program, *arguments], environment)

    def stats(self) -> dict[str, Any]:
        """What gc and sys told the target."""
        stats: dict[str, Any] = json.loads(self.command("stats"))
        return stats
