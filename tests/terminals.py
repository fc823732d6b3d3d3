"""memdash in a pseudo-terminal, and what its screen shows."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from pathlib import Path

import pexpect
import pyte

from tests.programs import environment

__all__ = ["ALTERNATE", "USUAL", "Terminal"]

ALTERNATE, USUAL = b"\x1b[?1049h", b"\x1b[?1049l"
"""What turns a terminal to the screen of a program, and back to the shell's."""


class _Drawn:
    """What is read of a terminal, as a screen shows it."""

    def __init__(self, screen: pyte.Screen) -> None:
        self._stream = pyte.ByteStream(screen)

    def write(self, data: bytes) -> None:
        self._stream.feed(data)

    def flush(self) -> None:
        """Nothing waits."""


class Terminal:
    """Runs ``memdash`` with these words, without anybody's settings; it is ended as a context manager."""

    def __init__(self, folder: Path, *argv: str, columns: int = 120, rows: int = 40, patience_s: float = 30.0) -> None:
        self._patience_s = patience_s
        self._screen = pyte.Screen(columns, rows)
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            sys.executable,
            ["-m", "memdash", *argv],
            dimensions=(rows, columns),
            timeout=patience_s,
            env=environment(folder) | {"TMPDIR": str(folder)},
        )
        self.child.logfile_read = _Drawn(self._screen)

    def shows(self, text: str) -> None:
        """Wait until a line of the screen has the text."""
        self.matches(re.escape(text))

    def matches(self, pattern: str) -> None:
        """Wait until a line of the screen is like that: it may be so already, and is drawn in pieces."""
        until_s = time.monotonic() + self._patience_s
        while not any(re.search(pattern, line) for line in self._screen.display):
            assert time.monotonic() < until_s, "\n".join(self._screen.display)
            with contextlib.suppress(pexpect.TIMEOUT):
                self.child.read_nonblocking(1 << 16, timeout=1)

    def opens(self) -> None:
        """Wait for the dashboard's own first frame."""
        self.child.expect_exact(ALTERNATE)
        self.shows("Alerts")

    def ends(self) -> tuple[int | None, bytes]:
        """Its exit code, and all it wrote on the way out."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus, self.child.before or b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.close(force=True)
