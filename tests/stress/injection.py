"""Attach again and again, being killed at a random moment: no target may die, go wrong, or be slow afterwards.

``python -m tests.stress.injection [tries] [memdash|helper|both ...]``: on every interpreter ``tries`` attempts for each
victim, shared by the ways in which the main thread spends its time. Killed with SIGKILL is the process that wants the
injection, or the short one that does it, or both at once. A table on stdout; some 25 minutes for 200 and two victims.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.live.pythons import Python, readable
from tests.live.target import LiveTarget
from tests.waiting import until

WAYS = ("work", "wait", "lock", "mixed")
VICTIMS = ("memdash", "helper", "both")
EARLY_RATIO = 0.2
"""Of the attempts are ended while the short process starts, or just after; the others once it has asked."""

EARLY_S, LATE_S = 0.2, 0.45
"""The main thread is woken 0.3 s after it has been asked."""

PROGRAM = Path(__file__).parent / "target.py"

WATCHER = """
import sys, time
from memdash.probes.cpython.inject.injection import Injection
from memdash.process.identity import identify
injection = Injection(identify(int(sys.argv[1])), sys.argv[2])
print(injection._process.pid, flush=True)
while injection.poll().words == "getting ready to ask it":
    time.sleep(0.001)
print("asked", flush=True)
while injection._process.poll() is None:
    injection.poll()
    time.sleep(0.005)
injection.close()
"""


class Row(NamedTuple):
    """One interpreter, one way, one victim. ``speed`` is that after, as a part of that before."""

    python: str
    way: str
    victim: str
    tries: int
    ran: int
    died: int
    wrong: int
    speed: float


def trial(python: Python, way: str, victim: str, tries: int) -> Row:
    """All attempts on one target."""
    with tempfile.TemporaryDirectory(prefix="memdash-") as folder:
        script, count = Path(folder, "boot.py"), Path(folder, "count")
        script.write_text(f"with open({str(count)!r}, 'a') as file:\n    file.write('x')\n")
        with LiveTarget([python.executable, PROGRAM, way]) as target:
            died = wrong = done = 0
            before = speed(target)
            for _ in range(tries):
                attempt(target.pid, script, victim)
                done += 1
                if not is_running(target.pid):
                    died = 1
                    break
                wrong = int(target.command("wrong"))
            after = 0.0 if died else speed(target)
        ran = count.stat().st_size if count.exists() else 0
    return Row(python.executable.name, way, victim, done, ran, died, wrong, after / before)


def speed(target: LiveTarget) -> float:
    """Its own operations a second of its CPU time: the best of some, since the machine is not ours alone."""
    return max(float(target.command("speed")) for _ in range(40))


def attempt(pid: int, script: Path, victim: str) -> None:
    """Start one, let chance decide how far it comes, and see all of it end."""
    with subprocess.Popen([sys.executable, "-c", WATCHER, str(pid), str(script)], stdout=subprocess.PIPE) as watcher:
        assert watcher.stdout is not None
        helper = int(watcher.stdout.readline())
        if random.random() < EARLY_RATIO:
            time.sleep(random.random() * EARLY_S)
        else:
            watcher.stdout.readline()
            time.sleep(random.random() * LATE_S)
        if victim != "memdash":
            os.kill(helper, signal.SIGKILL)  # not yet waited for, so it is still the same
        if victim == "helper":
            watcher.stdout.read()  # it withdraws, and ends
        else:
            watcher.kill()
    until(lambda: not is_running(helper), "the end of the short process")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def main() -> None:
    """Print a row as it comes."""
    tries, *victims = sys.argv[1:] or ["200"]
    rows = []
    for parameter in readable():
        python = parameter.values[0]  # type: ignore[attr-defined]
        if python is None:
            continue
        for victim in victims or VICTIMS:
            with ThreadPoolExecutor(len(WAYS)) as pool:
                trials = [pool.submit(trial, python, way, victim, int(tries) // len(WAYS)) for way in WAYS]
            for row in (done.result() for done in trials):
                rows.append(row)
                cells = (f"{cell:.3f}" if isinstance(cell, float) else f"{cell:<10}" for cell in row)
                sys.stdout.write("  ".join(cells) + "\n")
                sys.stdout.flush()
    speeds = [row.speed for row in rows]
    died, wrong = sum(row.died for row in rows), sum(row.wrong for row in rows)
    sys.stdout.write(f"{sum(row.tries for row in rows)} tries, {died} died, {wrong} went wrong, ")
    sys.stdout.write(f"speed after: median {statistics.median(speeds):.3f}, lowest {min(speeds):.3f}\n")


if __name__ == "__main__":
    main()
