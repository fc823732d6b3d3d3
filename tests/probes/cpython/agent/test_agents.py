"""Who is let in, and what is left when nobody is any more."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import memdash
from memdash.errors import AgentUnreachable
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for
from memdash.probes.cpython.agent.leftovers import sweep
from memdash.probes.cpython.agent.place import Place
from memdash.probes.cpython.agent.private import is_private, private_parents
from memdash.probes.cpython.sampler.build import file_name
from memdash.process.identity import identify

TEMPORARY = ("/tmp",)  # noqa: S108 - what is made there is private


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


def others_can_write_above(path: str) -> list[Path]:
    return [parent for parent in (Path(path), *Path(path).parents) if parent.stat().st_mode & 0o022]


def test_nobody_else_can_make_anew_what_modules_are_searched_in(agents: Agents) -> None:
    """Processes that outlive memdash keep the path; below /tmp anybody could put a sitecustomize of his own there."""
    assert not others_can_write_above(agents.path)


def test_no_place_is_better_than_one_that_others_can_write_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert str(tmp_path) not in " ".join(private_parents())
    assert stat.S_IMODE((tmp_path / "cache/memdash").stat().st_mode) == 0o700
    monkeypatch.setattr("memdash.probes.cpython.agent.place.private_parents", tuple)
    with pytest.raises(AgentUnreachable, match="no directory that nobody else can write to"):
        agents_of_ours()


def test_only_a_runtime_directory_that_is_ours_alone_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with agents_of_ours() as agents:
        mine = Path(agents.path) / "runtime"
        mine.mkdir(0o700)
        try:
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(mine))
            assert private_parents()[0] == str(mine)
            mine.chmod(0o755)
            assert str(mine) not in private_parents()
        finally:
            mine.rmdir()
    assert not is_private(TEMPORARY[0])
    assert not is_private("relative")


def test_where_the_path_is_too_long_the_socket_lies_elsewhere(callers: list[socket.socket], tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 20)
    deep.mkdir(parents=True)
    place = Place("", (str(deep),), os.geteuid(), os.getegid())
    socket_path = Path(place.socket_path)
    with Agents(place, follows_forks=True) as agents:
        assert Path(agents.script_path).parent.parent == deep
        assert stat.S_IMODE(socket_path.parent.stat().st_mode) == 0o700
        caller = socket.socket(socket.AF_UNIX)
        callers.append(caller)
        caller.connect(str(socket_path))
        caller.sendall(greeting(agents))
        peer = agents.claim(os.getpid())
        assert peer is not None
        peer.close()
    assert not socket_path.parent.exists()
    assert not list(deep.iterdir())


def test_a_file_that_could_not_be_brought_is_brought_later(agents: Agents, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name = Path(agents.path), file_name("x86_64", "glibc")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left")

    with monkeypatch.context() as full:
        full.setattr(os, "rename", fail)
        with pytest.raises(AgentUnreachable, match="No space left"):
            agents.bring(name, b"half")
    for content in (b"whole", b"another"):
        agents.bring(name, content)
    assert (place / name).read_bytes() == b"whole", "it stays"
    agents.close()
    assert not place.exists(), "with all that was brought"


def test_what_the_target_puts_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """It may be theirs, and memdash root: no more is removed than what memdash wrote."""
    (tmp_path / "tmp").mkdir()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    place = Place(str(tmp_path), TEMPORARY, os.geteuid(), os.getegid())
    there = Path(f"{tmp_path}{place.path}")
    (there / "__pycache__").symlink_to(precious)
    (there / "theirs").mkdir()
    (there / "theirs/file").touch()
    moved = there.with_name("moved")
    there.rename(moved)
    there.symlink_to(precious)
    place.close()
    assert (precious / "file").exists()
    assert (moved / "theirs/file").exists()


def test_a_directory_that_is_not_the_one_just_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    real = os.mkdir

    def swapped(name: str, mode: int, *, dir_fd: int) -> None:
        real(name, mode, dir_fd=dir_fd)
        os.chmod(name, 0o710, dir_fd=dir_fd)  # noqa: S103 - that is what is refused

    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(os, "mkdir", swapped)
    with pytest.raises(AgentUnreachable, match="somebody has put something else"):
        Place(str(tmp_path), TEMPORARY, os.geteuid(), os.getegid())
    monkeypatch.undo()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_an_interpreter_compiled_goes_too() -> None:
    other = agents_of_ours()
    environment = {**os.environ, **environment_for(other), "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run([sys.executable, "-c", ""], env=environment, check=True)
    assert (Path(other.path) / "__pycache__").is_dir()
    other.close()
    assert not Path(other.path).exists()


def left_behind(parent: Path, *names: str, age_s: float = 3600) -> Path:
    place = parent / f"memdash-{os.urandom(6).hex()}"
    place.mkdir(0o700)
    for name in names:
        (place / name).touch()
    os.utime(place, (0, time.time() - age_s))
    return place


def test_what_killed_runs_left_is_swept(tmp_path: Path) -> None:
    names = ("agent", "agent.socket", "sitecustomize.py")
    old, young = left_behind(tmp_path, *names), left_behind(tmp_path, *names, age_s=0)
    met, pending = left_behind(tmp_path, "agent", "came"), left_behind(tmp_path, "agent")
    place = Place("", (str(tmp_path),), os.geteuid(), os.getegid())
    with Agents(place, follows_forks=False) as agents:
        os.utime(agents.path, (0, 0))
        (old / "__pycache__").mkdir()
        (old / "__pycache__/sitecustomize.cpython-311.pyc").touch()
        os.utime(old, (0, 0))
        (old / "agent.socket").unlink()
        os.utime(old, (0, 0))
        shared = tmp_path / "memdash-somebody"
        shared.mkdir()
        sweep((str(tmp_path), "/absent"), private=False)
        kept = {entry.name for entry in tmp_path.iterdir()}
        assert kept == {Path(agents.path).name, young.name, old.name, pending.name, shared.name}
        assert not met.exists()
        sweep((str(tmp_path),), private=True)
        kept = {entry.name for entry in tmp_path.iterdir()}
        assert kept == {Path(agents.path).name, young.name, shared.name}


def test_an_agent_that_was_called_and_came_is_noted(callers: list[socket.socket]) -> None:
    with Agents(Place("", TEMPORARY, os.geteuid(), os.getegid()), follows_forks=False) as agents:
        for _ in range(2):
            call(agents, callers, greeting(agents))
            peer = agents.claim(os.getpid())
            assert peer is not None
            peer.close()
        assert (Path(agents.path) / "came").exists()


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
