"""Stack pointers of threads, by the mappings that they are in."""

import subprocess
import sys
from collections.abc import Callable

from memdash.process.smaps import read_mappings
from memdash.process.stacks import stack_pointers
from tests.waiting import until

Start = Callable[..., "subprocess.Popen[bytes]"]

THREADS = """
import threading, time
for _ in range(3): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print("ready", flush=True); input()
"""


def test_each_blocked_thread_has_a_stack_of_its_own(start: Start) -> None:
    child = start(sys.executable, "-c", THREADS)
    assert child.stdout is not None
    child.stdout.readline()

    def blocked() -> dict[int, int | None] | None:
        found = dict(stack_pointers(child.pid))
        return found if None not in found.values() and len(found) == 4 else None

    pointers = until(blocked, "four threads that wait")
    mappings = list(read_mappings(child.pid))
    held = {next(m for m in mappings if p is not None and m.start <= p < m.end) for p in pointers.values()}
    assert len(held) == 4
    assert sum(mapping.name == b"[stack]" for mapping in held) == 1


def test_of_one_that_runs_nothing_is_told(start: Start) -> None:
    child = start(sys.executable, "-c", "while True: pass")
    until(lambda: dict(stack_pointers(child.pid)).get(child.pid) is None, "a look at one that runs")


def test_a_process_that_has_gone_has_none(start: Start) -> None:
    child = start("sleep", "60")
    child.kill()
    child.wait()
    assert list(stack_pointers(child.pid)) == []


def test_another_users_stay_closed(start: Start, as_nobody: Callable[[Callable[[], str]], str]) -> None:
    child = start("sleep", "60")
    assert as_nobody(lambda: str(dict(stack_pointers(child.pid)))) == str({child.pid: None})
