"""Getting the agent into every Python that a command starts: through the environment, as ``sitecustomize``.

A child that is no Python inherits one variable more; one that ignores its environment (``-I``, ``-E``), imports no
``site`` (``-S``) or is given another one comes without an agent. Children that outlive memdash find nobody, and say
nothing of it; the path that they keep is one that nobody else can put anything at.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.place import Place

__all__ = ["agents_of_ours", "environment_for"]

_SEARCHED_FIRST = "PYTHONPATH"


def agents_of_ours() -> Agents:
    """Where the agents of what we start come to. 25 ms. Raises AgentUnreachable."""
    return Agents(Place.of_ours(), follows_forks=True)


def environment_for(agents: Agents) -> Mapping[str, str]:
    """What has to be different in the environment of a command, so that its Pythons bring an agent."""
    before = os.environ.get(_SEARCHED_FIRST)
    return {_SEARCHED_FIRST: f"{agents.path}{os.pathsep}{before}" if before else agents.path}
