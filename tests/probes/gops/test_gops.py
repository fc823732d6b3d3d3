"""A program asked through a gops agent, from the first question to the last."""

import gzip
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.errors import BadAnswer, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.target import Target
from memdash.probes.gops import GOPS
from memdash.probes.gops.actor import GopsActor
from memdash.probes.gops.client import Agent
from memdash.probes.gops.probes import probes_of
from memdash.probes.probe import Fit, Refusal
from tests.probes.gops.test_answers import MEMSTATS
from tests.served import HEAP
from tests.waiting import whole_reading

Serve = Callable[[Callable[[socket.socket, bytes], object]], list[bytes]]

ANSWERS = {
    b"\x02": b"ok",
    b"\x03": MEMSTATS.encode(),
    b"\x04": b"go1.27.3\n",
    b"\x05": HEAP,
    b"\x07": b"goroutines: 12\nOS threads: 8\nGOMAXPROCS: 2\nnum CPU: 2\n",
}


def test_every_fact_is_told_with_its_cost(target: Target, serve: Serve) -> None:
    serve(lambda connection, question: connection.sendall(ANSWERS[question]))
    verdict = GOPS.fitness(target)
    assert isinstance(verdict, Fit)
    assert verdict.runtime_version == "go1.27.3"
    attachment = GOPS.attach(target)
    given = frozenset[Capability]()
    for probe in attachment.probes:
        reading = whole_reading(probe)
        assert reading.source is Source.GOPS
        assert reading.caveats
        given |= probe.capabilities
        probe.close()
    assert given == GOPS.capabilities == verdict.capabilities


def test_only_a_collection_is_ever_done(target: Target, serve: Serve) -> None:
    asked = serve(lambda connection, question: connection.sendall(ANSWERS[question]))
    actor = GopsActor(Agent(target))
    assert actor.offers().keys() == {Action.FORCE_GC} == GOPS.wanted_for
    assert actor.act(Action.FORCE_GC) == "the program collected its garbage"
    with pytest.raises(UnsupportedRuntime):
        actor.act(Action.TRIM)
    assert asked == [b"\x02"]
    actor.close()


def test_who_says_something_else_than_ok_has_collected_nothing(target: Target, serve: Serve) -> None:
    serve(lambda connection, _: connection.sendall(b"go1.27.3\n"))
    with pytest.raises(BadAnswer):
        GopsActor(Agent(target)).act(Action.FORCE_GC)


@pytest.mark.parametrize("told", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff", b"go1.27.3", bytes(70_000)])
def test_what_talks_otherwise_is_no_agent(target: Target, serve: Serve, told: bytes) -> None:
    serve(lambda connection, _: connection.sendall(told))
    assert isinstance(GOPS.fitness(target), Refusal)


@pytest.mark.parametrize("told", [b"", b"\xff" * 100, HEAP[:-20], gzip.compress(bytes(65 << 20)), b"<html></html>"])
def test_what_is_no_heap_profile_is_refused(target: Target, serve: Serve, told: bytes) -> None:
    serve(lambda connection, _: connection.sendall(told))
    probe = next(probe for probe in probes_of(target) if Capability.SITES in probe.capabilities)
    with pytest.raises(BadAnswer):
        whole_reading(probe)


def test_an_agent_that_is_busy_holds_nobody_up(target: Target, serve: Serve) -> None:
    serve(lambda connection, _: connection.recv(1))
    probe = probes_of(target)[0]
    assert probe.read().pending
    assert probe.read().pending
    probe.close()


def test_an_agent_that_goes_away_is_missed(target: Target, serve: Serve, folder: Path) -> None:
    serve(lambda connection, question: connection.sendall(ANSWERS[question]))
    probe = probes_of(target)[0]
    assert whole_reading(probe).facts
    (folder / str(target.pid)).unlink()
    with pytest.raises(UnsupportedRuntime, match="no gops agent"):
        whole_reading(probe)
