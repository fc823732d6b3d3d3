"""A process is asked at an address only as long as it is the one that answers there."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from memdash.errors import AccessDenied, BadAnswer, EndpointUnreachable
from memdash.model.action import Action
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.network.client import Client
from memdash.network.wire import Peer
from memdash.probes.endpoint import Endpoint
from memdash.probes.endpoint.discover import found_at
from memdash.probes.endpoint.owner import Owner
from memdash.process.identity import identify
from tests.fakes import a_target
from tests.served import INDEX, VARS, served
from tests.servers import Serve, answer

Start = Callable[..., "subprocess.Popen[bytes]"]
TAKES_OVER = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(flush=True);"
    " c = s.accept()[0]; print(len(c.recv(9)), flush=True)"
)


def ourselves() -> Target:
    return identify(os.getpid())


def test_a_process_that_does_not_listen_there_is_not_asked_for(serve: Serve, start: Start) -> None:
    server = serve(served())
    stranger = identify(start("sleep", "60").pid)
    with pytest.raises(EndpointUnreachable, match=f"process {stranger.pid} does not listen on port"):
        Endpoint(server.address).find(stranger)
    assert b"".join(server.requests) == b""


def test_a_process_that_listens_there_may_be_acted_on(serve: Serve) -> None:
    (actor,) = Endpoint(serve(served()).address).attach(ourselves()).actors
    assert isinstance(actor.offers()[Action.FORCE_GC], str)


def test_whoever_takes_the_port_over_is_told_nothing(serve: Serve) -> None:
    server = serve(served())
    attachment = Endpoint(server.address).attach(ourselves())
    server.close()
    command = [sys.executable, "-c", TAKES_OVER, str(server.address.port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(EndpointUnreachable, match="nothing was asked"):
            attachment.actors[0].act(Action.FORCE_GC)
        assert other.stdout.readline() == b"0\n"


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the target had a network of its own."""
    monkeypatch.setattr("memdash.probes.endpoint.owner.shares_our_network", lambda _pid: False)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("told_by", ["cmdline", "vars"])
def test_elsewhere_the_command_line_tells(serve: Serve, told_by: str) -> None:
    pages = served(vars=VARS.replace(b'"/srv/shop-server"', b'"/srv/other", "--port", "7"'))
    if told_by == "cmdline":
        pages = served() | {"/debug/pprof/cmdline": answer(b"/srv/other\0--port\x007", "text/plain")}
    found = found_at(serve(pages).address)
    assert Owner(a_target(argv=("/srv/other", "--port", "7"))).doubt(found) is None
    with pytest.raises(BadAnswer, match="/srv/other --port 7") as caught:
        Owner(a_target()).doubt(found)
    assert "memdash --url" in caught.value.hint


@pytest.mark.usefixtures("elsewhere")
def test_where_nothing_tells_whose_it_is_nothing_is_done(serve: Serve) -> None:
    pages = {path: page for path, page in served(index=INDEX).items() if path != "/debug/vars"}
    attachment = Endpoint(serve(pages).address).attach(ourselves())
    (actor,) = attachment.actors
    offer = actor.offers()[Action.FORCE_GC]
    assert isinstance(offer, Missing)
    assert "does not tell whose it is" in offer.why
    assert offer.why in attachment.log


def test_whose_sockets_are_hidden_is_read_but_not_acted_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(*_: object) -> bool:
        raise AccessDenied("the kernel does not show it", "use sudo")

    monkeypatch.setattr("memdash.probes.endpoint.owner.answers_at", hidden)
    address = serve(served()).address
    owner = Owner(replace(ourselves(), argv=("/srv/shop-server",)))
    doubt = owner.doubt(found_at(address, check=owner.check))
    assert doubt == Missing(
        "that the endpoint is its own cannot be made sure of: the kernel does not show it", "use sudo"
    )


def test_a_peer_says_whether_it_is_of_this_machine(serve: Serve) -> None:
    peers: list[Peer] = []
    address = serve(served()).address
    Client(address, check=peers.append).get("/debug/vars")
    assert peers == [Peer("127.0.0.1", address.port, is_here=True)]
