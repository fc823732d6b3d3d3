"""What servers may do to whoever asks them, and that each of it is one clear error within bounds."""

import contextlib
import errno
import gzip
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from memdash.errors import BadAnswer, EndpointUnreachable, MemdashError, ProbeError
from memdash.network.address import Address
from memdash.network.client import Client
from memdash.network.wire import USUAL, Patience
from tests.servers import IMPATIENT, Behaviour, Serve

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"


def sized(body: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


def hang(connection: socket.socket, _path: str = "") -> None:
    connection.recv(1)


def stop(connection: socket.socket, _path: str) -> None:
    connection.sendall(OK + b"Content-Length: 100\r\n\r\nhello")
    hang(connection)


def drip(pieces: Iterator[bytes]) -> Behaviour:
    """A piece every hundredth of a second, until the other side has had enough."""
    pause = threading.Event()

    def behave(connection: socket.socket, _path: str) -> None:
        for piece in pieces:
            connection.sendall(piece)
            pause.wait(0.01)

    return behave


def forever(piece: bytes, first: bytes = b"") -> Iterator[bytes]:
    yield first
    while True:
        yield piece


def flood(piece: bytes, first: bytes = b"") -> Behaviour:
    def behave(connection: socket.socket, _path: str) -> None:
        for part in forever(piece, first):
            connection.sendall(part)

    return behave


def error_of(address: Address, patience: Patience = USUAL) -> ProbeError:
    with pytest.raises(ProbeError) as caught:
        Client(address, patience).get("x", most_bytes=1 << 20)
    assert "\n" not in str(caught.value)
    return caught.value


def test_an_answer_comes_whole_with_its_type(serve: Serve) -> None:
    server = serve(sized(b"hello"))
    url = f"{server.address.url}debug/vars?a=1"
    assert Client(server.address).get("debug/vars", "a=1") == (b"hello", "text/plain", url)
    assert server.requests[0].startswith(b"GET /debug/vars?a=1 HTTP/1.1\r\nHost: 127.0.0.1:")


def test_an_answer_in_chunks_is_joined(serve: Serve) -> None:
    server = serve(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
    assert Client(server.address).get().body == b"hello"


def test_an_answer_may_end_with_the_connection(serve: Serve) -> None:
    assert Client(serve(b"HTTP/1.0 200 OK\r\n\r\nhello").address).get().body == b"hello"


def test_ipv6_is_spoken_too(serve: Serve) -> None:
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    try:
        server = serve(sized(b"hello"), family=socket.AF_INET6, host="::1")
    except OSError as error:
        pytest.skip(f"there is no IPv6 here: {error}")
    assert Client(server.address).get().body == b"hello"
    assert server.requests[0].split(b"\r\n")[1].startswith(b"Host: [::1]:")


def test_no_proxy_of_the_environment_is_obeyed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert Client(serve(sized(b"hello")).address).get().body == b"hello"


SILENT = {
    "never answers": hang,
    "closes at once": lambda _connection, _path: None,
    "closes before its end": OK + b"Content-Length: 100\r\n\r\nhello",
    "closes in a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n10\r\nhel",
    "trickles its header": drip(forever(b"X", OK + b"X: ")),
    "trickles its answer": drip(forever(b"X", OK + b"Content-Length: 1000000\r\n\r\n")),
    "stops in the middle": stop,
    "goes on about continuing": drip(forever(b"HTTP/1.1 100 Continue\r\n\r\n")),
}
WRONG = {
    "floods its header": flood(b"X: " + b"x" * 1000 + b"\r\n", OK),
    "has a line without end in its header": flood(b"x" * 1000, OK + b"X: "),
    "has a hundred headers": OK + b"X: 1\r\n" * 200 + b"\r\n",
    "floods its answer": flood(b"x" * 65536, OK + b"\r\n"),
    "floods in chunks": flood(b"1000\r\n" + b"x" * 4096 + b"\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "promises too much": flood(b"x" * 65536, OK + b"Content-Length: 99999999999999\r\n\r\n"),
    "speaks something else": b"SSH-2.0-OpenSSH_9.7\r\n",
    "speaks binary": bytes(range(256)) * 10,
    "answers with an unknown packing": OK + b"Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
    "answers with a bomb": OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"\0" * 1_000_000),
    "has no such thing": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "has failed": b"HTTP/1.1 500 Oh no\x1b[31m\r\nContent-Length: 0\r\n\r\n",
    "wants a password": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    "has a status of its own": b"HTTP/1.1 999 Whatever\r\nContent-Length: 0\r\n\r\n",
    "has no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "leads elsewhere": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\x1b[2J\r\nContent-Length: 0\r\n\r\n",
}
GARBLED = {
    "half a header": OK[:20],
    "chunks of no size": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
    "chunks of less than nothing": OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a chunk line without end": OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 100_000,
    "a length that is none": OK + b"Content-Length: many\r\n\r\nhello",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
    "a header in another character set": OK + b"X: \xff\xfe\r\nContent-Length: 5\r\n\r\nhello",
}


@pytest.mark.parametrize("behave", SILENT.values(), ids=SILENT)
def test_a_server_that_does_not_answer_to_the_end_is_given_up(serve: Serve, behave: bytes | Behaviour) -> None:
    server = serve(behave)
    error = error_of(server.address, IMPATIENT)
    assert isinstance(error, EndpointUnreachable)
    assert server.address.server in str(error)


@pytest.mark.parametrize("behave", WRONG.values(), ids=WRONG)
def test_an_answer_that_was_not_asked_for_is_refused(serve: Serve, behave: bytes | Behaviour) -> None:
    error = error_of(serve(behave).address)
    assert isinstance(error, BadAnswer)
    assert str(error).isprintable()


@pytest.mark.parametrize("answer", GARBLED.values(), ids=GARBLED)
def test_a_garbled_answer_ends_in_an_error_of_ours_or_in_few_bytes(serve: Serve, answer: bytes) -> None:
    with contextlib.suppress(EndpointUnreachable, BadAnswer):
        assert len(Client(serve(answer).address).get().body) < 100


def test_nobody_there_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = error_of(Address(host="127.0.0.1", port=port))
    assert str(error) == f"nothing answers at 127.0.0.1:{port}: connection refused"
    assert error.exit_code == 5


def test_a_name_that_stands_for_nobody_is_said_so() -> None:
    assert "there is no server named" in str(error_of(Address(host="memdash.invalid", port=80)))


def test_an_encrypted_port_is_not_mistaken(serve: Serve) -> None:
    server = serve(sized(b"hello"))
    address = Address(host=server.address.host, port=server.address.port, is_secure=True)
    assert isinstance(error_of(address), EndpointUnreachable)


def test_a_handshake_that_hangs_ends_with_the_patience_and_says_so(serve: Serve) -> None:
    address = replace(serve(hang).address, is_secure=True)
    error = error_of(address, Patience(connect_s=5.0, read_s=5.0, total_s=0.2))
    assert isinstance(error, EndpointUnreachable)
    assert error.what == f"{address.server} has not finished its TLS handshake within 0.2 s"


def test_a_handshake_is_broken_off_when_it_is_not_wanted_any_more(serve: Serve) -> None:
    begun = threading.Event()

    def behave(connection: socket.socket, _path: str) -> None:
        begun.set()
        hang(connection)

    client = Client(replace(serve(behave).address, is_secure=True))
    failed: list[MemdashError] = []

    def ask() -> None:
        try:
            client.get()
        except MemdashError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(10.0)
    client.cancel()
    thread.join(5.0)
    assert isinstance(failed[0], EndpointUnreachable)


def test_a_name_server_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over, real = threading.Event(), socket.getaddrinfo

    def silent(host: str, *args: Any, **named: Any) -> Any:
        if named.get("flags"):
            return real(host, *args, **named)
        return is_over.wait(10.0) and []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    error = error_of(Address.parse("http://shop.example/"), IMPATIENT)
    assert error.what == "who is named shop.example has not been found out within 0.2 s"
    is_over.set()


def test_want_of_descriptors_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("memdash.network.wire.socket.socket", exhausted)
    assert "too many open files" in error_of(Address.parse("http://127.0.0.1:9/")).what


def test_what_a_server_says_of_an_error_is_passed_on(serve: Serve) -> None:
    words = b"profile duration exceeds server's WriteTimeout\nmore\x1b"
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(words)
    error = error_of(serve(head + words).address)
    assert str(error).endswith("answers 400 Bad Request: profile duration exceeds server's WriteTimeout")


def test_a_redirect_names_where_it_leads(serve: Serve) -> None:
    error = error_of(serve(b"HTTP/1.1 301 Moved\r\nLocation: /debug/pprof/\r\n\r\n").address)
    assert "redirect to /debug/pprof/" in str(error)


def test_a_request_that_is_cancelled_ends_soon_and_no_other_begins(serve: Serve) -> None:
    asked = threading.Event()

    def behave(connection: socket.socket, _path: str) -> None:
        asked.set()
        hang(connection)

    client, failed = Client(serve(behave).address), list[str]()

    def ask() -> None:
        try:
            client.get()
        except EndpointUnreachable as error:
            failed.append(str(error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    assert asked.wait(10)
    client.cancel()
    asking.join(10)
    assert failed == ["it is not asked any more: the watch over the target has ended"]
    with pytest.raises(EndpointUnreachable, match="not asked any more"):
        client.get()
