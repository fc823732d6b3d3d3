"""Which URLs and ports are believed to be endpoints."""

import os
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from memdash.errors import BadAnswer, EndpointUnreachable, UnsupportedRuntime
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.network.address import Address
from memdash.network.wire import Patience
from memdash.probes.endpoint.discover import Found, found_at, found_in
from memdash.process.identity import identify
from tests.served import VARS, served
from tests.servers import IMPATIENT, Serve, answer

ENOUGH = Patience(read_s=1.0)
"""For an answer, on a machine with much else to do, and not for long where there is none."""


def paths(found: Found) -> tuple[str, str]:
    places = (found.pprof, found.vars)
    return tuple("" if isinstance(place, Missing) else place.path for place in places)  # type: ignore[return-value]


@pytest.mark.parametrize("path", ["/", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars"])
def test_any_url_of_the_endpoints_finds_them_all(serve: Serve, path: str) -> None:
    assert paths(found_at(serve(served()).address.at(path))) == ("/debug/pprof/", "/debug/vars")


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/debug/pprof", "/admin/debug/pprof/goroutine"])
def test_a_prefix_is_believed_when_the_index_is_there(serve: Serve, path: str) -> None:
    server = serve(served("/admin/debug/pprof/"))
    assert paths(found_at(server.address.at(path))) == ("/admin/debug/pprof/", "/admin/debug/vars")


def test_without_an_index_a_heap_profile_tells(serve: Serve) -> None:
    server = serve({path: body for path, body in served().items() if path == "/debug/pprof/heap?debug=1"})
    found = found_at(server.address)
    assert paths(found) == ("/debug/pprof/", "")
    assert not found.missing


def test_expvar_alone_gives_memstats(serve: Serve) -> None:
    found = found_at(serve({"/debug/vars": answer(VARS, "application/json")}).address)
    assert found.missing.keys() == {Capability.SITES, Capability.TASKS}
    assert "net/http/pprof is not served there" in found.missing[Capability.SITES].why


STRANGERS = {
    "has nothing": {},
    "answers a page to everything": answer(b"<html><title>hello</title></html>", "text/html"),
    "answers ok to everything": answer(b"ok", "text/plain"),
    "redirects everything": b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
    "fails": answer(b"", status="500 Internal Server Error"),
    "wants a password": answer(b"", status="401 Unauthorized"),
    "speaks something else": b"SSH-2.0-OpenSSH_9.7\r\n",
}


@pytest.mark.parametrize("behaviour", STRANGERS.values(), ids=STRANGERS)
def test_a_server_that_is_something_else_is_refused_with_what_it_said(
    serve: Serve, behaviour: bytes | dict[str, bytes]
) -> None:
    address = serve(behaviour).address
    with pytest.raises(BadAnswer, match="neither net/http/pprof nor expvar") as caught:
        found_at(address)
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_a_server_that_is_silent_is_given_up_at_once(serve: Serve) -> None:
    server = serve(lambda connection, _: connection.recv(1) and None)
    with pytest.raises(EndpointUnreachable):
        found_at(server.address, IMPATIENT)
    assert len(server.requests) == 1


@pytest.mark.parametrize("how", ["hangs", "closes"])
def test_one_that_does_not_answer_takes_nothing_from_what_was_found(serve: Serve, how: str) -> None:
    pages = served()

    def behave(connection: socket.socket, path: str) -> None:
        if path in pages and "vars" not in path:
            connection.sendall(pages[path])
        elif how == "hangs":
            connection.recv(1)

    found = found_at(serve(behave).address, ENOUGH)
    assert paths(found) == ("/debug/pprof/", "")


def test_a_folder_that_does_not_answer_keeps_none_from_being_looked_at(serve: Serve) -> None:
    pages = served("/pprof/")

    def behave(connection: socket.socket, path: str) -> None:
        if path.startswith("/pprof/"):
            connection.sendall(pages[path])
        elif path != "/debug/vars":
            connection.sendall(answer(b"", status="404 Not Found"))

    assert paths(found_at(serve(behave).address)) == ("/pprof/", "")


def test_a_search_as_a_whole_has_an_end(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s = iter(range(0, 1000, 12))
    clock = SimpleNamespace(monotonic=lambda: next(clock_s))
    monkeypatch.setattr("memdash.probes.endpoint.discover.time", clock)
    server = serve({})
    with pytest.raises(EndpointUnreachable, match="takes too long over its answers"):
        found_at(server.address.at("/a/b"), Patience(total_s=10.0))
    assert len(server.requests) <= 2


@pytest.fixture
def only_ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Look at none but these: other tests of this process may listen too."""

    def allow(*addresses: Address) -> None:
        from memdash.process.sockets import Listening, listening_on

        wanted = {address.port for address in addresses}

        def listed(pid: int) -> tuple[Listening, ...]:
            return tuple(entry for entry in listening_on(pid) if entry.port in wanted)

        monkeypatch.setattr("memdash.probes.endpoint.discover.listening_on", listed)

    return allow  # type: ignore[return-value]


def test_of_a_processs_own_ports_the_first_that_answers_is_taken(serve: Serve, only_ports: Callable[..., None]) -> None:
    silent = serve(lambda connection, _: connection.recv(1) and None)
    stranger = serve(STRANGERS["answers a page to everything"])
    good = serve(served("/pprof/"))
    only_ports(silent.address, stranger.address, good.address)
    found = found_in(identify(os.getpid()), ENOUGH)
    assert found.pprof == good.address.at("/pprof/")
    assert len(silent.requests) <= 1


def test_no_endpoint_among_the_ports_names_them(serve: Serve, only_ports: Callable[..., None]) -> None:
    stranger = serve({})
    only_ports(stranger.address)
    with pytest.raises(UnsupportedRuntime, match=f"\\({stranger.address.port}\\)") as caught:
        found_in(identify(os.getpid()))
    assert "--endpoint http://" in caught.value.hint


def test_no_port_at_all_is_said_so(only_ports: Callable[..., None]) -> None:
    only_ports()
    with pytest.raises(UnsupportedRuntime, match="listens on no TCP port"):
        found_in(identify(os.getpid()))


def test_a_container_is_said_to_have_a_network_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memdash.probes.endpoint.discover.shares_our_network", lambda _pid: False)
    with pytest.raises(UnsupportedRuntime, match="network of its own") as caught:
        found_in(identify(os.getpid()))
    assert "--endpoint http://" in caught.value.hint
