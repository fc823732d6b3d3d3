"""An action without a watch: consent before each step, the agent first when only that can, and nothing left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from memdash.errors import AgentUnreachable, TimedOut
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Runtime, Target
from memdash.probes.probe import Attachment, Fit
from memdash.session.errand import Errand
from tests.fakes import FakeClock, FakeProbe, a_target, memstats

NO_AGENT = Missing("the agent is not loaded", "press a")


@dataclass
class Agent:
    """Offers a collection once it has been loaded and asked ``comes_after`` more times."""

    comes_after: int = 3
    refuses: bool = False
    acted: list[Action] = field(default_factory=list)
    closed: int = 0

    def offers(self) -> Mapping[Action, Maybe[str]]:
        if not self.acted:
            return {Action.LOAD_AGENT: "writes into the target", Action.FORCE_GC: NO_AGENT}
        if self.refuses:
            return {Action.LOAD_AGENT: "writes into the target", Action.FORCE_GC: Missing("it has opted out", "unset")}
        self.comes_after -= 1
        waiting = Missing("it is blocked in epoll_wait")
        return {Action.FORCE_GC: "runs gc.collect()" if self.comes_after < 0 else waiting}

    def act(self, action: Action) -> str:
        self.acted.append(action)
        return "done"

    def cancel(self) -> None:
        """What it does is done at once."""

    def news(self) -> tuple[str, ...]:
        return ("waiting for it to wake",)

    def close(self) -> None:
        self.closed += 1


@dataclass
class Entry:
    agent: Agent
    name: str = "fake"
    capabilities: frozenset[Capability] = frozenset({Capability.MEMSTATS})
    wanted_for: frozenset[Action] = frozenset()
    probe: FakeProbe = field(default_factory=lambda: FakeProbe(lambda: (memstats(),), frozenset({Capability.MEMSTATS})))

    def fitness(self, target: Target) -> Fit:
        return Fit(1, self.capabilities, Runtime.CPYTHON)

    def attach(self, target: Target) -> Attachment:
        return Attachment((self.probe,), actors=(self.agent,))


def errand(entry: Entry, answers: list[bool], told: list[str], asked: list[str]) -> Errand:
    clock = FakeClock()

    def consent(step: Action, words: str) -> bool:
        asked.append(words)
        return answers.pop(0)

    return Errand(consent=consent, tell=told.append, entries=(entry,), clock=clock, pause=clock.advance)


def test_the_agent_is_loaded_first_and_each_step_asked_for() -> None:
    entry, told, asked = Entry(Agent()), list[str](), list[str]()
    deed = errand(entry, [True, True], told, asked).run(a_target(), Action.FORCE_GC)
    assert deed is not None
    assert (deed.words, deed.failed) == ("done", False)
    assert asked == ["writes into the target", "runs gc.collect()"]
    assert "waiting for it to wake" in told
    assert entry.agent.acted == [Action.LOAD_AGENT, Action.FORCE_GC]
    assert (entry.agent.closed, entry.probe.closed) == (1, 1)


@pytest.mark.parametrize(("answers", "acted"), [([False], []), ([True, False], [Action.LOAD_AGENT])])
def test_a_no_at_any_step_ends_it(answers: list[bool], acted: list[Action]) -> None:
    entry = Entry(Agent())
    assert errand(entry, answers, [], []).run(a_target(), Action.FORCE_GC) is None
    assert entry.agent.acted == acted
    assert entry.agent.closed == 1


def test_an_agent_that_does_not_come_to_life_is_not_waited_for_for_ever() -> None:
    entry = Entry(Agent(comes_after=100_000))
    with pytest.raises(TimedOut, match="blocked in epoll_wait"):
        errand(entry, [True, True], [], []).run(a_target(), Action.FORCE_GC)
    assert entry.agent.closed == 1


def test_one_that_is_refused_is_not_waited_for() -> None:
    entry = Entry(Agent(refuses=True))
    clock = FakeClock()
    waited: list[float] = []
    with pytest.raises(AgentUnreachable, match="it has opted out") as error:
        Errand(consent=lambda _step, _words: True, tell=print, entries=(entry,), clock=clock, pause=waited.append).run(
            a_target(), Action.FORCE_GC
        )
    assert error.value.hint == "unset"
    assert waited == []
    assert entry.agent.closed == 1


def test_what_nobody_can_do_is_refused_without_a_question() -> None:
    agent, asked = Agent(comes_after=0, acted=[Action.LOAD_AGENT]), list[str]()
    deed = errand(Entry(agent), [], [], asked).run(a_target(), Action.TRIM)
    assert deed is not None
    assert (deed.failed, asked) == (True, [])
    assert "nothing in this process can do that" in deed.words.lower()
