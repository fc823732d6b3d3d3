"""Python programs with an agent in them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.launch import environment_for
from memdash.probes.cpython.agent.peer import Peer
from tests.live.target import LiveTarget

__all__ = ["Host", "claimed", "wait_until"]

_PROGRAM = Path(__file__).parent / "programs/python/host.py"
_PATIENCE_S = 20.0


class Host(LiveTarget):
    """The program of ``programs/python/host.py``, started so that its agent finds ``agents``, or without one."""

    def __init__(self, interpreter: Path, agents: Agents | None, environment: Mapping[str, str] | None = None) -> None:
        launched = environment_for(agents) if agents is not None else {}
        super().__init__([interpreter, _PROGRAM], {**launched, **(environment or {})})

    def told(self, *words: str | int) -> Any:
        """The answer to a command, which is JSON."""
        return json.loads(self.command(*words))


def wait_until(holds: Callable[[], object]) -> None:
    """Look again and again, and give up as one does on something that is stuck."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


def claimed(agents: Agents, pid: int) -> Peer:
    """The agent of a process, waited for."""
    found: list[Peer] = []

    def has_come() -> bool:
        if (peer := agents.claim(pid)) is not None:
            found.append(peer)
        return bool(found)

    wait_until(has_come)
    return found[0]
