"""When the layout is in doubt: what is shown is true, or it is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from memdash.errors import MemdashError, UnsupportedRuntime
from memdash.probes.go import detect
from memdash.probes.go.layouts import load, minors
from memdash.probes.go.program import open_program
from memdash.process.identity import identify
from tests.live.builds import MODES, build
from tests.live.conftest import NEWEST, StartGo, toolchain_for
from tests.live.target import GoTarget
from tests.live.watched import Watched, differences, own_memstats

TRIES = 10
LOADED = load


def is_true(target: GoTarget, watched: Watched) -> bool:
    for _ in range(TRIES):
        target.command("settle")
        ours = watched.memstats()
        if not differences(ours, own_memstats(target.stats())):
            return True
    return False


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["plain", "stripped"])
@pytest.mark.parametrize("minor", minors())
def test_a_layout_of_another_minor_is_refused_unless_it_fits(
    start_go: StartGo, monkeypatch: pytest.MonkeyPatch, minor: int, mode: str
) -> None:
    target = start_go(mode, minor=minor)
    for command in ("alloc 100", "chan 50", "churn 2", "stop", "gc"):
        target.command(command)
    refused = []
    for other in set(minors()) - {minor}:
        monkeypatch.setattr(detect, "load", lambda _, other=other: LOADED(other))
        try:
            with Watched(target) as watched:
                assert is_true(target, watched), f"the layout of 1.{other} was taken for that of 1.{minor}"
        except MemdashError:
            refused.append(other)
    assert len(refused) >= 4


@pytest.fixture
def anonymous(tmp_path: Path, minor: int) -> Iterator[GoTarget]:
    """A stripped program without build info."""
    program = build(toolchain_for(minor), MODES["stripped"])
    copy = tmp_path / "anonymous"
    copy.write_bytes(program.read_bytes().replace(b"\xff Go buildinf:", bytes(14)))
    copy.chmod(0o755)
    with GoTarget(copy) as target:
        yield target


@pytest.mark.matrix
@pytest.mark.parametrize("minor", minors())
def test_without_build_info_the_code_tells_the_version(anonymous: GoTarget, minor: int) -> None:
    program = open_program(identify(anonymous.pid))
    program.close()
    assert program.version.text == anonymous.go_version
    with Watched(anonymous) as watched:
        assert is_true(anonymous, watched)


@pytest.mark.live
def test_a_minor_without_a_file_is_read_by_what_the_program_says_of_itself(
    start_go: StartGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(monkeypatch, NEWEST)
    target = start_go("plain")
    target.command("alloc", 100)
    with Watched(target) as watched:
        assert is_true(target, watched)


@pytest.mark.live
def test_a_stripped_program_of_a_minor_without_a_file_is_refused(
    start_go: StartGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(monkeypatch, NEWEST)
    with pytest.raises(UnsupportedRuntime, match="newer than the newest that memdash knows") as caught:
        Watched(start_go("stripped"))
    assert "without -ldflags" in caught.value.hint


def forget(monkeypatch: pytest.MonkeyPatch, minor: int) -> None:
    """As if there were no layout file of that minor."""
    known = tuple(other for other in minors() if other != minor)
    monkeypatch.setattr(detect, "minors", lambda: known)
    monkeypatch.setattr(detect, "load", lambda asked: LOADED(asked) if asked in known else None)
