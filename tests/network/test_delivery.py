"""Sending to servers that are slow, full, away or not to be persuaded."""

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from memdash.errors import BadAnswer, EndpointUnreachable
from memdash.network.address import Address
from memdash.network.client import Client
from memdash.network.delivery import Delivery, Tally
from tests.servers import Serve, answer
from tests.waiting import until

PATIENCE_S = 10.0
SOON = (0.001, 0.01)


class _Server:
    """Answers as it is told, one answer an attempt, and then takes everything."""

    def __init__(self, *answers: Exception) -> None:
        self._answers = list(answers)
        self.taken: list[str] = []
        self.attempts = 0

    def send(self, item: str) -> None:
        self.attempts += 1
        if self._answers:
            raise self._answers.pop(0)
        self.taken.append(item)


def _status(status: int, retry_after_s: float = 0.0) -> BadAnswer:
    return BadAnswer(f"it answers {status}", status=status, retry_after_s=retry_after_s)


@pytest.fixture
def said() -> list[str]:
    return []


def _delivered(send: Callable[[str], object], said: list[str], *items: str, capacity: int = 8) -> Delivery[str]:
    delivery: Delivery[str] = Delivery(send, said.append, capacity=capacity, pauses=SOON, chance=lambda: 0.0)
    for item in items:
        delivery.offer(item)
    delivery.start()
    until(lambda: delivery.finish(PATIENCE_S), "the end of a delivery that fails at first and is tried again")
    delivery.close()
    return delivery


def test_what_goes_wrong_in_memdash_itself_is_told_and_tried_again(said: list[str]) -> None:
    server = _Server(ZeroDivisionError("division by zero"))
    delivery = _delivered(server.send, said, "a", "b")
    assert server.taken == ["a", "b"]
    assert delivery.tally == Tally(sent=2)
    assert "ZeroDivisionError" in said[0]


def test_all_is_sent_in_order(said: list[str]) -> None:
    server = _Server()
    delivery = _delivered(server.send, said, "a", "b", "c")
    assert server.taken == ["a", "b", "c"]
    assert delivery.tally == Tally(sent=3)
    assert said == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_what_may_go_better_later_is_tried_again_and_told_once(status: int, said: list[str]) -> None:
    server = _Server(*[_status(status)] * 5)
    delivery = _delivered(server.send, said, "a", "b")
    assert server.taken == ["a", "b"]
    assert delivery.tally == Tally(sent=2)
    assert len(said) == 2
    assert f"it answers {status}; it is tried again in" in said[0]
    assert said[1] == "it is sent again"


def test_a_server_that_is_away_is_waited_for(said: list[str]) -> None:
    server = _Server(EndpointUnreachable("nothing answers"), EndpointUnreachable("nothing answers"))
    assert _delivered(server.send, said, "a").tally.sent == 1
    assert server.attempts == 3


def test_what_is_refused_for_good_is_left_out_and_told_once(said: list[str]) -> None:
    server = _Server(_status(422), _status(422))
    delivery = _delivered(server.send, said, "a", "b", "c")
    assert server.taken == ["c"]
    assert delivery.tally == Tally(sent=1, refused=2)
    assert said == ["it answers 422; what it refuses is left out"]


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_where_everything_would_be_refused_nothing_more_is_sent(status: int, said: list[str]) -> None:
    server = _Server(*[_status(status)] * 9)
    delivery = _delivered(server.send, said, "a", "b")
    assert server.attempts == 1
    assert delivery.failure is not None
    assert delivery.failure.status == status
    delivery.offer("c")
    assert delivery.finish(PATIENCE_S)


def test_the_oldest_of_too_many_are_dropped_and_counted(said: list[str]) -> None:
    server = _Server(_status(500))
    delivery = _delivered(server.send, said, *"abcdefgh", capacity=3)
    assert server.taken == ["f", "g", "h"]
    assert delivery.tally == Tally(sent=3, dropped=5)
    assert said[-1] == "it is sent again; 5 were dropped"


def test_what_is_dropped_at_any_moment_of_sending_is_counted() -> None:
    delivery: Delivery[int] = Delivery(lambda _: None, lambda _: None, capacity=1)
    offered = 1

    def offer_more(frame: FrameType, _event: str, _: object) -> Callable[..., Any] | None:
        nonlocal offered
        if frame.f_code is not Delivery._tried.__code__:
            return None
        frame.f_trace_opcodes = True
        delivery.offer(offered)
        offered += 1
        return offer_more

    before = sys.gettrace()
    sys.settrace(offer_more)
    try:
        delivery._tried(0)
    finally:
        sys.settrace(before)
    assert offered > 10
    assert delivery.tally == Tally(sent=1, dropped=offered - 1 - delivery.waiting)


def test_the_server_says_when_to_come_again() -> None:
    delivery: Delivery[str] = Delivery(_Server(_status(429, retry_after_s=30.0)).send, lambda _: None, pauses=SOON)
    assert delivery._tried("a") == 30.0
    assert delivery._tried("a") is None


def test_pauses_grow_to_a_limit_and_are_never_the_same_for_all() -> None:
    server = _Server(*[_status(500)] * 40)
    first: Delivery[str] = Delivery(server.send, lambda _: None, pauses=(1.0, 300.0), chance=lambda: 0.0)
    pauses = [first._tried("a") for _ in range(12)]
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == 150.0
    later: Delivery[str] = Delivery(server.send, lambda _: None, pauses=(1.0, 300.0), chance=lambda: 1.0)
    assert later._tried("a") == 1.0


def test_closing_breaks_off_what_hangs_and_waits_for_no_pause(said: list[str]) -> None:
    hanging, broken_off = threading.Event(), threading.Event()

    def hang(_: str) -> None:
        hanging.set()
        assert broken_off.wait(PATIENCE_S)
        raise EndpointUnreachable("it was broken off")

    delivery: Delivery[str] = Delivery(hang, said.append, broken_off.set, pauses=(3600.0, 3600.0))
    delivery.offer("a")
    delivery.start()
    assert hanging.wait(PATIENCE_S)
    assert not delivery.finish(0.0)
    delivery.close()
    delivery.close()
    assert said == []
    assert delivery.trouble.startswith("the server has not answered for ")


def test_retry_after_is_read_and_bounded(serve: Serve) -> None:
    for text, seconds in (("7", 7.0), ("999999999", 3600.0), ("-1", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0)):
        head = f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {text}\r\nContent-Length: 0\r\n\r\n".encode()
        with pytest.raises(BadAnswer) as refused:
            Client(serve(head).address).post(b"x", "text/plain")
        assert (refused.value.status, refused.value.retry_after_s) == (429, seconds)


def test_what_is_posted_goes_where_it_is_meant_with_its_headers(serve: Serve) -> None:
    server = serve(answer(b""))
    address = Address(host=server.address.host, port=server.address.port, path="/below/")
    Client(address).post(b"body", "a/b", "ingest", "x=1&y=%7B", {"Authorization": "Bearer word"})
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /below/ingest?x=1&y=%7B HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer word" in head
    assert body == b"body"


def test_why_the_last_has_not_arrived_stands_until_one_does(said: list[str]) -> None:
    assert _delivered(_Server(_status(500)).send, said, "a").trouble == ""
    assert _delivered(_Server(_status(500), _status(400)).send, said, "a").trouble == "it answers 400"


def test_at_the_end_nobody_waits_for_a_server_that_fails(said: list[str]) -> None:
    delivery: Delivery[str] = Delivery(_Server(*[_status(500)] * 9).send, said.append, pauses=(3600.0, 3600.0))
    delivery.offer("a")
    delivery.start()
    assert not delivery.finish(3600.0)
    delivery.close()
    assert delivery.trouble == "it answers 500"
