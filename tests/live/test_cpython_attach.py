"""Attaching to a Python that is just setting itself up, or never rests: nothing of it is missing for that."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from memdash.probes.cpython import CPYTHON
from memdash.probes.probe import Fit
from memdash.process.identity import identify
from tests.live.pythons import Python, each

pytestmark = pytest.mark.live

python = each(scope="module")


def test_one_that_has_only_just_been_started_is_waited_for(python: Python) -> None:
    """All of it: of those that are met while they set themselves up one in eight lacked its types, or its collector."""
    for number in range(8):
        child = subprocess.Popen([python.executable, "-c", "input()"], stdin=subprocess.PIPE)
        try:
            assert isinstance(CPYTHON.fitness(identify(child.pid)), Fit)
            time.sleep(0.0015 * number)  # each is further on
            attachment = CPYTHON.attach(identify(child.pid))
            for probe in attachment.probes:
                probe.close()
            assert not attachment.missing
        finally:
            child.kill()
            child.communicate()


RESTLESS = {
    "arenas come and go": """
while True:
    lists, tuples = [[i] for i in range(40000)], [(i, i) for i in range(40000)]
    del lists, tuples
""",
    "threads come and go": """
import threading
while True:
    threads = [threading.Thread(target=list) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""",
}


@pytest.mark.matrix
@pytest.mark.parametrize("work", RESTLESS)
def test_nothing_is_refused_for_good_of_one_that_never_rests(
    python: Python, work: str, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """One attach in 60 gave up objects by type, and one in 120 threads, for a pool or a thread that had just gone."""
    child = start(python.executable, "-c", "print(flush=True)\n" + RESTLESS[work])
    assert child.stdout is not None
    child.stdout.readline()
    target = identify(child.pid)
    for _ in range(60):
        attachment = CPYTHON.attach(target)
        for probe in attachment.probes:
            probe.close()
        assert not attachment.missing
