"""After ctrl+z and fg: the terminal that the shell gives back is empty, so all must be drawn again."""

import contextlib
import os
import signal
import sys

import pexpect

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


def test_all_is_drawn_again_when_the_shell_continues_it() -> None:
    child: pexpect.spawn[bytes] = pexpect.spawn(
        sys.executable, ["-c", _PROGRAM], env=os.environ | {"TERM": "xterm-256color"}
    )
    try:
        child.expect_exact("stands-still")
        child.send("x")
        child.expect_exact("changed")  # the first frames are through
        assert child.pid
        child.kill(signal.SIGTSTP)  # as its first program of a session has no shell, ctrl+z itself says so
        assert os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1])
        with contextlib.suppress(pexpect.TIMEOUT):  # what was drawn before is of no account
            while child.read_nonblocking(1 << 16, timeout=0):
                pass
        child.expect(b".*")  # nor is what has been read of it
        child.kill(signal.SIGCONT)
        child.expect_exact("stands-still")
    finally:
        child.close(force=True)
