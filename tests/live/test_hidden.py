"""The search for tracemalloc's tables, in programs that move them meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from memdash.probes.cpython.hidden import find_hidden
from memdash.probes.cpython.interpreter import open_interpreter
from memdash.process.identity import identify
from tests.live.pythons import pythons
from tests.live.target import LiveTarget

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).parent / "programs/python/leaking.py"

SEARCHED = (8, 11)
"""Minors whose tables have to be searched for when they are stripped: the two layouts of these tables."""


@pytest.fixture(params=[python for python in pythons() if python.minor in SEARCHED], ids=str)
def target(request: pytest.FixtureRequest) -> Iterator[LiveTarget]:
    with LiveTarget([request.param.executable, PROGRAM]) as started:
        yield started


def test_no_other_table_is_taken_for_the_traces_while_tracing_is_switched_on_and_off(target: LiveTarget) -> None:
    """One search in twenty did, where what the others had freed was an entry of the traces already."""
    with closing(open_interpreter(identify(target.pid))) as interpreter:
        target.command("start", 2)
        told = find_hidden(interpreter)
        target.command("stop")
        target.command("run", "flip")
        try:
            found = {find_hidden(interpreter) for _ in range(100)}
        finally:
            target.command("rest")
    assert told is not None
    assert found - {None} == {told}
