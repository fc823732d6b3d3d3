import os
import subprocess
from collections.abc import Callable

from memdash.process.environment import environment
from tests.waiting import until


def test_it_is_what_the_process_was_started_with(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    child = start("sleep", "60", env={"PATH": os.environ["PATH"], "WORD": "a=b", "EMPTY": ""})
    found = until(lambda: environment(child.pid), "its environment")  # there is none while it is being exec'ed
    assert (found["WORD"], found["EMPTY"]) == ("a=b", "")
    assert "HOME" not in found


def test_one_that_is_closed_to_us_or_gone_has_none(zombie: int) -> None:
    assert environment(zombie) == {}
    assert environment(2**22 + 1) == {}
