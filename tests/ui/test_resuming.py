"""After ctrl+z and fg: the terminal that the shell gives back is empty, so all must be drawn again."""

import os
import pty
import select
import signal
import sys
import time

_PROGRAM = """
from textual.screen import Screen
from textual.widgets import Static
from memdash.ui.app import MemdashApp

class Still(Screen):
    def compose(self):
        yield Static("stands-still")
        yield Static(id="changing")

    def key_x(self):
        self.query_one("#changing").update("changed")

MemdashApp(Still).run_to_its_end()
"""
_PATIENCE_S = 20.0


def drawn(terminal: int, words: bytes) -> bool:
    seen, until_s = b"", time.monotonic() + _PATIENCE_S
    while words not in seen:
        if not select.select([terminal], [], [], max(until_s - time.monotonic(), 0.0))[0]:
            return False
        seen += os.read(terminal, 65_536)
    return True


def emptied(terminal: int) -> None:
    while select.select([terminal], [], [], 0.0)[0]:
        os.read(terminal, 65_536)


def test_all_is_drawn_again_when_the_shell_continues_it() -> None:
    pid, terminal = pty.fork()
    if not pid:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-c", _PROGRAM])  # noqa: S606  # a program of our own
    try:
        assert drawn(terminal, b"stands-still")
        os.write(terminal, b"x")
        assert drawn(terminal, b"changed")  # the first frames are through
        os.kill(pid, signal.SIGTSTP)  # as its first program of a session has no shell, ctrl+z itself says so
        assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
        emptied(terminal)
        os.kill(pid, signal.SIGCONT)
        assert drawn(terminal, b"stands-still")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
