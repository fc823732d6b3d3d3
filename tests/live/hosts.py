"""Python programs with an agent in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.launch import environment_for
from memdash.probes.cpython.agent.peer import Peer
from tests.live.target import LiveTarget
from tests.waiting import until

__all__ = ["Host", "claimed"]

_PROGRAM = Path(__file__).parent / "programs/python/host.py"


class Host(LiveTarget):
    """The program of ``programs/python/host.py``, started so that its agent finds ``agents``, or without one."""

    def __init__(self, interpreter: Path, agents: Agents | None, environment: Mapping[str, str] | None = None) -> None:
        launched = environment_for(agents) if agents is not None else {}
        super().__init__([interpreter, _PROGRAM], {**launched, **(environment or {})})

    def told(self, *words: str | int) -> Any:
        """The answer to a command, which is JSON."""
        return json.loads(self.command(*words))


def claimed(agents: Agents, pid: int) -> Peer:
    """The agent of a process, waited for."""
    return until(lambda: agents.claim(pid), f"the agent of process {pid}")
