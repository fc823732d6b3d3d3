"""What memdash's agent costs a Python program: its own operations per CPU second, with it and without, in turns."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from memdash.model.missing import Missing
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.feed import AgentFeed
from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for
from memdash.probes.cpython.agent.link import AgentLink
from memdash.process.identity import identify
from tests.benchmarks.result import Result
from tests.live.hosts import Host, claimed
from tests.live.pythons import Python, pythons

__all__ = ["agent"]

_TURN_S = 4.0
_TURNS = 12
_STARTS = 30


def agent() -> Iterator[Result]:
    """The oldest interpreter of this machine that memdash reads, one of middle age, and the newest."""
    readable = [python for python in pythons() if (python.major, python.minor) >= (3, 8)]
    if not readable:
        raise SystemExit("there is no Python to look at: put a python3.N on PATH, or install one with pyenv")
    for python in (readable[0], readable[len(readable) // 2], readable[-1]):
        yield _start(python)
        yield from _running(python)


def _start(python: Python) -> Result:
    with agents_of_ours() as agents:
        plain, launched = dict(os.environ), {**os.environ, **environment_for(agents)}
        more = []
        for _ in range(_STARTS):
            without = _cpu_ms_of_start(python.executable, plain)
            more.append(_cpu_ms_of_start(python.executable, launched) - without)
            agents.claim(0)
    cost = statistics.median(more)
    return Result(f"{python}: the agent at the start of a program", f"{cost:.1f} ms CPU", "< 15 ms", cost < 15)


def _cpu_ms_of_start(executable: Path, environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([executable, "-c", "pass"], env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _running(python: Python) -> Iterator[Result]:
    with agents_of_ours() as agents, Host(python.executable, agents) as host:
        claimed(agents, host.pid).close()
        host.command("serve", 20)
        ratios, after = [], []
        for _ in range(_TURNS):
            without = _speed(host, lambda: None)
            host.command("load", agents.script_path)
            ratios.append(_asked(host, agents) / without)
            after.append(_speed(host, lambda: None) / without)
    yield _ratio(f"{python}: operations per CPU second, with the agent asked at 1 Hz", ratios, 0.995)
    yield _ratio(f"{python}: the same once it has left", after, 0.99)


def _asked(host: Host, agents: Agents) -> float:
    agents.give_back(claimed(agents, host.pid))
    link = AgentLink(identify(host.pid), agents, None)
    feed = AgentFeed(link)

    def ask() -> None:
        if isinstance(feed.pauses(), Missing):
            raise SystemExit("the agent of the benchmark's own target does not answer")
        feed.malloc()
        feed.names()
        feed.others()

    while isinstance(feed.pauses(), Missing):
        time.sleep(0.01)
    ask()  # the first answers have their modules imported and their functions compiled
    speed = _speed(host, ask)
    link.ask("leave", 10.0, dict)
    link.close()
    return speed


def _speed(host: Host, ask: Callable[[], object]) -> float:
    """Operations per CPU second of the target over one turn, in which it is asked every second."""
    operations, cpu_s = host.told("operations")
    until_s = time.monotonic() + _TURN_S
    while (left_s := until_s - time.monotonic()) > 0:
        ask()
        time.sleep(min(left_s, 1.0))
    operations_after, cpu_after_s = host.told("operations")
    return float((operations_after - operations) / (cpu_after_s - cpu_s))


def _ratio(name: str, ratios: list[float], goal: float) -> Result:
    ratio = statistics.median(ratios)
    figures = f"{ratio:.4f}× (quartiles {_quartiles(ratios)})"
    return Result(name, figures, f"≥ {goal}×", ratio >= goal)


def _quartiles(ratios: list[float]) -> str:
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"{low:.4f} and {high:.4f}"
