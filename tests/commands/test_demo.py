"""The whole way, from ``memdash demo`` to the leak by its name: what a newcomer sees in the first minute."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pexpect
import pytest

pytestmark = [pytest.mark.terminal, pytest.mark.matrix]

_PATIENCE_S = 240
"""A minute is the promise, which a machine that others use as well cannot keep."""


@pytest.mark.parametrize(
    ("runtime", "site", "limit"),
    [
        ("go", rb"main\.\(\*store\)\.add store\.go", rb"GOMEMLIMIT"),
        ("python", rb"pyshop\.store\.\S+ store\.py", rb"RLIMIT_AS"),
    ],
)
def test_the_leak_of_the_demo_is_named_with_its_site_and_the_time_to_the_limit(
    tmp_path: Path, runtime: str, site: bytes, limit: bytes
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMDASH_")}
    environment |= {"TERM": "xterm-256color", "XDG_CONFIG_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    command = ["-m", "memdash", "demo", f"--{runtime}"]
    child = pexpect.spawn(sys.executable, command, dimensions=(45, 220), timeout=_PATIENCE_S, env=environment)
    try:
        child.expect(rb"LEAK \+")
        child.expect(rb"leak \+[^\x1b]*" + limit + rb" in [0-9.]+[^\x1b]* min \xc2\xb7 [^\x1b]*" + site)
        child.send("q")
        child.expect(pexpect.EOF)
    finally:
        child.close()
    assert child.exitstatus == 0
