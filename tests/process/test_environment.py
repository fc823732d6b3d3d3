import os
import subprocess
import time
from collections.abc import Callable

from memdash.process.environment import environment


def test_it_is_what_the_process_was_started_with(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    child = start("sleep", "60", env={"PATH": os.environ["PATH"], "WORD": "a=b", "EMPTY": ""})
    deadline = time.monotonic() + 10
    while not (found := environment(child.pid)):  # a process that is just being exec'ed has none for a moment
        assert time.monotonic() < deadline
    assert (found["WORD"], found["EMPTY"]) == ("a=b", "")
    assert "HOME" not in found


def test_one_that_is_closed_to_us_or_gone_has_none(zombie: int) -> None:
    assert environment(zombie) == {}
    assert environment(2**22 + 1) == {}
