"""The whole way, from ``memdash demo`` to the leak by its name: what a newcomer sees in the first minute."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminals import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.matrix]

_PATIENCE_S = 240
"""A minute is the promise, which a machine that others use as well cannot keep."""


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
    with Terminal(tmp_path, "demo", f"--{runtime}", columns=220, rows=45, patience_s=_PATIENCE_S) as terminal:
        terminal.matches(r"LEAK \+")
        terminal.matches(rf"leak \+(?=.*{limit} in [0-9.–]+ min)(?=.*{site})")
        terminal.child.send("q")
        assert terminal.ends()[0] == 0
