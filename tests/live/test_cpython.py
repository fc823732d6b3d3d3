"""Every interpreter of this machine against what it says of itself: gc, sys, and the allocator's own report."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memdash.errors import BadRead, LayoutRefused, TargetExited
from memdash.model.capability import Capability
from memdash.model.gc import GcStats
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.target import Runtime
from memdash.probes.cpython import CPYTHON, interpreter
from memdash.probes.cpython.layouts import load
from memdash.probes.cpython.layouts.headers import brought
from memdash.probes.probe import Fit, Refusal
from memdash.process.identity import identify
from tests.live.pythons import Python, each, pythons
from tests.live.target import PythonTarget
from tests.live.watched import Watched

pytestmark = pytest.mark.live

OWN_OBJECTS = 64
"""Objects that the target's report makes and its answer frees again."""


python = each(scope="module")


@pytest.fixture(scope="module")
def target(python: Python) -> Iterator[PythonTarget]:
    with PythonTarget(python.executable) as started:
        yield started


@pytest.fixture
def watched(target: PythonTarget) -> Iterator[Watched]:
    with Watched(target, CPYTHON) as attached:
        yield attached


def counts(gc: GcStats) -> list[list[int]]:
    return [[row.collections, row.collected, row.uncollectable] for row in gc.generations]


def test_it_is_told_by_its_version(target: PythonTarget) -> None:
    verdict = CPYTHON.fitness(identify(target.pid))
    assert isinstance(verdict, Fit)
    assert (verdict.runtime, verdict.runtime_version) == (Runtime.CPYTHON, f"cpython {target.version}")


def test_every_invariant_holds(watched: Watched) -> None:
    (line,) = watched.attachment.log
    assert re.search(r" (\d+) of \1 invariants hold$", line)
    assert not watched.attachment.missing


def test_the_collector_is_as_gc_says(target: PythonTarget, watched: Watched) -> None:
    for work in (("cycles", 3000), ("collect", 0), ("collect", 1), ("cycles", 50), ("collect", 2), ("keep", 5000)):
        target.command(*work)
        told, gc = target.stats(), watched.gc()
        assert counts(gc) == told["stats"]
        assert gc.count == sum(row[0] for row in told["stats"])
        assert [row.threshold for row in gc.generations] == told["threshold"]
        first, *others = [row.count for row in gc.generations]
        assert others == told["count"][1:]
        assert isinstance(first, int)
        assert abs(first - told["count"][0]) <= OWN_OBJECTS
        assert gc.phase == "idle"


def test_settings_show_at_once(target: PythonTarget, watched: Watched) -> None:
    try:
        target.command("threshold", 901, 12, 13)
        target.command("debug", 32)
        target.command("disable")
        assert [row.threshold for row in watched.gc().generations] == target.stats()["threshold"]
        assert watched.gc().generations[0].threshold == 901
        assert watched.gc().phase == "off"
        memstats = watched.memstats()
        assert (memstats.EnableGC, memstats.DebugGC) == (False, True)
    finally:
        target.command("enable")
        target.command("debug", 0)
        target.command("threshold", 700, 10, 10)
    memstats = watched.memstats()
    assert (memstats.EnableGC, memstats.DebugGC) == (True, False)


def test_tracked_objects_are_those_of_gc_get_objects(target: PythonTarget, watched: Watched, python: Python) -> None:
    tracked = watched.gc().tracked_objects
    if python.minor < 14:
        assert tracked == Missing("CPython before 3.14.5 does not count the objects its collector tracks")
    else:
        assert isinstance(tracked, int)
        assert abs(tracked - target.stats()["tracked"]) <= OWN_OBJECTS


def test_blocks_are_those_of_sys(target: PythonTarget, watched: Watched) -> None:
    for work in (("keep", 100_000), ("big", 300), ("drop",)):
        target.command(*work)
        blocks = watched.memstats().HeapObjects
        assert isinstance(blocks, int)
        assert abs(blocks - target.stats()["blocks"]) <= OWN_OBJECTS


def figure(report: str, pattern: str) -> int:
    match = re.search(pattern, report)
    assert match is not None, report
    return int(match[1].replace(",", ""))


def test_bytes_are_those_of_the_allocators_own_report(target: PythonTarget, watched: Watched) -> None:
    target.command("keep", 200_000)
    report: str = json.loads(target.command("pymalloc"))
    ours = watched.memstats()
    in_blocks = figure(report, r"# bytes in allocated blocks +=\s+([\d,]+)")
    arenas = figure(report, r"\n([\d,]+) arenas \*")
    arena_bytes = figure(report, r"arenas \* (\d+) bytes/arena")
    pools = sum(int(row) for row in re.findall(r"^ +\d+ +\d+ +(\d+) +\d+ +\d+$", report, re.MULTILINE))
    pool_bytes = figure(report, r"unused pools \* (\d+) bytes")
    assert isinstance(ours.HeapAlloc, int)
    assert isinstance(ours.HeapInuse, int)
    assert abs(ours.HeapAlloc - in_blocks) <= OWN_OBJECTS * 512
    assert ours.Alloc == ours.HeapAlloc
    assert ours.HeapSys == arenas * arena_bytes
    assert abs(ours.HeapInuse - pools * pool_bytes) <= 2 * pool_bytes
    assert ours.HeapIdle == ours.HeapSys - ours.HeapInuse


def test_under_load_counters_lie_between_two_reports(target: PythonTarget, watched: Watched) -> None:
    target.command("churn", 1)
    try:
        for _ in range(5):
            before = target.stats()["stats"]
            gc, memstats = watched.gc(), watched.memstats()
            after = target.stats()["stats"]
            for low, row, high in zip(before, counts(gc), after, strict=True):
                assert all(x <= y <= z for x, y, z in zip(low, row, high, strict=True))
            assert isinstance(memstats.HeapInuse, int)
            assert isinstance(memstats.HeapAlloc, int)
            assert 0 < memstats.HeapAlloc < memstats.HeapInuse
            with Watched(target, CPYTHON) as again:
                assert len(again.attachment.log) == 1, again.attachment.log
    finally:
        target.command("stop")


def test_the_last_collection_is_timed(target: PythonTarget, watched: Watched, python: Python) -> None:
    first = watched.gc()
    before_s = time.time()
    target.command("collect", 2)
    gc, memstats = watched.gc(), watched.memstats()
    assert isinstance(gc.last_at_s, float)
    assert before_s <= gc.last_at_s <= time.time()
    assert memstats.LastGC == pytest.approx(gc.last_at_s * 1e9, rel=1e-12)
    if python.minor < 15:
        assert isinstance(first.last_at_s, Missing)
        assert isinstance(gc.pause_p99_ns, Missing)
        assert isinstance(memstats.PauseNs, Missing)
    else:
        durations_s = target.stats()["durations_s"]
        assert gc.pause_total_ns == pytest.approx(sum(durations_s) * 1e9, rel=1e-6)
        assert isinstance(gc.pause_max_ns, int)
        assert isinstance(gc.pause_total_ns, int)
        assert gc.pauses[0].duration_ns <= gc.pause_max_ns <= gc.pause_total_ns
        assert memstats.PauseNs == tuple(pause.duration_ns for pause in gc.pauses)


def test_what_has_no_equivalent_says_why(watched: Watched) -> None:
    memstats = watched.memstats()
    never = {name: getattr(memstats, name) for name in ("TotalAlloc", "Sys", "Mallocs", "HeapReleased", "NextGC")}
    assert all(isinstance(why, Missing) and why.why.startswith("CPython") for why in never.values())


@pytest.mark.parametrize("shift", [-1, 1])
def test_the_layout_of_a_neighbouring_minor_is_noticed(
    target: PythonTarget, python: Python, shift: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbour = load(python.minor + shift)
    if neighbour is None:
        pytest.skip("there is no such neighbour")
    monkeypatch.setattr(interpreter, "load", lambda _: neighbour)
    try:
        with Watched(target, CPYTHON) as watched:
            failed = watched.attachment.log[1:]
            gc_is_missing = Capability.GC in watched.attachment.missing
            heap_is_missing = isinstance(watched.memstats().HeapAlloc, Missing)
    except LayoutRefused:
        return
    assert failed
    assert all(line.startswith("does not hold: ") for line in failed)
    assert gc_is_missing or heap_is_missing


def test_without_pymalloc_its_figures_are_missing(python: Python) -> None:
    with PythonTarget(python.executable, {"PYTHONMALLOC": "malloc"}) as target, Watched(target, CPYTHON) as watched:
        target.command("keep", 1000)
        memstats = watched.memstats()
        assert isinstance(memstats.HeapAlloc, Missing)
        assert memstats.HeapAlloc.why.startswith("the allocator for small objects is not in use")
        assert memstats.HeapObjects == memstats.HeapAlloc
        assert counts(watched.gc()) == target.stats()["stats"]


def test_a_stripped_library_is_read_as_well(python: Python, tmp_path: Path) -> None:
    libraries = sorted((python.executable.parent.parent / "lib").glob(f"libpython3.{python.minor}.so.*"))
    if not libraries or not shutil.which("strip"):
        pytest.skip("this interpreter is no shared library, or there is no strip")
    stripped = tmp_path / libraries[0].name
    subprocess.run(["strip", "-o", stripped, libraries[0]], check=True)
    with PythonTarget(python.executable, {"LD_PRELOAD": str(stripped)}) as target, Watched(target, CPYTHON) as watched:
        assert len(watched.attachment.log) == 1
        memstats, told = watched.memstats(), target.stats()
        assert isinstance(memstats.HeapObjects, int)
        assert abs(memstats.HeapObjects - told["blocks"]) <= OWN_OBJECTS
        assert counts(watched.gc()) == told["stats"]
        if python.minor == 8:
            assert isinstance(memstats.HeapAlloc, Missing)
        else:
            assert isinstance(memstats.HeapAlloc, int)


def test_a_library_replaced_on_disk_is_read_by_root_or_refused(python: Python, tmp_path: Path) -> None:
    libraries = sorted((python.executable.parent.parent / "lib").glob(f"libpython3.{python.minor}.so.*"))
    if not libraries:
        pytest.skip("this interpreter is no shared library")
    copied = tmp_path / libraries[0].name
    shutil.copy(libraries[0], copied)
    with PythonTarget(python.executable, {"LD_PRELOAD": str(copied)}) as target:
        copied.unlink()
        verdict = CPYTHON.fitness(identify(target.pid))
        if isinstance(verdict, Refusal):
            assert "has been deleted or replaced since it started" in verdict.why
            assert "sudo" in verdict.hint
        else:
            assert verdict.runtime_version == f"cpython {target.version}"


EMBEDDING = """
#include <Python.h>
#include <unistd.h>
int main(void) {
    char word;
    for (;;) {
        Py_Initialize();
        (void)!write(1, "+", 1);
        if (read(0, &word, 1) <= 0) return 0;
        Py_Finalize();
        (void)!write(1, "-", 1);
        if (read(0, &word, 1) <= 0) return 0;
    }
}
"""


def test_a_program_that_embeds_python_may_shut_it_down_and_start_it_again(python: Python, tmp_path: Path) -> None:
    prefix, name = python.executable.parent.parent, f"python3.{python.minor}"
    if not (prefix / f"lib/lib{name}.so").exists() or not shutil.which("cc"):
        pytest.skip("this interpreter is no shared library, or there is no C compiler")
    source, program = tmp_path / "embedding.c", tmp_path / "embedding"
    source.write_text(EMBEDDING)
    linked = [f"-L{prefix}/lib", f"-l{name}", f"-Wl,-rpath,{prefix}/lib"]
    subprocess.run(["cc", f"-I{prefix}/include/{name}", source, "-o", program, *linked], check=True)
    environment = {**os.environ, "PYTHONHOME": str(prefix)}
    child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0)
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.read(1) == b"+"
        probes = CPYTHON.attach(identify(child.pid)).probes
        child.stdin.write(b"x")
        assert child.stdout.read(1) == b"-"
        for probe in probes:
            with pytest.raises(BadRead, match="has shut its Python interpreter down"):
                probe.read()
        with pytest.raises(LayoutRefused, match="has not been started, or has been shut down"):
            CPYTHON.attach(identify(child.pid))
        child.stdin.write(b"x")
        assert child.stdout.read(1) == b"+"
        again = CPYTHON.attach(identify(child.pid))
        assert len(again.log) == 1
        for probe in (*probes, *again.probes):
            probe.close()
    finally:
        child.kill()
        child.communicate()


def test_sub_interpreters_are_told(python: Python) -> None:
    with PythonTarget(python.executable) as target, Watched(target, CPYTHON) as watched:
        gc_probe = watched.attachment.probes[0]
        assert gc_probe.read().caveats == ()
        target.command("interpreter")
        told = any("sub-interpreter" in caveat for caveat in gc_probe.read().caveats)
        assert told == (python.minor > 8)
        assert counts(watched.gc()) == target.stats()["stats"]


def test_a_target_that_ends_is_said_to_have_ended(python: Python) -> None:
    with PythonTarget(python.executable) as target, Watched(target, CPYTHON) as watched:
        identity = identify(target.pid)
        target.kill()
        for probe in watched.attachment.probes:
            with pytest.raises((TargetExited, BadRead)):
                probe.read()
        assert isinstance(CPYTHON.fitness(identity), Refusal)
        with pytest.raises(TargetExited):
            CPYTHON.attach(identity)


@pytest.mark.parametrize("old", [p for p in pythons() if (p.major, p.minor) < (3, 8)], ids=str)
def test_what_is_too_old_is_refused_by_its_version(old: Python) -> None:
    code = "import sys; sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"
    child = subprocess.Popen([old.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.read(1)
        verdict = CPYTHON.fitness(identify(child.pid))
    finally:
        child.kill()
        child.communicate()
    assert isinstance(verdict, Refusal)
    assert re.fullmatch(rf"it runs on CPython {old.major}\.{old.minor}(\.\d+)?; the oldest .* is 3\.8", verdict.why)
    assert verdict.hint == "run it with a newer Python; the system view still works"


@pytest.mark.parametrize(
    ("name", "program", "why"),
    [
        ("3.14-dbg", "python3.14d", r"a debug build of CPython 3\.14\.\d+, which keeps things elsewhere"),
        ("3.15-dbg", "python3.15d", r"a debug build of CPython 3\.15\.\d+, which keeps things elsewhere"),
        ("pypy3", "pypy3", "PyPy, of which memdash reads nothing"),
    ],
)
def test_another_build_is_refused_for_what_it_is(name: str, program: str, why: str) -> None:
    executable = next((prefix / "bin" / program for prefix in brought() if prefix.parent.name == name), None)
    if executable is None:
        pytest.skip(f"there is no {program}: .ci/pythons {name} brings it")
    child = subprocess.Popen([executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        verdict = CPYTHON.fitness(identify(child.pid))
    finally:
        child.kill()
        child.communicate()
    assert isinstance(verdict, Refusal)
    assert re.fullmatch(f"it runs on {why}", verdict.why)
    assert verdict.recognised


def summed(memstats: MemStats) -> dict[str, Any]:
    return {name: getattr(memstats, name) for name in ("HeapAlloc", "HeapInuse", "HeapSys", "HeapObjects")}


def test_two_readings_at_rest_are_equal(target: PythonTarget, watched: Watched) -> None:
    assert summed(watched.memstats()) == summed(watched.memstats())
    assert counts(watched.gc()) == counts(watched.gc())
