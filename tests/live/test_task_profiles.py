"""Goroutines and threads as profiles that go tool pprof opens: counted as the program counts them itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.cli import main
from memdash.pprof.decode import decode
from memdash.pprof.encode import encode
from tests.live.conftest import StartGo, every_build
from tests.live.gopprof import go_pprof
from tests.live.pprof_endpoint import abbreviated, fetch
from tests.live.pythons import Python, readable
from tests.live.target import GoTarget, PythonTarget

TRIES = 10
PARKED = ("park", "chan 30", "sleep 3", "select 2")
COMPARABLE = ("-nodefraction=0", "-nodecount=0", r"-hide=^(internal/)?runtime[./]")
"""The runtime's own functions, in which they wait, are told by our states."""

ROW = re.compile(r" *(\d+) +\S+% +\S+% +(\d+) +\S+%  (.+?)(?: \((?:partial-)?inline\))?$")

Save = Callable[..., Path]


@pytest.fixture
def save(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Save:
    """Write what a memdash command saves; it must succeed without a word."""

    def saved(*argv: str | int) -> Path:
        path = tmp_path / "tasks.pb.gz"
        code = main(["profile", *map(str, argv), "--force", "-o", str(path)])
        assert (code, *capfd.readouterr()) == (0, "", "")
        return path

    return saved


@pytest.fixture
def target(start_go: StartGo, minor: int, mode: str) -> GoTarget:
    started = start_go(mode, "pprof", minor)
    for command in PARKED:
        started.command(command)
    return started


def counted(*options: str | Path) -> Counter[tuple[str, str]]:
    """What pprof shows: flat and cum of each function, by its name and which of the two."""
    found: Counter[tuple[str, str]] = Counter()
    for line in go_pprof("-top", *options).splitlines():
        if row := ROW.match(line):
            name = abbreviated(row[3])
            found.update({(name, "flat"): int(row[1]), (name, "cum"): int(row[2])})
    return found


def of_the_program(path: Path, content: bytes) -> Path:
    """A profile without those who answer the endpoint."""
    document = decode(content)
    served = {
        key
        for key, location in document.locations.items()
        if any("net/http.(*conn" in line.function.name for line in location.lines)
    }
    samples = tuple(sample for sample in document.samples if not served.intersection(sample.stack))
    path.write_bytes(encode(replace(document, samples=samples)))
    return path


@every_build("plain", "stripped")
def test_goroutines_are_counted_as_the_endpoint_counts_them(
    target: GoTarget, minor: int, mode: str, save: Save, tmp_path: Path
) -> None:
    for options in ([*COMPARABLE], [*COMPARABLE, "-lines"]):
        for _ in range(TRIES):
            theirs = of_the_program(tmp_path / "theirs", fetch(target, "/debug/pprof/goroutine?debug=0"))
            ours = of_the_program(tmp_path / "ours", save(target.pid, "--type", "goroutine").read_bytes())
            if counted(*options, ours) == counted(*options, theirs):
                break
        assert counted(*options, ours) == counted(*options, theirs)
        assert sum(number for (_, which), number in counted(*options, ours).items() if which == "flat") > 45
    written, served = decode(ours.read_bytes()), decode(theirs.read_bytes())
    assert (written.sample_types, written.period_type, written.period) == (
        served.sample_types,
        served.period_type,
        served.period,
    )
    assert written.mappings[0].build_id == served.mappings[0].build_id
    assert go_pprof("-top", ours).splitlines()[0] == go_pprof("-top", theirs).splitlines()[0]


@every_build("stripped")
def test_labels_say_what_they_wait_for_and_who_began_them(target: GoTarget, minor: int, mode: str, save: Save) -> None:
    ours = save(target.pid, "--type", "goroutine")
    told = go_pprof("-tags", ours)
    assert " state: Total " in told
    for state in ("chan receive", "sleep", "select (no cases)"):
        assert f": {state}\n" in told
    focused = go_pprof("-traces", "-tagfocus=state=chan receive", ours)
    assert "main.parkInChan" in focused
    assert "main.parkInSleep" not in focused
    assert re.search(r"created_by: *main\.spawn .*main\.go:\d+", focused)


@pytest.mark.live
@pytest.mark.parametrize("python", readable((14,)))
def test_threads_of_a_python_open_too(python: Python, save: Save) -> None:
    with PythonTarget(python.executable, program="threads.py") as target:
        ours = save(target.pid, "--type", "thread")
        assert counted(ours)["recursive", "cum"] == 1
        assert counted(ours)["waiting_for_lock", "cum"] == 1
        assert "Type: thread" in go_pprof("-top", ours).splitlines()
