"""The whole way, from ``memdash demo`` to the leak by its name: what a newcomer sees in the first minute."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest

pytestmark = [pytest.mark.terminal, pytest.mark.matrix]

_PATIENCE_S = 240
"""A minute is the promise, which a machine that others use as well cannot keep."""


def shows(child: pexpect.spawn[Any], screen: pyte.Screen, pattern: str) -> None:
    """Wait until a line of the screen matches: what is drawn comes in pieces."""
    stream, until_s = pyte.ByteStream(screen), time.monotonic() + _PATIENCE_S
    while not any(re.search(pattern, line) for line in screen.display):
        assert time.monotonic() < until_s, "\n".join(screen.display)
        stream.feed(child.read_nonblocking(1 << 16, timeout=_PATIENCE_S))


@pytest.mark.parametrize(
    ("runtime", "site", "limit"),
    [
        ("go", r"main\.\(\*store\)\.add .*store\.go", "GOMEMLIMIT"),
        ("python", r"(Line|Basket)\.\w+ .*store\.py", "RLIMIT_AS"),
    ],
    ids=["go", "python"],
)
def test_the_leak_of_the_demo_is_named_with_its_site_and_the_time_to_the_limit(
    tmp_path: Path, runtime: str, site: str, limit: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMDASH_")}
    environment |= {"TERM": "xterm-256color", "XDG_CONFIG_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    command = ["-m", "memdash", "demo", f"--{runtime}"]
    child = pexpect.spawn(sys.executable, command, dimensions=(45, 220), timeout=_PATIENCE_S, env=environment)
    screen = pyte.Screen(220, 45)
    try:
        shows(child, screen, r"LEAK \+")
        shows(child, screen, rf"leak \+(?=.*{limit} in [0-9.–]+ min)(?=.*{site})")
        child.send("q")
        child.expect(pexpect.EOF)
    finally:
        child.close()
    assert child.exitstatus == 0
