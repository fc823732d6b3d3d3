"""What memdash's agent costs a Python program: at its start, while it is asked, and once it has left."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from memdash.model.missing import Missing
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.feed import AgentFeed
from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for
from memdash.probes.cpython.agent.link import AgentLink
from memdash.process.identity import identify
from tests.benchmarks.headless import child_cpu_s
from tests.benchmarks.result import Result
from tests.live.hosts import Host, claimed
from tests.live.pythons import Python, spread

__all__ = ["agent"]

_OPERATIONS = 300
_PAIRS = 400
_COMINGS = 100
_SECONDS = 20
_STARTS = 30


def agent() -> Iterator[Result]:
    """The oldest interpreter of this machine that memdash reads, one of middle age, and the newest."""
    for python in spread(3):
        yield _start(python)
        yield from _running(python)


def _start(python: Python) -> Result:
    with agents_of_ours() as agents:
        program = (str(python.executable), "-c", "pass")
        launched = {**os.environ, **environment_for(agents)}
        more = []
        for _ in range(_STARTS):
            without = child_cpu_s(program)
            more.append(1e3 * (child_cpu_s(program, launched) - without))
            agents.claim(0)
    cost = statistics.median(more)
    return Result(f"{python}: the agent at the start of a program", f"{cost:.1f} ms CPU", "< 15 ms", cost < 15)


def _running(python: Python) -> Iterator[Result]:
    """Turns as short as these have neighbours that are alike also on a machine with other things to do."""
    with agents_of_ours() as agents, Host(python.executable, agents) as host:
        peer = claimed(agents, host.pid)

        def turn(deed: str) -> float:
            peer.ask(deed, 10.0)
            seconds: float = host.told("work", _OPERATIONS)
            return seconds

        pairs = [(turn("rest"), turn("time")) for _ in range(_PAIRS)]
        yield _ratio(f"{python}: operations per CPU second, with collections timed", pairs, 0.995)
        agents.give_back(peer)
        yield _asked(python, host, agents)
        before_and_after = []
        for _ in range(_COMINGS):
            without = _settled(host)
            host.command("load", agents.script_path)
            peer = claimed(agents, host.pid)
            peer.ask("time", 10.0)
            peer.ask("leave", 10.0)
            before_and_after.append((without, _settled(host)))
        yield _ratio(f"{python}: operations per CPU second, after the agent has left", before_and_after, 0.99)


def _settled(host: Host) -> float:
    """A turn after one that does not count: what follows a pause is slower."""
    host.told("work", _OPERATIONS)
    seconds: float = host.told("work", _OPERATIONS)
    return seconds


def _asked(python: Python, host: Host, agents: Agents) -> Result:
    """What the agent's thread takes in a program with an asyncio loop."""
    link = AgentLink(identify(host.pid), agents, None)
    feed = AgentFeed(link)
    host.command("loop", 0)

    def ask() -> None:
        answers = feed.pauses(), feed.malloc(), feed.names(), feed.others()
        if any(isinstance(answer, Missing) for answer in answers):
            raise SystemExit("the agent of the benchmark's own target does not answer")

    while any(isinstance(answer, Missing) for answer in (feed.pauses(), feed.malloc())) or not feed.others():
        time.sleep(0.01)  # its modules are imported and its functions compiled
    before_s, began_s = _thread_cpu_s(host.pid), time.monotonic()
    for _ in range(_SECONDS):
        time.sleep(1.0)
        ask()
    share = (_thread_cpu_s(host.pid) - before_s) / (time.monotonic() - began_s)
    link.ask("leave", 10.0, dict)
    link.close()
    return Result(
        f"{python}: the agent's thread, asked for all at 1 Hz", f"{100 * share:.3f} %", "≤ 0.5 %", share <= 0.005
    )


def _thread_cpu_s(pid: int) -> float:
    """CPU time of the newest thread but that of the asyncio loop: the agent's was there before it."""
    threads = sorted(int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir())
    return int(Path(f"/proc/{pid}/task/{threads[1]}/schedstat").read_text().split()[0]) / 1e9


def _ratio(name: str, pairs: list[tuple[float, float]], goal: float) -> Result:
    ratios = [without / with_it for without, with_it in pairs]
    low, _, high = statistics.quantiles(ratios, n=4)
    ratio = statistics.median(ratios)
    error = 0.93 * (high - low) / len(ratios) ** 0.5  # of a median, one standard deviation
    return Result(name, f"{ratio:.4f} ± {error:.4f}×", f"≥ {goal}×", ratio >= goal)
