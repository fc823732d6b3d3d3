from pathlib import Path

import pytest

from memdash.commands import toolchain as toolchains
from memdash.commands.toolchain import build, find_toolchain
from memdash.errors import MemdashError
from memdash.probes.go.layouts.toolchains import Toolchain


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "main.go").write_text("package main\n")
    return folder


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A go command that only pretends: it counts its runs, names two packages, and writes what it was asked for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "goroot"
    (root / "bin").mkdir(parents=True)
    (root / "VERSION").write_text("go1.27.3\n")
    command = root / "bin" / "go"
    command.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = env ]; then echo {root}; exit; fi\n'
        f"echo run >>{tmp_path}/runs\n"
        "printf 'fmt\\nshop\\n' >&2\n"
        'while [ "$1" != -o ]; do shift; done; echo built >"$2"\n'
    )
    command.chmod(0o755)
    return root


def test_a_program_is_built_once_and_again_when_its_source_changes(go: Path, source: Path, tmp_path: Path) -> None:
    said: list[str] = []
    toolchain = Toolchain(go, "1.27.3")
    first = build(toolchain, source, "shop", said.append)
    assert first.read_text() == "built\n"
    assert [words.rpartition(" ")[2] for words in said] == ["fmt", "shop"]
    assert build(toolchain, source, "shop", said.append) == first
    assert (tmp_path / "runs").read_text() == "run\n"
    (source / "main.go").write_text("package main // changed\n")
    assert build(toolchain, source, "shop", said.append) != first
    assert {path.name for path in first.parent.iterdir()} == {"shop"}


def test_a_build_that_fails_says_why_and_leaves_nothing(go: Path, source: Path, tmp_path: Path) -> None:
    (go / "bin" / "go").write_text("#!/bin/sh\necho '# shop' >&2\necho './main.go:1:1: no luck' >&2\nexit 1\n")
    with pytest.raises(MemdashError, match="no luck"):
        build(Toolchain(go, "1.27.3"), source, "shop", lambda _: None)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_cache_that_cannot_be_written_to_is_said_so(
    go: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(MemdashError) as failed:
        build(Toolchain(go, "1.27.3"), source, "shop", lambda _: None)
    assert "XDG_CACHE_HOME" in failed.value.hint


def test_the_toolchain_of_the_extra_comes_first_then_that_in_path(go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = Toolchain(Path("/bundled"), "1.27.3")
    monkeypatch.setattr(toolchains, "installed", lambda: bundled)
    monkeypatch.setenv("PATH", str(go / "bin"))
    assert find_toolchain() == bundled
    monkeypatch.setattr(toolchains, "installed", lambda: None)
    monkeypatch.setenv("PATH", f"{go / 'bin'}:/usr/bin:/bin")
    assert find_toolchain() == Toolchain(go, "1.27.3")


def test_without_a_toolchain_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchains, "installed", lambda: None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MemdashError) as failed:
        find_toolchain()
    assert "pip install 'memdash[demo]'" in failed.value.hint
