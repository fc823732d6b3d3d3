"""memdash beside a target, as a program of its own that goes on until it is told to end."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from signal import SIGTERM
from typing import Self

from tests.programs import environment
from tests.waiting import until

__all__ = ["Headless", "fetched"]

_PATIENCE_S = 60.0


def fetched(url: str, token: str = "") -> tuple[int, str]:
    """Status and body of an answer. Raises OSError."""
    host, _, path = url.removeprefix("http://").partition("/")
    with closing(HTTPConnection(host, timeout=30)) as connection:
        connection.request("GET", f"/{path}", headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


class Headless:
    """Runs ``memdash`` with these words; its output goes to files in ``folder``. A context manager that ends it."""

    def __init__(self, folder: Path, *words: str | int | Path) -> None:
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "memdash", *map(str, words)], stdout=out, stderr=err, env=environment(folder)
            )

    def said(self, pattern: str) -> str:
        """What it says on stderr, once it does."""

        def look() -> str | None:
            found = re.search(pattern, self.err.read_text())
            return found[0] if found else None

        return until(look, pattern)

    def lines(self, least: int) -> list[str]:
        """What it has written, once there are so many whole lines."""

        def look() -> list[str] | None:
            *whole, _ = self.out.read_text().split("\n")
            return whole if len(whole) >= least else None

        return until(look, f"line {least}")

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, number: int = SIGTERM) -> int:
        """End it, and say with which code it did."""
        self.signal(number)
        return self._process.wait(_PATIENCE_S)

    def code(self) -> int | None:
        """With which code it has ended by itself; None while it runs."""
        return self._process.poll()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
