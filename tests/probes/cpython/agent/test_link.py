"""The link to an agent, which here runs in this very process: called, connected, gone, called again."""

from __future__ import annotations

import _thread
import gc
import os
import select
import socket
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from memdash.errors import AgentUnreachable, ProbeError, TimedOut
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.probes.cpython.agent import link as link_module
from memdash.probes.cpython.agent.feed import AgentFeed
from memdash.probes.cpython.agent.launch import agents_of_ours
from memdash.probes.cpython.agent.link import AgentLink, Attempt
from memdash.probes.cpython.agent.script import agent_text, first_text
from memdash.process.identity import identify
from tests.waiting import until

_OF_AN_AGENT = {Action.LOAD_AGENT, Action.FORCE_GC, Action.TRIM}


def run_here(text: str) -> None:
    exec(text, {})  # noqa: S102 - that is what is tested


class FakeAttempt:
    """Runs the script here when told to."""

    def __init__(self, script: str) -> None:
        self._script = script
        self.said: Maybe[str] = "waiting for it to wake, blocked in epoll_wait"
        self.heard: list[str] = []

    def run(self) -> None:
        run_here(Path(self._script).read_text(encoding="utf-8"))

    def state(self) -> Maybe[str]:
        return self.said

    def connected(self) -> None:
        self.heard.append("connected")

    def close(self) -> None:
        self.heard.append("closed")


@pytest.fixture
def attempts() -> list[FakeAttempt]:
    return []


@pytest.fixture
def link(attempts: list[FakeAttempt], monkeypatch: pytest.MonkeyPatch) -> Iterator[AgentLink]:
    def inject(target: Target, script: str) -> Attempt:
        assert target.pid == os.getpid()
        attempts.append(FakeAttempt(script))
        return attempts[-1]

    monkeypatch.setattr(link_module, "_CALLING_S", 0.0)
    found = AgentLink(identify(os.getpid()), None, inject)
    yield found
    found.close()
    until(lambda: not hasattr(sys, "_memdash"))


def test_without_an_injector_only_a_launch_helps() -> None:
    link = AgentLink(identify(os.getpid()), None, None)
    offers = link.offers()
    assert set(offers) == _OF_AN_AGENT
    for offer in offers.values():
        assert isinstance(offer, Missing)
        assert offer.hint == "start it with memdash -- CMD"
    with pytest.raises(AgentUnreachable):
        link.act(Action.LOAD_AGENT)
    with pytest.raises(AgentUnreachable):
        link.act(Action.FORCE_GC)
    link.close()


def test_what_was_started_without_it_says_so() -> None:
    with agents_of_ours() as agents:
        offer = AgentLink(identify(os.getpid()), agents, None).offers()[Action.FORCE_GC]
    assert isinstance(offer, Missing)
    assert "start it with" in offer.hint


def test_from_asked_for_to_gone(link: AgentLink, attempts: list[FakeAttempt]) -> None:
    assert isinstance(link.offers()[Action.LOAD_AGENT], str)
    asked = "the agent has been asked for: waiting for it to wake, blocked in epoll_wait"
    assert link.act(Action.LOAD_AGENT) == asked
    assert link.offers() == dict.fromkeys(_OF_AN_AGENT, Missing(asked))
    with pytest.raises(AgentUnreachable):
        link.act(Action.LOAD_AGENT)
    attempts[0].run()
    attempts[0].run()  # as it may be, in another thread
    until(lambda: link.absence() is None)
    assert attempts[0].heard == ["connected"]
    assert isinstance(link.offers()[Action.FORCE_GC], str)
    assert isinstance(link.offers()[Action.LOAD_AGENT], Missing)
    assert link.act(Action.FORCE_GC).endswith("collected")
    assert link.act(Action.TRIM) in ("memory given back", "nothing to give back")
    assert [line.partition(":")[0] for line in link.news()] == ["the agent is there"]
    assert link.news() == ()
    link.close()
    until(lambda: not hasattr(sys, "_memdash"))
    assert attempts[0].heard[-1] == "closed"


def test_a_refusal_is_told_and_does_not_last(link: AgentLink, attempts: list[FakeAttempt]) -> None:
    link.act(Action.LOAD_AGENT)
    attempts[0].said = Missing("it has opted out", "start it without PYTHON_DISABLE_REMOTE_DEBUG")
    offers = link.offers()
    assert offers[Action.FORCE_GC] == attempts[0].said
    assert isinstance(offers[Action.LOAD_AGENT], str)
    assert link.news() == ("agent: It has opted out. Start it without PYTHON_DISABLE_REMOTE_DEBUG",)
    assert attempts[0].heard == ["closed"]
    assert link.act(Action.LOAD_AGENT).startswith("the agent has been asked for")
    assert len(attempts) == 2


@pytest.mark.parametrize("error", [ProbeError("no"), KeyboardInterrupt(), ZeroDivisionError()])
def test_an_injector_that_cannot_even_begin_leaves_nothing(error: BaseException) -> None:
    places = []

    def inject(_: Target, script: str) -> Attempt:
        places.append(Path(script).parent)
        raise error

    link = AgentLink(identify(os.getpid()), None, inject)
    with pytest.raises(type(error)):
        link.act(Action.LOAD_AGENT)
    assert not places[0].exists()
    assert isinstance(link.offers()[Action.LOAD_AGENT], str)


def leave(link: AgentLink) -> None:
    """Have its agent go, and wait until that is noticed."""
    assert link._peer is not None
    link._peer.ask("leave", 10.0)
    until(lambda: link.absence() is not None)


def test_an_agent_that_goes_is_noticed_and_may_come_again(link: AgentLink, attempts: list[FakeAttempt]) -> None:
    for round_number in (1, 2):
        link.act(Action.LOAD_AGENT)
        attempts[-1].run()
        until(lambda: link.absence() is None)
        assert link.connections == round_number
        leave(link)
        assert link.news()[-1] == "the agent has gone"
        assert isinstance(link.offers()[Action.LOAD_AGENT], str)


def test_what_the_feed_tells(link: AgentLink, attempts: list[FakeAttempt], monkeypatch: pytest.MonkeyPatch) -> None:
    feed = AgentFeed(link)
    why = link.absence()
    assert feed.pauses() == feed.malloc() == why
    assert (feed.names(), feed.others()) == ({}, ())
    link.act(Action.LOAD_AGENT)
    attempts[0].run()
    monkeypatch.setattr("memdash.probes.cpython.agent.feed._PATIENCE_S", 10.0)
    until(lambda: link.absence() is None)
    first = feed.pauses()
    assert not isinstance(first, Missing)
    gc.collect()
    second = feed.pauses()
    assert not isinstance(second, Missing)
    assert second.number > first.number
    assert second.since_s == first.since_s
    assert second.total_ns == first.total_ns + sum(second.ended.values())
    assert feed.names()[threading.main_thread().ident or 0] == "MainThread"
    held = feed.malloc()
    assert not isinstance(held, Missing)
    assert isinstance(held.in_use_bytes, int)
    assert feed.malloc() is held  # not asked again within a second
    link.act(Action.TRIM)
    assert feed.malloc() is not held

    def late(*_: object, **__: object) -> None:
        raise TimedOut("late")

    monkeypatch.setattr(link._peer, "ask", late)
    assert feed.pauses() == second


def test_what_an_agent_told_last_holds_for_a_moment_after_it_has_gone(
    link: AgentLink, attempts: list[FakeAttempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that ends lets its agent go first: its last moment is not told from another source."""
    feed = AgentFeed(link)
    link.act(Action.LOAD_AGENT)
    attempts[0].run()
    monkeypatch.setattr("memdash.probes.cpython.agent.feed._PATIENCE_S", 10.0)
    monkeypatch.setattr("memdash.probes.cpython.agent.link._PARTING_S", 1e6)
    until(lambda: link.absence() is None)
    told = feed.malloc(), feed.pauses()
    assert not any(isinstance(each, Missing) for each in told)
    leave(link)
    assert (feed.malloc(), feed.pauses()) == told
    monkeypatch.setattr("memdash.probes.cpython.agent.link._PARTING_S", 0.0)
    assert feed.malloc() == feed.pauses() == link.absence()


def test_nothing_waits_while_the_agent_does_something(link: AgentLink, attempts: list[FakeAttempt]) -> None:
    begun, go_on = threading.Event(), threading.Event()
    main, outcomes = threading.get_ident(), list[str]()

    def hold_up(*_: object) -> None:
        if threading.get_ident() != main:
            begun.set()
            assert go_on.wait(20)

    link.act(Action.LOAD_AGENT)
    attempts[0].run()
    until(lambda: link.absence() is None)
    feed = AgentFeed(link)
    until(lambda: not isinstance(feed.pauses(), Missing))
    until(lambda: not isinstance(feed.malloc(), Missing))
    pauses, malloc, offers = feed.pauses(), feed.malloc(), link.offers()
    link.news()
    acting = threading.Thread(target=lambda: outcomes.append(link.act(Action.FORCE_GC)))
    gc.callbacks.append(hold_up)
    try:
        acting.start()
        assert begun.wait(20)
        assert link.offers() == offers
        assert link.news() == ()
        assert (feed.pauses(), feed.malloc()) == (pauses, malloc)
        with pytest.raises(TimedOut, match="something else"):
            link.ask("pauses", 10.0, lambda told: told, after=0)
        assert outcomes == []
    finally:
        go_on.set()
        acting.join()
        gc.callbacks.remove(hold_up)
    assert outcomes[0].endswith("collected")
    until(lambda: feed.pauses() != pauses)


def test_the_next_watch_finds_the_agent_that_was_launched() -> None:
    with agents_of_ours() as agents:
        run_here(Path(agents.script_path).read_text(encoding="utf-8"))
        for _ in range(2):
            link = AgentLink(identify(os.getpid()), agents, None)
            until(lambda: link.absence() is None)  # noqa: B023 - called at once
            assert not isinstance(AgentFeed(link).pauses(), Missing)
            count = len(gc.callbacks)
            link.close()
            assert len(gc.callbacks) == count - 1
    until(lambda: not hasattr(sys, "_memdash"))


def test_nothing_is_left_of_an_agent_that_nobody_listens_to() -> None:
    agents = agents_of_ours()
    text = Path(agents.script_path).read_text(encoding="utf-8")
    agents.close()
    run_here(text)
    until(lambda: not hasattr(sys, "_memdash"))


@pytest.mark.parametrize(("uid", "said"), [(65534, b""), (0, b'{"hello":"secret"')])
def test_a_stranger_at_an_old_path_is_told_nothing(tmp_path: Path, uid: int, said: bytes) -> None:
    """A process that outlives memdash keeps a path that, where others can write, anybody may listen at."""
    if os.geteuid() != 0:
        pytest.skip("only root can listen as another user")
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        os.seteuid(uid)
        try:
            listening.listen()
        finally:
            os.seteuid(0)
        rest = tmp_path / "rest"
        rest.write_text(agent_text(path, "secret", str(rest.parent), follows_forks=True), encoding="utf-8")
        run_here(first_text(str(rest)))
        connection, _ = listening.accept()
        with connection:
            assert connection.recv(100)[: len(said) or 100] == said
    until(lambda: not hasattr(sys, "_memdash"))


def test_functions_that_gevent_replaced_are_not_used(
    link: AgentLink, attempts: list[FakeAttempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    originals = {("_thread", "start_new_thread"): _thread.start_new_thread, ("select", "poll"): select.poll}
    gevent = types.SimpleNamespace(get_original=lambda module, name: originals[module, name])

    def replaced(*_: object) -> None:
        raise RuntimeError("this one is for greenlets")

    link.act(Action.LOAD_AGENT)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "gevent.monkey", gevent)
        patched.setattr(_thread, "start_new_thread", replaced)
        patched.setattr(select, "poll", replaced)
        attempts[0].run()
    until(lambda: link.absence() is None)
    assert link.act(Action.FORCE_GC).endswith("collected")


def test_an_agent_that_could_not_start_has_said_why(link: AgentLink, attempts: list[FakeAttempt]) -> None:
    link.act(Action.LOAD_AGENT)
    (Path(attempts[0]._script).parent / "why").write_text("OSError: [Errno 24] Too many\x1b open files", "utf-8")
    offer = link.offers()[Action.FORCE_GC]
    assert isinstance(offer, Missing)
    assert offer.why == "its code could not start in the target: OSError: [Errno 24] Too many  open files"
    assert "start it under memdash" in offer.hint
    assert attempts[0].heard == ["closed"]
