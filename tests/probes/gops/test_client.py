"""Agents that hang, trickle, flood or break off, and what is asked of one that does not."""

import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest

from memdash.errors import BadAnswer, EndpointUnreachable
from memdash.model.target import Target
from memdash.network.wire import Patience
from memdash.probes.gops.client import Agent, Question

Answerer = Callable[[socket.socket, bytes], object]
Serve = Callable[[Answerer], list[bytes]]


def reset(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"alloc: 1")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def flood(connection: socket.socket, _: bytes) -> None:
    while True:
        connection.sendall(b"alloc: 1 bytes\n" * 1000)


def trickle(connection: socket.socket, _: bytes) -> None:
    while True:
        connection.sendall(b"a")
        time.sleep(0.001)


def hang(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)


def test_one_byte_is_asked_and_everything_up_to_the_end_is_the_answer(target: Target, serve: Serve) -> None:
    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"piece ")
        connection.sendall(b"by piece")

    asked = serve(answer)
    agent = Agent(target)
    assert [agent.ask(question) for question in Question] == [b"piece by piece"] * len(Question)
    assert asked == [b"\x02", b"\x03", b"\x04", b"\x05", b"\x07"]


@pytest.mark.parametrize(
    ("answer", "patience", "why"),
    [(hang, Patience(read_s=0.1), "has sent nothing"), (trickle, Patience(total_s=0.2), "has not finished")],
)
def test_an_answer_that_takes_too_long_is_not_waited_for(
    target: Target, serve: Serve, answer: Answerer, patience: Patience, why: str
) -> None:
    serve(answer)
    with pytest.raises(EndpointUnreachable, match=why):
        Agent(target, patience).ask(Question.MEMSTATS)


def test_one_that_breaks_off_is_refused(target: Target, serve: Serve) -> None:
    serve(reset)
    with pytest.raises(EndpointUnreachable, match="closed the connection early"):
        Agent(target).ask(Question.MEMSTATS)


def test_one_that_floods_is_refused(target: Target, serve: Serve) -> None:
    serve(flood)
    with pytest.raises(BadAnswer, match="more than what was asked for"):
        Agent(target).ask(Question.MEMSTATS)


def test_a_watch_that_ends_waits_for_no_answer(target: Target, serve: Serve) -> None:
    agent = Agent(target)
    begun = threading.Event()

    def answer(connection: socket.socket, _: bytes) -> None:
        begun.set()
        connection.recv(1)

    def cancel() -> None:
        begun.wait()
        agent.cancel()

    serve(answer)
    other = threading.Thread(target=cancel)
    other.start()
    with pytest.raises(EndpointUnreachable, match="not asked any more"):
        agent.ask(Question.COLLECT)
    other.join()
