"""Whoever asks, and however: the others are answered, and each mistake is one clear line."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest

from memdash.errors import UsageError
from memdash.network.server import Listen, Page, Server
from tests.waiting import until

Start = Callable[..., Server]


@pytest.fixture
def start() -> Iterator[Start]:
    """Servers on the loopback, closed with the test."""
    started: list[Server] = []

    def start(token: str = "", lasts_s: float = 10.0, page: Callable[[str], Page] | None = None) -> Server:
        pages = {"/metrics": page or (lambda accept: Page(b"all is well " + accept.encode()))}
        server = Server(Listen("127.0.0.1", 0), pages, token, lasts_s)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


def asked(server: Server, path: str = "/metrics", method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    with contextlib.closing(HTTPConnection(*server.listen, timeout=30)) as connection:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()


def connected(server: Server, first: bytes = b"") -> socket.socket:
    connection = socket.create_connection(server.listen, timeout=30)
    connection.sendall(first)
    return connection


def test_a_page_is_made_for_who_asks(start: Start) -> None:
    answer, body = asked(start(), "/metrics?whatever=1", Accept="text/plain")
    assert (answer.status, body) == (200, b"all is well text/plain")
    assert answer.headers["Content-Length"] == str(len(body))


def test_head_is_answered_without_a_body(start: Start) -> None:
    answer, body = asked(start(), method="HEAD")
    assert (answer.status, answer.headers["Content-Length"], body) == (200, "12", b"")


def test_other_paths_and_methods_are_not_there(start: Start) -> None:
    server = start()
    assert asked(server, "/debug")[0].status == 404
    assert asked(server, method="POST")[0].status == 501


def test_without_the_token_nothing_is_told(start: Start) -> None:
    server = start("s3cret")
    answers = [
        asked(server)[0].status,
        asked(server, Authorization="Bearer s3cre")[0].status,
        asked(server, Authorization="Bearer s3cret\xe9")[0].status,
        asked(server, "/nowhere")[0].status,
        asked(server, Authorization="Bearer s3cret")[0].status,
    ]
    assert answers == [401, 401, 401, 401, 200]


def test_a_token_may_be_any_text(start: Start) -> None:
    server = start("pässwört")
    with contextlib.closing(
        connected(server, "GET /metrics HTTP/1.0\r\nAuthorization: Bearer pässwört\r\n\r\n".encode())
    ) as of:
        assert b" 200 OK" in of.makefile("rb").readline()


def test_a_page_that_goes_wrong_says_so(start: Start) -> None:
    def broken(_: str) -> Page:
        raise ZeroDivisionError

    answer, body = asked(start(page=broken))
    assert answer.status == 500
    assert b"defect" in body


def test_who_says_nothing_is_broken_off_and_holds_up_nobody(start: Start) -> None:
    server = start(lasts_s=0.05)
    with connected(server, b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Half") as silent:
        assert silent.recv(100) == b""


def test_who_trickles_is_broken_off(start: Start) -> None:
    server = start(lasts_s=0.05)
    pause = threading.Event()
    sent = 0
    with connected(server, b"GET /metrics HTTP/1.1\r\n") as slow, contextlib.suppress(OSError):
        while sent < 3000:
            slow.sendall(b"X: 1\r\n")
            sent += 1
            pause.wait(0.01)
    assert sent < 3000


def test_who_does_not_read_is_broken_off(start: Start) -> None:
    made = threading.Event()

    def large(_: str) -> Page:
        made.set()
        return Page(bytes(64 << 20))

    server = start(lasts_s=0.5, page=large)
    with connected(server, b"GET /metrics HTTP/1.1\r\n\r\n") as deaf:
        assert made.wait(30)
        until(lambda: not server._http._open, "the end of the connection")
        taken = 0
        with contextlib.suppress(OSError):
            while piece := deaf.recv(1 << 20):
                taken += len(piece)
    assert taken < 64 << 20


def test_many_who_hang_are_answered_around(start: Start) -> None:
    server = start()
    with contextlib.ExitStack() as hanging:
        silent = [hanging.enter_context(connected(server, b"GET ")) for _ in range(40)]
        assert asked(server)[0].status == 200
        assert silent[0].recv(1) == b""


def test_no_more_hang_than_there_are_places_for(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memdash.network.server._Handler.timeout", 600.0)
    server = start(lasts_s=600.0)

    def answering() -> int:
        return sum("process_request_thread" in thread.name for thread in threading.enumerate())

    with contextlib.ExitStack() as hanging:
        for _ in range(200):
            hanging.enter_context(connected(server))
        assert asked(server)[0].status == 200
        until(lambda: 0 < answering() <= 32)


def test_a_request_longer_than_any_ends(start: Start) -> None:
    server = start()
    with connected(server, b"GET /metrics HTTP/1.1\r\n") as endless, contextlib.suppress(ConnectionError):
        with contextlib.suppress(ConnectionError):
            endless.sendall(b"X: " + bytes(64) * 500 + b"\r\n" + b"X: y\r\n" * 100_000 + b"\r\n")
        assert not endless.recv(100)
    assert asked(server)[0].status == 200


def test_what_is_no_request_ends(start: Start) -> None:
    server = start()
    with connected(server, b"\x16\x03\x01\x02\0\x01\0\r\n\r\n") as odd:
        assert b"200" not in odd.recv(100)
    assert asked(server)[0].status == 200


def _odd(chance: random.Random, token: str) -> bytes:
    """A request with some of it changed, cut off, repeated or made long."""
    sound = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAccept: text/plain\r\n\r\n".encode()
    content = bytearray(sound)
    match chance.randrange(5):
        case 0:
            for _ in range(chance.randrange(1, 9)):
                content[chance.randrange(len(content))] = chance.randrange(256)
        case 1:
            del content[chance.randrange(len(content)) :]
        case 2:
            content *= chance.choice((2, 50))  # one request follows the other before the first is answered
        case 3:
            content[:3] = chance.choice((b"POST", b"CONNECT", b"G" * 9000, b"\0", b"get"))
            content = content.replace(b"HTTP/1.1", chance.choice((b"HTTP/9999999999.1", b"HTTP/-1", b"PRI", b"")))
        case 4:
            content[-2:] = b"".join(b"X%d: y\r\n" % number for number in range(chance.choice((99, 3000)))) + b"\r\n"
    return bytes(content)


def test_whatever_is_asked_ends_and_the_others_are_answered(start: Start) -> None:
    chance, server = random.Random(5), start("s3cret")
    for _ in range(150):
        with connected(server) as odd, contextlib.suppress(OSError):  # it may have been closed already
            odd.sendall(_odd(chance, "s3cret"))
            odd.shutdown(socket.SHUT_WR)
            while piece := odd.recv(1 << 16):
                assert b" 500 " not in piece
    assert asked(server, Authorization="Bearer s3cret")[0].status == 200


def test_a_port_in_use_is_one_line(start: Start) -> None:
    taken = start().listen
    with pytest.raises(UsageError, match=f"^{taken} cannot be listened at: address already in use$"):
        Server(taken, {})


def test_a_closed_server_lets_go_of_its_port(start: Start) -> None:
    server = start()
    server.close()
    server.close()
    Server(server.listen, {}).close()


@pytest.mark.parametrize(
    ("text", "listen", "loopback"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464), True),
        ("9464", ("127.0.0.1", 9464), True),
        (":9464", ("0.0.0.0", 9464), False),  # noqa: S104 - it is only read
        ("10.0.0.1:1", ("10.0.0.1", 1), False),
        ("[::1]:9464", ("::1", 9464), True),
        ("localhost:0", ("localhost", 0), True),
        ("127.evil.com:1", ("127.evil.com", 1), False),
    ],
)
def test_places_to_listen_at(text: str, listen: tuple[str, int], loopback: bool) -> None:
    assert (Listen.parse(text), Listen.parse(text).is_loopback) == (listen, loopback)


@pytest.mark.parametrize(
    "text", ["", "here", "::1:9464", "127.0.0.1:70000", "http://127.0.0.1:1", "127.0.0.1:٣", "a b:1"]
)
def test_what_is_no_place_to_listen_at(text: str) -> None:
    with pytest.raises(UsageError, match="is no place to listen at"):
        Listen.parse(text)


def test_an_address_is_written_as_in_a_url() -> None:
    assert [str(Listen("::1", 1)), str(Listen("127.0.0.1", 1))] == ["[::1]:1", "127.0.0.1:1"]
