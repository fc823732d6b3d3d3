"""What a Python says of itself, to be compared with and without an agent; and what it does to itself: see ``main``."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

OURS = {"_signal", "_socket", "_thread", "fcntl", "posix", "select", "time"}
"""Modules of the interpreter that an agent needs, used by somebody else or not."""


def portrait() -> None:
    found = {
        "argv": sys.argv,
        "path": sys.path,
        "flags": list(sys.flags),
        "modules": sorted(set(sys.modules) - OURS),
        "sys": sorted(vars(sys).keys() - {"_memdash"}),
        "callbacks": len(gc.callbacks),
        "threads": [thread.name for thread in threading.enumerate()],
        "descriptors": [number for number in range(100) if is_open(number)],
        "sitecustomize": getattr(sys.modules.get("sitecustomize"), "__file__", None),
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def report() -> None:
    """Say who we are and wait until told to go on: by a file, since multiprocessing takes the standard input away."""
    os.write(1, b"%d\n" % os.getpid())
    told = Path(sys.argv[2]) / str(os.getpid())
    while not told.exists():
        time.sleep(0.002)
    told.unlink()


def family() -> None:
    """A fork, a fork of a fork, every way of multiprocessing, a subprocess, another program: one after the other."""
    report()
    for depth in (1, 2):
        pid = os.fork()
        if not pid:
            if depth == 2 and (pid := os.fork()):
                os.waitpid(pid, 0)
                os._exit(0)
            report()
            os._exit(0)
        os.waitpid(pid, 0)
    for method in ("fork", "spawn", "forkserver"):
        context: Any = multiprocessing.get_context(method)
        worker = context.Process(target=report)
        worker.start()
        worker.join()
        if worker.exitcode:
            sys.exit(9)
    subprocess.run([sys.executable, __file__, "report", sys.argv[2]], check=True)
    os.execv(sys.executable, [sys.executable, __file__, "report", sys.argv[2]])  # noqa: S606 - no shell is wanted


def daemon() -> None:
    """Close what one believes to be one's own, use the numbers again, and go on."""
    report()
    os.closerange(3, 400)
    kept = [os.open("/dev/zero", os.O_RDONLY) for _ in range(250)]
    report()
    time.sleep(0.05)
    assert all(os.read(descriptor, 1) == b"\0" for descriptor in kept)
    os._exit(5)


def wait_for_signal() -> None:
    """The way of a program that takes its signals one by one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    os.write(1, b"%d\n" % os.getpid())
    sys.exit(6 if signal.sigwait([signal.SIGTERM]) == signal.SIGTERM else 1)


def interpreters() -> None:
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    module = __import__(name)
    for _ in range(3):
        module.destroy(module.create())
    sys.exit(8)


if __name__ == "__main__":
    {
        "portrait": portrait,
        "report": report,
        "family": family,
        "daemon": daemon,
        "signal": wait_for_signal,
        "interpreters": interpreters,
    }[sys.argv[1]]()
