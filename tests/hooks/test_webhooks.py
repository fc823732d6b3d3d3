"""Servers that take an alert, and those that do not."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import pytest

from memdash.errors import HookError
from memdash.hooks.alert import Alert
from memdash.hooks.webhook import Webhook
from memdash.network.address import Address
from tests.servers import Behaviour, Serve, Server, answer

Make = Callable[..., Alert]
PLACE = "/services/T0/B0/secret"


def hook(server: Server, timeout_s: float = 10.0) -> Webhook:
    return Webhook(Address.parse(f"http://{server.address.server}{PLACE}"), timeout_s)


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "204 No Content"])
def test_the_alert_is_posted_as_json(serve: Serve, alert: Make, status: str) -> None:
    server = serve(answer(b"", status=status))
    hook(server).tell(alert())
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST {PLACE} HTTP/1.1\r\n".encode())
    assert b"\r\nContent-Type: application/json\r\n" in head + b"\r\n"
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["finding"]["rule"] == "heap"


def hang(connection: socket.socket, _path: str) -> None:
    connection.recv(1)


def trickle(connection: socket.socket, _path: str) -> None:
    connection.settimeout(0.05)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Slow: yes\r\n")
        try:
            connection.recv(1)
        except TimeoutError:
            continue
        return


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (answer(b"no", status="500 Internal Server Error"), "answers 500 Internal Server Error"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://other/\r\n\r\n", "with a redirect to http://other/"),
        (answer(b"x" * (1 << 20)), "answers with more than 64.0 KiB|sends more than"),
        (b"", "closed the connection without an answer"),
        (b"220 mail ready\r\n", "does not speak HTTP"),
        (hang, "has sent nothing for 0.3 s|has not finished its answer"),
        (trickle, "has not finished its answer within 0.3 s"),
    ],
)
def test_what_goes_wrong_is_told_without_the_secret(
    serve: Serve, alert: Make, behaviour: bytes | Behaviour, why: str
) -> None:
    with pytest.raises(HookError, match=why) as failed:
        hook(serve(behaviour), timeout_s=0.3 if behaviour in (hang, trickle) else 10.0).tell(alert())
    assert "secret" not in str(failed.value)


def test_a_server_that_is_not_there_is_one_line(serve: Serve, alert: Make) -> None:
    server = serve(b"")
    server.close()
    with pytest.raises(HookError, match="nothing answers at"):
        hook(server).tell(alert())


def test_its_name_is_that_of_the_server() -> None:
    assert Webhook(Address.parse("https://chat.example/hooks/secret"), 1.0).name == "webhook chat.example:443"
