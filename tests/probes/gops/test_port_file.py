"""Port files that are missing, strange, or lead to somebody else."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memdash.errors import AccessDenied, EndpointUnreachable, UnsupportedRuntime
from memdash.model.target import Target
from memdash.network.address import Address
from memdash.probes.gops import port_file
from memdash.probes.gops.port_file import address_of
from memdash.process.identity import identify

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def file(folder: Path) -> Path:
    return folder / str(os.getpid())


def refused(target: Target) -> str:
    with pytest.raises(EndpointUnreachable) as caught:
        address_of(target)
    return caught.value.what


def test_the_port_is_in_the_folder_that_the_target_was_told(target: Target, file: Path, port: int) -> None:
    file.write_text(f"{port}\n")
    assert address_of(target) == Address(host="127.0.0.1", port=port)


@pytest.mark.parametrize("place", ["home/.config/gops/{}", "home/.gops/.{}", "xdg/gops/{}"])
def test_other_places(target: Target, folder: Path, port: int, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"HOME": str(folder / "home")} | ({"XDG_CONFIG_HOME": str(folder / "xdg")} if "xdg" in place else {})
    monkeypatch.setattr(port_file, "environment", lambda _: variables)
    path = folder / place.format(os.getpid())
    path.parent.mkdir(parents=True)
    path.write_text(str(port))
    assert address_of(target).port == port


def test_a_folder_relative_to_where_the_target_runs(
    target: Target, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_file, "environment", lambda _: {"GOPS_CONFIG_DIR": "state"})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / str(os.getpid())).write_text(str(port))
    assert address_of(target).port == port


def test_without_a_file_it_has_no_agent(target: Target, file: Path) -> None:
    with pytest.raises(UnsupportedRuntime, match="no gops agent") as caught:
        address_of(target)
    assert "agent.Listen" in caught.value.hint


@pytest.mark.parametrize("content", ["", "0", "65536", "-1", "1e3", "٣", "80 80", "9" * 5000, "\0", "127.0.0.1:80"])
def test_a_file_without_a_port(target: Target, file: Path, content: str) -> None:
    file.write_text(content)
    assert refused(target) == "the port file of its gops agent holds no port"


def test_a_huge_file_is_not_read(target: Target, file: Path) -> None:
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    assert refused(target) == "the port file of its gops agent holds no port"


def test_a_link_is_not_followed(target: Target, file: Path, folder: Path, port: int) -> None:
    (folder / "elsewhere").write_text(str(port))
    file.symlink_to(folder / "elsewhere")
    assert "cannot be read" in refused(target)


def test_what_is_no_file_is_not_waited_for(target: Target, file: Path) -> None:
    os.mkfifo(file)
    assert "something else than a file" in refused(target)
    file.unlink()
    file.mkdir()
    assert "something else than a file" in refused(target)


def test_a_port_that_another_process_listens_on_is_not_touched(
    target: Target, file: Path, start: Start, port: int
) -> None:
    child = start("sleep", "60")
    (file.parent / str(child.pid)).write_text(str(port))
    assert (
        refused(identify(child.pid)) == f"the port file of its gops agent is stale: it does not listen on port {port}"
    )


def test_a_good_file_counts_though_another_is_stale(target: Target, file: Path, folder: Path, port: int) -> None:
    file.write_text("1")
    other = folder / "home/.config/gops" / str(os.getpid())
    other.parent.mkdir(parents=True)
    other.write_text(str(port))
    assert address_of(target).port == port


def test_a_network_of_its_own_is_not_ours(
    target: Target, file: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(str(port))
    monkeypatch.setattr(port_file, "shares_our_network", lambda _: False)
    assert "a network of its own" in refused(target)


def test_whose_sockets_are_hidden_is_not_connected_to(
    target: Target, file: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(_: int) -> None:
        raise AccessDenied("the kernel does not show its open files")

    file.write_text(str(port))
    monkeypatch.setattr(port_file, "listening_on", hidden)
    with pytest.raises(AccessDenied, match="cannot be made sure of"):
        address_of(target)
