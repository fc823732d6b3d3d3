"""memdash's side of the sampler in a Python: the line to the agent, the switch, and who reads the tables."""

from __future__ import annotations

from memdash.model.action import Action
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.cpython.inject.injection import Injection
from memdash.probes.cpython.interpreter import Interpreter, open_interpreter
from memdash.probes.cpython.sampler.frames import frame_words
from memdash.probes.cpython.sampler.readings import SamplerFeed, SitesProbe
from memdash.probes.cpython.sampler.sampling import Sampling
from memdash.probes.cpython.sampler.switch import Switch
from memdash.process.identity import identify
from tests.waiting import until

__all__ = ["SamplerSide"]


class SamplerSide:
    """``agents`` has the agent of a target that was launched with one; any other is injected into when they meet."""

    def __init__(self, pid: int, agents: Agents | None) -> None:
        self._agents = agents
        self._target = identify(pid)
        self._interpreter: Interpreter = open_interpreter(self._target)
        self.link = AgentLink(self._target, agents, Injection)
        self._frames = frame_words(self._interpreter.layout, self._interpreter.version.minor)

    def meet(self) -> None:
        """Have the agent there."""
        if self._agents is None:
            self.link.act(Action.LOAD_AGENT)
        until(lambda: self.link.absence() is None, "the agent")

    def switch(self, sampling: Sampling) -> Switch:
        return Switch(self._target, self.link, self._frames, sampling)

    def feed(self, switch: Switch) -> SamplerFeed:
        return SamplerFeed(self._target, self._interpreter, self.link, switch)

    def probe(self, feed: SamplerFeed) -> SitesProbe:
        return SitesProbe(self._interpreter, feed, None)

    def close(self) -> None:
        self.link.close()
        self._interpreter.close()
