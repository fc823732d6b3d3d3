"""Who is let in, and what is left when nobody is any more."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import memdash
from memdash.errors import AgentUnreachable
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for
from memdash.probes.cpython.agent.place import Place
from memdash.process.identity import identify

TEMPORARY = ("/tmp",)  # noqa: S108 - what is made there is private


@pytest.fixture
def agents() -> Iterator[Agents]:
    with agents_of_ours() as listening:
        yield listening


@pytest.fixture
def callers() -> Iterator[list[socket.socket]]:
    made: list[socket.socket] = []
    yield made
    for caller in made:
        caller.close()


def call(agents: Agents, callers: list[socket.socket], said: bytes) -> socket.socket:
    caller = socket.socket(socket.AF_UNIX)
    callers.append(caller)
    caller.connect(f"{agents.path}/agent.socket")
    caller.sendall(said)
    return caller


def is_shut_out(caller: socket.socket) -> bool:
    try:
        return caller.recv(100) == b""
    except ConnectionResetError:  # what it said has not even been read
        return True


def greeting(agents: Agents) -> bytes:
    return b'{"hello": "%s"}\n' % agents._token.encode()


def test_only_its_owner_may_enter(agents: Agents) -> None:
    place = Path(agents.path)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in place.iterdir()} == {
        "agent": 0o600,
        "agent.socket": 0o600,
        "rest": 0o600,
        "sitecustomize.py": 0o600,
    }


def test_nothing_is_left(agents: Agents) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    other = agents_of_ours()
    other.close()
    other.close()
    assert not Path(other.path).exists()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_who_knows_the_token_is_let_in(agents: Agents, callers: list[socket.socket]) -> None:
    assert agents.claim(os.getpid()) is None
    call(agents, callers, greeting(agents))
    peer = agents.claim(os.getpid())
    assert peer is not None
    assert agents.claim(os.getpid()) is None
    agents.give_back(peer)
    assert agents.claim(os.getpid()) is peer
    peer.close()


@pytest.mark.parametrize("said", [b'{"hello": "guess"}\n', b'{"hello": null}\n', b"{}\n", b"x" * 2000 + b"\n", b"[]\n"])
def test_who_does_not_is_shown_the_door(agents: Agents, callers: list[socket.socket], said: bytes) -> None:
    caller = call(agents, callers, said)
    assert agents.claim(os.getpid()) is None
    assert is_shut_out(caller)


def test_who_says_nothing_waits_and_is_then_forgotten(
    agents: Agents, callers: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = call(agents, callers, greeting(agents)[:20])
    assert agents.claim(os.getpid()) is None
    slow.sendall(greeting(agents)[20:])
    peer = agents.claim(os.getpid())
    assert peer is not None
    peer.close()
    monkeypatch.setattr("memdash.probes.cpython.agent.agents._GREETING_S", 0.0)
    silent = call(agents, callers, b"")
    assert agents.claim(os.getpid()) is None
    assert is_shut_out(silent)


def test_of_two_the_first_stays_while_it_lives(agents: Agents, callers: list[socket.socket]) -> None:
    first = call(agents, callers, greeting(agents))
    second = call(agents, callers, greeting(agents))
    peer = agents.claim(os.getpid())
    assert peer is not None
    assert is_shut_out(second)
    agents.give_back(peer)
    first.close()
    third = call(agents, callers, greeting(agents))
    found = agents.claim(os.getpid())
    assert found is not None
    assert found is not peer
    found.close()
    assert is_shut_out(third)


def test_a_crowd_is_taken_in_turns(agents: Agents, callers: list[socket.socket]) -> None:
    for _ in range(100):
        call(agents, callers, b"")
    for _ in range(3):
        assert agents.claim(os.getpid()) is None


def test_another_user_is_not_let_in(callers: list[socket.socket]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may make a place for somebody else")
    place = Place("", TEMPORARY, 65534, 65534)
    with Agents(place, follows_forks=False) as agents:
        assert Path(agents.path).stat().st_uid == 65534
        assert Path(agents.script_path).stat().st_uid == 65534
        caller = call(agents, callers, greeting(agents))
        assert agents.claim(os.getpid()) is None
        assert is_shut_out(caller)


def test_the_search_path_of_modules_is_kept(agents: Agents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/mine:/yours")
    assert environment_for(agents) == {"PYTHONPATH": f"{agents.path}:/mine:/yours"}
    monkeypatch.setenv("PYTHONPATH", "")
    assert environment_for(agents) == {"PYTHONPATH": agents.path}


def test_a_place_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("memdash.probes.cpython.agent.place._LONGEST_PATH", 200)
    place = Place.of_ours()
    assert place.path.startswith(f"{tmp_path}/memdash-")
    place.close()
    for useless in (f"{tmp_path}/absent", "relative", f"{tmp_path}:x", "/" + "long/" * 40, "/proc"):
        monkeypatch.setenv("TMPDIR", useless)
        place = Place.of_ours()
        assert place.path.startswith(f"{TEMPORARY[0]}/memdash-")
        place.close()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(AgentUnreachable, match="no directory to meet it in"):
        Place(str(tmp_path), ("/link", "/absent"), os.geteuid(), os.getegid())
    assert not list((tmp_path / "real").iterdir())


def test_a_place_in_another_file_system(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    place = Place(str(tmp_path), TEMPORARY, os.geteuid(), os.getegid())
    with Agents(place, follows_forks=False) as agents:
        assert agents.path.startswith(f"{TEMPORARY[0]}/memdash-")
        assert Path(f"{tmp_path}{agents.script_path}").is_file()
    assert not list((tmp_path / "tmp").iterdir())


def test_the_place_of_a_process_that_sees_what_we_see() -> None:
    place = Place.seen_by(identify(os.getpid()))
    assert Path(place.path).is_dir()
    assert place.owner == os.geteuid()
    place.close()


def test_a_place_that_cannot_be_opened_is_unreachable_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    real, failures = os.open, [OSError(errno.EMFILE, "too many open files")]

    def fail(path: str, *rest: int, **named: int) -> int:
        if path.startswith("memdash-") and failures:
            raise failures.pop()
        return real(path, *rest, **named)

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(AgentUnreachable, match="too many open files"):
        Place(str(tmp_path), TEMPORARY, os.geteuid(), os.getegid())
    monkeypatch.undo()
    assert not list((tmp_path / "tmp").iterdir())


def test_who_exits_without_closing_leaves_nothing() -> None:
    code = "from memdash.probes.cpython.agent.launch import agents_of_ours as a; agents = a(); print(agents.path)"
    root = str(Path(memdash.__file__).parent.parent)
    told = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.PIPE, text=True,
        check=True,
    ).stdout.strip()  # fmt: skip
    assert "/memdash-" in told
    assert not Path(told).exists()
