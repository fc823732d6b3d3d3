"""From a leak in a running program down to the line of its source, in the dashboard."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import memdash.commands
from memdash.commands.toolchain import build, find_toolchain
from memdash.config import USUAL_SOURCES, SourcePath
from memdash.errors import MemdashError
from memdash.model.missing import known
from memdash.model.snapshot import Snapshot
from memdash.probes.registry import PROBES
from memdash.process.identity import identify
from memdash.session import Watches
from memdash.session.live import read_once
from memdash.ui.app import MemdashApp
from memdash.ui.screens.dashboard import Dashboard
from memdash.units import MIB
from tests.live.builds import Mode
from tests.live.conftest import StartGo
from tests.live.following import Following
from tests.live.target import LiveTarget
from tests.sessions import FakeSession
from tests.ui.conftest import Shown

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).parent / "programs/python/leaking.py"
GO_PROGRAM = Path(__file__).parent / "programs/target"
SIZE = (140, 45)


@asynccontextmanager
async def dashboard(snapshot: Snapshot, sources: SourcePath = USUAL_SOURCES) -> AsyncIterator[Shown]:
    session = FakeSession(snapshot)
    app = MemdashApp(lambda: Dashboard(session, Watches(lambda _: session), sources=sources))
    async with app.run_test(size=SIZE) as pilot:
        shown = Shown(pilot, session, [0.0])
        await shown.settle()
        yield shown


def margin(shown: Shown, source: str) -> list[str]:
    """The words before the line of the screen that shows ``source``."""
    return next(line for line in shown.lines if source in line).split(source)[0].replace("│", "").split()


async def test_a_go_server_without_symbols_leads_to_the_line_that_keeps(start_go: StartGo) -> None:
    target = start_go("stripped", "pprof")
    for command in ("rate 1", "alloc 200", "chan 30", "gc", "gc"):
        target.command(*command.split())
    keeps = "kept = append(kept, make([]byte, 1<<16))"
    sources = SourcePath.of(str(GO_PROGRAM), "memdash/target")  # it is built with -trimpath
    async with dashboard(read_once(identify(target.pid)), sources) as shown:
        await shown.press("enter")
        await shown.built()
        assert margin(shown, keeps)[:2] == ["12.5", "MiB"]
        assert "main.main" in shown.text  # who called
        await shown.press("l")
        await shown.built()
        assert margin(shown, keeps)[:4] == ["12.5", "MiB", "12.5", "MiB"]
        assert "memdash/target/main.go" in shown.lines[0]
        await shown.press("escape", "escape", "5", "enter")
        await shown.built()
        assert margin(shown, "<-never")[0] == "30"
        assert "main.spawn" in shown.text


async def test_a_traced_python_leads_to_the_line_that_keeps(tmp_path: Path) -> None:
    program = Path(shutil.copy(PROGRAM, tmp_path / "leaking.py"))
    os.utime(program, (1_700_000_000, 1_700_000_000))
    with LiveTarget([sys.executable, program]) as target:
        target.command("start", 5)
        target.command("leak", 2000)
        snapshot = read_once(identify(target.pid))
        async with dashboard(snapshot) as shown:
            await shown.press("slash", *"store.add", "enter", "enter")
            await shown.built()
            assert margin(shown, 'self.rows.append({"number": i})')[1] in ("KiB", "MiB")
            assert "leaking.leak" in shown.text
            program.touch()
            await shown.press("escape", "enter")
            await shown.built()
            assert "the file has changed since the program started" in shown.text
            program.unlink()
            await shown.press("escape", "l")
            await shown.built()
            assert "no such file or directory" in shown.text
            assert "118" not in margin(shown, "→")


@pytest.mark.matrix
async def test_a_program_in_a_file_system_of_its_own(tmp_path: Path) -> None:
    """Its paths are those that it sees, and its links lead to where they lead there."""
    root = tmp_path / "root"
    inside = root / "srv"
    inside.mkdir(parents=True)
    (inside / "real.py").write_text(PROGRAM.read_text())
    (inside / "leaking.py").symlink_to("/srv/real.py")
    enter = ["unshare", "--user", "--map-root-user", "--mount"]
    script = f"mount --rbind {root}/srv /srv && exec {sys.executable} /srv/leaking.py"
    try:
        target = LiveTarget([*enter, "sh", "-c", script])
    except (OSError, ValueError, AssertionError) as error:
        pytest.skip(f"no namespaces here: {error}")
    with target:
        target.command("start", 5)
        target.command("leak", 2000)
        async with dashboard(read_once(identify(target.pid))) as shown:
            await shown.press("l")
            await shown.built()
            assert margin(shown, "kept.extend((store,")[1] == "MiB"


@pytest.mark.matrix
async def test_a_go_server_that_knows_its_paths_needs_no_help(start_go: StartGo) -> None:
    target = start_go(Mode(flags=("-trimpath=false",), stripped=True), "pprof")
    for command in ("rate 1", "alloc 200", "gc", "gc"):
        target.command(*command.split())
    async with dashboard(read_once(identify(target.pid))) as shown:
        await shown.press("l")
        await shown.built()
        assert margin(shown, "kept = append(kept, make([]byte, 1<<16))")[:2] == ["12.5", "MiB"]
        assert str(GO_PROGRAM / "main.go") in shown.lines[0]


def holds_much(snapshot: Snapshot) -> bool:
    """A profile whose largest site is worth a look: the first ones of a young program hold only how it began."""
    return bool(groups := known(snapshot.groups, ())) and groups[0].usage.inuse_bytes > MIB


@pytest.mark.matrix
async def test_the_demo_knows_its_source_though_its_paths_are_trimmed() -> None:
    folder = Path(memdash.commands.__file__).parent
    try:
        toolchain = find_toolchain()
    except MemdashError as error:
        pytest.skip(error.what)
    server = build(toolchain, folder / "shop", "shop-server", lambda _: None)
    with (
        subprocess.Popen([server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
        Following(process.pid, PROBES) as following,
    ):
        try:
            snapshot = following.until(holds_much)
            async with dashboard(snapshot, SourcePath.of(f"{folder}:{toolchain.root / 'src'}", None)) as shown:
                await shown.press("enter")
                await shown.built()
                assert "could not find" not in shown.text.lower()
                assert any("MiB" in line.split("→")[0] for line in shown.lines if "→" in line)
        finally:
            process.kill()
