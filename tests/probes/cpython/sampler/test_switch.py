"""The switch of the sampler: who wanted it, whether there is an agent, and what that has answered."""

from __future__ import annotations

import os
from typing import Any, cast

import pytest

from memdash.errors import ProbeError, TimedOut, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.probes.cpython.sampler.fitting import Fitting
from memdash.probes.cpython.sampler.sampling import Sampling
from memdash.probes.cpython.sampler.switch import Switch
from memdash.process.identity import identify

FRAMES = (16, 72, 0, 0, 8, 0, 56, 2, 200, 70)
ABSENT = Missing("only memdash's agent inside the target can do or tell that")


class Agent:
    """The link to one that answers as it is told to."""

    def __init__(self) -> None:
        self.why: Missing | None = None
        self.connections = 1
        self.answer: dict[str, object] | ProbeError = {"header": 4096, "start": 1, "ours": True}
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.brought: list[str] = []

    def absence(self) -> Missing | None:
        return self.why

    def bring(self, name: str, content: bytes) -> None:
        assert content
        self.brought.append(name)

    def ask(self, deed: str, patience_s: float, understood: Any, **fields: object) -> object:
        assert patience_s < 1
        return self.do(deed, understood, **fields)

    def do(self, deed: str, understood: Any, **fields: object) -> object:
        self.asked.append((deed, fields))
        if isinstance(self.answer, ProbeError):
            raise self.answer
        return understood(self.answer)


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Fitting("sampler-x86_64-glibc.so", b"\x7fELF")
    monkeypatch.setattr("memdash.probes.cpython.sampler.fitting.fitting", lambda _: found)


@pytest.fixture
def agent() -> Agent:
    return Agent()


def switch(agent: Agent, wish: Sampling | None) -> Switch:
    return Switch(identify(os.getpid()), cast("Any", agent), FRAMES, wish)


def offered(found: Switch) -> Maybe[str]:
    """To begin, or to end: the one that can be done, else why neither can."""
    begin, end = found.offers()[Action.SAMPLE], found.offers()[Action.UNSAMPLE]
    assert isinstance(begin, Missing) or isinstance(end, Missing)
    return end if isinstance(begin, Missing) else begin


def test_nothing_begins_that_nobody_asked_for(agent: Agent) -> None:
    found = switch(agent, None)
    at = found.header_at()
    assert isinstance(at, Missing)
    # It also stands alone below the types, and is cut there.
    assert at.hint.startswith("memdash --agent --sample 64KiB PID samples its allocations")
    assert agent.asked == []


def test_what_was_wanted_begins_once_there_is_an_agent(agent: Agent) -> None:
    agent.why = ABSENT
    found = switch(agent, Sampling(32768, ("obj", "raw"), 20))
    assert found.header_at() is ABSENT
    assert offered(found) is ABSENT
    agent.why = None
    assert found.header_at() == found.header_at() == 4096
    ((deed, fields),) = agent.asked
    assert deed == "sample"
    assert fields["frames"] == "16-72-0-0-8-0-56-2-200-70"
    assert (fields["rate"], fields["depth"], fields["domains"]) == (32768, 20, 5)
    assert agent.brought == [fields["library"]] == ["sampler-x86_64-glibc.so"]
    assert found.news() == ("allocations are sampled, one every 32.0 KiB",)
    assert found.news() == ()


def test_a_target_that_is_late_is_asked_again(agent: Agent) -> None:
    found, told = switch(agent, Sampling()), agent.answer
    agent.answer = TimedOut("it is busy")
    assert isinstance(found.header_at(), Missing)
    assert isinstance(offered(found), Missing), "it is being begun"
    agent.answer = told
    assert found.header_at() == 4096


def test_a_refusal_stands_until_another_agent_comes(agent: Agent) -> None:
    found, told = switch(agent, Sampling()), agent.answer
    agent.answer = {"why": "it traces its allocations"}
    assert found.header_at() == found.header_at() == Missing("it traces its allocations")
    assert len(agent.asked) == 1
    assert found.news() == ("allocations are not sampled: it traces its allocations",)
    assert isinstance(offered(found), str), "a person may try again"
    agent.answer, agent.connections = told, 2
    assert found.header_at() == 4096


def test_a_person_switches_it_on_and_off(agent: Agent) -> None:
    found = switch(agent, None)
    assert "hooks its allocators" in str(offered(found))
    assert found.act(Action.SAMPLE) == "one allocation is looked at every 64.0 KiB"
    assert found.header_at() == 4096
    assert "own allocators back" in str(offered(found))
    agent.answer = {"left": 0}
    assert found.act(Action.UNSAMPLE) == "the target has its own allocators back"
    assert isinstance(found.header_at(), Missing)
    assert [deed for deed, _ in agent.asked] == ["sample", "unsample"]


def test_who_begins_it_means_what_was_said_before(agent: Agent) -> None:
    found = switch(agent, Sampling(1 << 20, ("raw",), at_once=False))
    assert isinstance(found.header_at(), Missing)
    assert agent.asked == []
    assert "every 1.00 MiB" in str(offered(found))
    found.act(Action.SAMPLE)
    ((_, fields),) = agent.asked
    assert (fields["rate"], fields["domains"]) == (1 << 20, 1)
    assert found.header_at() == 4096


def test_who_begins_again_means_what_was_said_first(agent: Agent) -> None:
    found = switch(agent, Sampling(1 << 20, ("obj",)))
    found.header_at()
    agent.answer = {"left": 0}
    found.act(Action.UNSAMPLE)
    assert "every 1.00 MiB" in str(offered(found))
    agent.answer = {"header": 4096, "ours": True}
    assert found.act(Action.SAMPLE) == "one allocation is looked at every 1.00 MiB"
    (_, first), _, (_, again) = agent.asked
    assert (again["rate"], again["domains"]) == (1 << 20, 4)
    assert again == first


def test_what_others_began_goes_on(agent: Agent) -> None:
    found = switch(agent, Sampling())
    found.header_at()
    agent.answer = {"why": "another memdash has it sampled, and that goes on"}
    with pytest.raises(ProbeError, match="goes on"):
        found.act(Action.UNSAMPLE)
    assert isinstance(found.header_at(), Missing), "but it is not looked at any more"


def test_what_another_has_begun_has_a_rate_of_its_own(agent: Agent) -> None:
    agent.answer = {"header": 4096, "start": 1, "ours": False}
    found = switch(agent, Sampling())
    assert found.header_at() == 4096
    assert found.news() == ("another memdash samples its allocations already, at a rate of its own",)
    assert "at a rate of its own" in switch(agent, None).act(Action.SAMPLE)


def test_what_ended_elsewhere_can_begin_again(agent: Agent) -> None:
    found = switch(agent, Sampling())
    found.header_at()
    found.has_ended(Missing("that was ended elsewhere"))
    assert found.header_at() == Missing("that was ended elsewhere")
    assert "hooks its allocators" in str(offered(found))
    found.act(Action.SAMPLE)
    assert found.header_at() == 4096


def test_what_is_missing_is_said_before_anything_is_asked(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: object) -> Fitting:
        raise UnsupportedRuntime("memdash has been installed without its sampler", "install gcc")

    monkeypatch.setattr("memdash.probes.cpython.sampler.fitting.fitting", none)
    found = switch(agent, Sampling())
    why = Missing("memdash has been installed without its sampler", "install gcc")
    assert offered(found) == found.header_at() == why
    assert agent.asked == []


def test_it_does_nothing_else(agent: Agent) -> None:
    with pytest.raises(UnsupportedRuntime):
        switch(agent, None).act(Action.TRIM)
