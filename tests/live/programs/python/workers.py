"""A master with two workers that wait: ``workers.py fork|spawn|forkserver``. It prints its pid and theirs."""

import multiprocessing
import os
import sys
import time
from typing import Any


def wait(ready: Any) -> None:
    """Say who it is, and wait to be ended."""
    ready.put(os.getpid())
    time.sleep(600)


if __name__ == "__main__":
    context: Any = multiprocessing.get_context(sys.argv[1])
    queue = context.SimpleQueue()
    for _ in range(2):
        context.Process(target=wait, args=(queue,), daemon=True).start()
    pids = sorted(queue.get() for _ in range(2))
    sys.stdout.write(" ".join(str(pid) for pid in (os.getpid(), *pids)) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()
