import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from memdash.errors import TargetExited
from memdash.process.listening import Listener, listeners, shares_network

_LISTENING = """
import socket, sys
places = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0")]
places += [(socket.AF_INET6, "::1"), (socket.AF_INET6, "::"), (socket.AF_INET6, "::ffff:127.0.0.1")] * socket.has_ipv6
held = []
for family, host in places:
    one = socket.socket(family)
    try:
        one.bind((host, 0))
    except OSError:
        continue
    one.listen()
    held.append(one)
    print(host, one.getsockname()[1], flush=True)
connected = socket.create_connection(held[0].getsockname())
bound = socket.socket()
bound.bind(("127.0.0.1", 0))
print("ready", flush=True)
input()
"""


@pytest.fixture
def own() -> Iterator[socket.socket]:
    with ExitStack() as stack:
        yield stack.enter_context(socket.create_server(("127.0.0.1", 0)))


def test_they_are_those_of_the_process_alone(start: Callable[..., subprocess.Popen[bytes]], own: socket.socket) -> None:
    child = start(sys.executable, "-c", _LISTENING)
    assert child.stdout is not None
    told = {tuple(line.decode().split()) for line in iter(child.stdout.readline, b"ready\n")}
    found = listeners(child.pid)
    assert {(one.address, str(one.port)) for one in found} == told
    assert [one.port for one in found] == sorted(one.port for one in found)
    assert own.getsockname()[1] not in {one.port for one in found}
    assert Listener("127.0.0.1", own.getsockname()[1]) in listeners(os.getpid())
    for one in found:
        socket.create_connection((one.host, one.port), timeout=10).close()


def test_where_to_connect_to() -> None:
    assert Listener("0.0.0.0", 1).host == Listener("::", 1).host == "127.0.0.1"  # noqa: S104
    assert Listener("::ffff:127.0.0.1", 1).host == "127.0.0.1"
    assert Listener("::1", 1).host == "::1"
    assert Listener("10.0.0.7", 1).host == "10.0.0.7"


def test_one_that_is_gone_or_closed_to_us(
    zombie: int, start: Callable[..., subprocess.Popen[bytes]], as_nobody: Callable[[Callable[[], str]], str]
) -> None:
    with pytest.raises(TargetExited):
        listeners(2**22 + 1)
    assert listeners(zombie) == ()
    child = start("sleep", "60")
    assert as_nobody(lambda: str(listeners(child.pid))).startswith("AccessDenied")


def test_a_network_is_shared_unless_another_is_seen(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    assert shares_network(start("sleep", "60").pid)
    assert not shares_network(2**22 + 1)
