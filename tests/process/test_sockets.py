"""Whose ports are whose."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

import pytest

from memdash.errors import BadRead, TargetExited
from memdash.process.sockets import Listening, answers_at, listening_on, shares_our_network


def test_our_own_listening_ports_are_found_and_no_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("0.0.0.0", 0)) as wide:  # noqa: S104
        port, wide_port = server.getsockname()[1], wide.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            found = listening_on(os.getpid())
            assert Listening("127.0.0.1", port) in found
            assert Listening("0.0.0.0", wide_port) in found  # noqa: S104
            assert client.getsockname()[1] not in {entry.port for entry in found}
    assert port not in {entry.port for entry in listening_on(os.getpid())}


def test_ports_of_ipv6_are_found() -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"there is no IPv6 here: {error}")
    with server:
        assert Listening("::1", server.getsockname()[1]) in listening_on(os.getpid())


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("192.0.2.1", ("192.0.2.1",)),
        ("0.0.0.0", ("127.0.0.1",)),  # noqa: S104
        ("::", ("127.0.0.1", "::1")),
    ],
)
def test_what_listens_on_all_addresses_is_reached_by_the_loopbacks(host: str, hosts: tuple[str, ...]) -> None:
    assert Listening(host, 6060).reached_by == hosts


def test_ports_of_another_process_are_not_ours() -> None:
    program = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        assert listening_on(child.pid) == (Listening("127.0.0.1", port),)
        assert shares_our_network(child.pid)
        assert port not in {entry.port for entry in listening_on(os.getpid())}
        child.kill()
    with pytest.raises(TargetExited):
        listening_on(child.pid)
    with pytest.raises(TargetExited):
        shares_our_network(child.pid)


def test_who_answers_at_an_address_is_known_of_the_kernel() -> None:
    with socket.create_server(("127.0.0.1", 0)) as narrow, socket.create_server(("0.0.0.0", 0)) as wide:  # noqa: S104
        port, wide_port = narrow.getsockname()[1], wide.getsockname()[1]
        assert answers_at(os.getpid(), "127.0.0.1", port)
        assert not answers_at(os.getpid(), "127.0.0.2", port)
        assert answers_at(os.getpid(), "127.0.0.2", wide_port)
        assert not answers_at(os.getppid(), "127.0.0.1", port)


def test_what_listens_on_all_addresses_of_both_kinds_answers_at_each() -> None:
    try:
        wide = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError) as error:
        pytest.skip(f"there is no IPv6 here: {error}")
    with wide:
        port = wide.getsockname()[1]
        assert answers_at(os.getpid(), "127.0.0.1", port)
        assert answers_at(os.getpid(), "::1", port)


def test_a_port_that_is_shared_with_another_is_nobodys_own() -> None:
    program = (
        "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1])), reuse_port=True);"
        " print(flush=True); input()"
    )
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as ours:
        port = ours.getsockname()[1]
        assert answers_at(os.getpid(), "127.0.0.1", port)
        with subprocess.Popen(
            [sys.executable, "-c", program, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            assert not answers_at(os.getpid(), "127.0.0.1", port)
            assert not answers_at(child.pid, "127.0.0.1", port)
            child.kill()


def test_want_of_descriptors_is_not_an_end_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("memdash.process.sockets.os.scandir", exhausted)
    with pytest.raises(BadRead, match="Too many open files"):
        listening_on(os.getpid())
    monkeypatch.setattr("memdash.process.sockets.os.stat", exhausted)
    with pytest.raises(BadRead, match="Too many open files"):
        shares_our_network(os.getpid())


def test_whose_files_are_hidden_is_not_guessed_at(
    zombie: int, start: Callable[..., subprocess.Popen[bytes]], as_nobody: Callable[[Callable[[], str]], str]
) -> None:
    assert listening_on(zombie) == ()
    child = start("sleep", "60")
    assert as_nobody(lambda: str(listening_on(child.pid))).startswith("AccessDenied")
    assert as_nobody(lambda: str(shares_our_network(child.pid))).startswith("AccessDenied")
