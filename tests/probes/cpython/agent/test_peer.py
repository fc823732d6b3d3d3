"""An agent that stops, lies, babbles or goes away."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memdash.errors import AgentUnreachable, ProbeError, TimedOut
from memdash.probes.cpython.agent import peer as peer_module
from memdash.probes.cpython.agent.peer import Peer


class Ends:
    """Both ends of a connection: ours, and that of an agent which says what the test wants."""

    def __init__(self) -> None:
        ours, self.agent = socket.socketpair()
        self.peer = Peer(ours)

    def say(self, said: bytes) -> None:
        self.agent.sendall(said)

    def close(self) -> None:
        self.peer.close()
        self.agent.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    both = Ends()
    yield both
    both.close()


def test_a_question_and_its_answer(ends: Ends) -> None:
    ends.say(b'{"id": 1, "told": {"collected": 5}}\n')
    assert ends.peer.ask("collect", 1.0) == {"collected": 5}
    assert json.loads(ends.agent.recv(1000)) == {"do": "collect", "id": 1}


def test_an_answer_may_come_in_pieces(ends: Ends) -> None:
    ends.say(b'{"id": 1, "to')
    with pytest.raises(TimedOut):
        ends.peer.ask("pauses", 0.01, after=0)
    ends.say(b'ld": {"number": 1}}\n{"id": 2, "told": {"number": 2}}\n')
    assert ends.peer.ask("pauses", 1.0, after=0) == {"number": 2}


def test_no_second_question_before_the_first_is_answered(ends: Ends) -> None:
    for _ in range(3):
        with pytest.raises(TimedOut, match="has not answered in time"):
            ends.peer.ask("pauses", 0.01, after=0)
    assert ends.agent.recv(1000).count(b"\n") == 1


def test_an_agent_that_failed_says_so(ends: Ends) -> None:
    ends.say(b'{"id": 1, "why": "MemoryError"}\n')
    with pytest.raises(ProbeError, match="the agent failed: MemoryError"):
        ends.peer.ask("collect", 1.0)
    ends.say(b'{"id": 2, "told": {}}\n')
    assert ends.peer.ask("collect", 1.0) == {}


@pytest.mark.parametrize(
    "said",
    [
        b"\n",
        b"nonsense\n",
        b"\xff\xfe\n",
        b"[]\n",
        b"7\n",
        b"null\n",
        b"{}\n",
        b'{"id": 2, "told": {}}\n',
        b'{"id": "1", "told": {}}\n',
        b'{"id": 1, "told": []}\n',
        b'{"id": 1}\n',
        b"[" * 100_000 + b"\n",
        b'{"id": ' + b"9" * 5000 + b"}\n",
    ],
    ids=lambda said: said[:20].decode(errors="replace"),
)
def test_nonsense_ends_it(ends: Ends, said: bytes) -> None:
    ends.say(said)
    with pytest.raises(AgentUnreachable):
        ends.peer.ask("collect", 1.0)


def test_a_line_without_end_ends_it(ends: Ends) -> None:
    ends.agent.setblocking(False)
    ends.agent.send(b'{"id": 1, "told": {"')
    with pytest.raises(AgentUnreachable, match="more than it may"):  # noqa: PT012 - said in pieces as large as it takes
        for _ in range(100):
            ends.agent.send(b"x" * 50_000)
            try:
                ends.peer.ask("collect", 0.0)
            except TimedOut:
                continue


def test_half_a_line_ends_it_after_a_while(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    ends.say(b'{"id": 1, "told": {')
    with pytest.raises(TimedOut):
        ends.peer.ask("collect", 0.01)
    monkeypatch.setattr(peer_module, "_HALF_LINE_S", 0.0)
    with pytest.raises(AgentUnreachable, match="in the middle of an answer"):
        ends.peer.ask("collect", 0.01)


@pytest.mark.parametrize("said", [b"", b'{"id": 1, "to'])
def test_an_end_in_the_midst(ends: Ends, said: bytes) -> None:
    assert not ends.peer.is_gone()
    ends.say(said)
    ends.agent.close()
    assert ends.peer.is_gone()
    with pytest.raises(AgentUnreachable, match="the agent is gone"):
        ends.peer.ask("collect", 1.0)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
@example(b'{"id": 1, "told": {"collected": 1}}')
def test_whatever_it_says_only_our_own_errors_come_out(said: bytes) -> None:
    both = Ends()
    both.say(said + b"\n")
    try:
        assert isinstance(both.peer.ask("collect", 0.001), dict)
    except ProbeError:
        pass
    finally:
        both.close()


def test_waiting_ends_when_it_is_cancelled(ends: Ends) -> None:
    cancelled = threading.Event()
    timer = threading.Timer(0.01, cancelled.set)
    timer.start()
    with pytest.raises(TimedOut, match="has ended meanwhile"):
        ends.peer.ask("trim", 3600.0, cancelled)
    timer.join()
    with pytest.raises(TimedOut):
        ends.peer.ask("rest", 0.01)
