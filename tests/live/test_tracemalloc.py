"""Allocation sites of every interpreter of this machine against what tracemalloc says in the target itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeAlias

import pytest

from memdash.errors import ProbeError
from memdash.model.missing import Missing
from memdash.model.profile import Profile
from memdash.model.sample import Reading
from memdash.probes.cpython import CPYTHON, traces
from memdash.probes.cpython.blocks import Blocks
from memdash.probes.cpython.sampler.readings import SitesProbe
from memdash.probes.slices import Slices
from memdash.process.identity import identify
from tests.live.pythons import Python, each
from tests.live.target import LiveTarget
from tests.waiting import until

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).parent / "programs/python/leaking.py"
FUNCTIONS = Blocks(PROGRAM.read_text())
BUSY = ("report", "main", "say", "run", "rest", "<module>")
"""Functions of the program that allocate while it answers, so that what they hold is another thing a moment later."""

BUSY_FILES = ("codecs", "tracemalloc.py", "json/", "_collections_abc", "contextlib")

FEW = (8, 15)
"""Minors that the costlier tests take in the default run: the oldest layout, and one that is stripped."""

OWN_BUFFER_BYTES = 10_000
"""What the target reads a command into: it has another one already for a moment while it still has the last."""

Held: TypeAlias = dict[tuple[tuple[str, int], ...], tuple[int, int]]


class Traced(LiveTarget):
    """The leaking program under one interpreter, with the probe of its sites attached."""

    def __init__(
        self, interpreter: Path, environment: Mapping[str, str] | None = None, program: Path = PROGRAM
    ) -> None:
        self._opened = ExitStack()
        super().__init__([interpreter, program], environment)
        try:
            probes = CPYTHON.attach(identify(self.pid)).probes
            self._opened.callback(probes[0].close)  # they share all they hold
            (self.probe,) = (probe for probe in probes if isinstance(probe, SitesProbe))
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        self._opened.close()
        super().kill()

    def reading(self) -> Reading:
        """The next one that is no part of a longer one."""
        while (reading := self.probe.read()).pending and not reading.facts:
            pass
        return reading

    def profile(self) -> Profile:
        """All of it, however many parts it is read in."""
        while (reading := self.probe.read()).pending:
            pass
        (profile,) = reading.facts
        assert isinstance(profile, Profile)
        return profile

    def told(self) -> Held:
        """What the target's own snapshot says, without what is busy when it is taken."""
        rows = json.loads(self.command("report"))
        return {tuple(map(tuple, stack)): (size, count) for stack, size, count in rows}

    def memory(self) -> tuple[int, int]:
        held, peak = json.loads(self.command("memory"))
        return held, peak


def ours(profile: Profile) -> Held:
    held: Held = {}
    for site in profile.sites:
        stack = tuple((frame.file, frame.line) for frame in site.stack)
        size, count = held.get(stack, (0, 0))
        held[stack] = (size + site.usage.inuse_bytes, count + site.usage.inuse_objects)
    return held


def blocks(profile: Profile) -> Counter[str]:
    """Blocks by function."""
    found: Counter[str] = Counter()
    for site in profile.sites:
        found[site.leaf.function] += site.usage.inuse_objects
    return found


def both(target: Traced, least: int = 1) -> tuple[Held, Held, Profile]:
    """Our sites and the target's, as far as they are at rest: told twice alike, and not made by telling.

    At least ``least`` bytes are.
    """
    target.told()
    before = target.told()
    profile = target.profile()
    after = target.told()
    resting = {stack: usage for stack, usage in after.items() if before.get(stack) == usage and not is_busy(*stack[0])}
    assert sum(size for size, _ in resting.values()) >= least
    mine = ours(profile)
    return {stack: mine.get(stack, (0, 0)) for stack in resting}, resting, profile


def is_busy(file: str, line: int) -> bool:
    """Whether the target runs there to answer."""
    return (file.endswith(PROGRAM.name) and FUNCTIONS.name(line) in BUSY) or any(word in file for word in BUSY_FILES)


def assert_equal(mine: Held, theirs: Held) -> None:
    """But for the objects that wait to be used again, and are while the target reports."""
    different = {stack: (mine[stack], theirs[stack]) for stack in theirs if mine[stack] != theirs[stack]}
    assert len(different) <= 3, different
    for (our_bytes, our_blocks), (their_bytes, their_blocks) in different.values():
        assert abs(our_blocks - their_blocks) <= 2, different
        assert abs(our_bytes - their_bytes) <= 2 * 512, different


python = each((8, 13, 15), scope="module")
some_python = each(FEW, scope="module")


@pytest.fixture
def some_target(some_python: Python) -> Iterator[Traced]:
    with Traced(some_python.executable) as started:
        yield started


@pytest.fixture
def target(python: Python) -> Iterator[Traced]:
    with Traced(python.executable) as started:
        yield started


def test_sites_come_and_go_with_the_tracing(target: Traced) -> None:
    for _ in range(2):
        assert target.probe.read() == target.probe.read()
        assert target.probe.read().absent is not None
        target.command("start", 1)
        target.command("leak", 100)
        reading = target.reading()
        (profile,) = reading.facts
        assert isinstance(profile, Profile)
        assert re.fullmatch(r"allocated since \d\d:\d\d:\d\d", reading.caveats[0])
        assert profile.sample_rate_bytes == 1
        assert isinstance(profile.no_alloc, Missing)
        target.command("stop")


@pytest.mark.parametrize("frames", [1, 7])
def test_sites_are_those_of_a_snapshot(target: Traced, frames: int) -> None:
    target.command("start", frames)
    target.command("leak", 2000)
    mine, theirs, _ = both(target, least=1_500_000)
    assert_equal(mine, theirs)
    assert max(len(stack) for stack in theirs) == frames


def test_totals_are_those_of_get_traced_memory(target: Traced) -> None:
    target.command("start", 1)
    target.command("leak", 3000)

    def at_rest() -> tuple[Profile, int, int] | None:
        """Between two answers that are alike: what the target holds for a while is not ours to know."""
        before = target.memory()
        profile = target.profile()
        held, peak = target.memory()
        return (profile, held, peak) if before == (held, peak) else None

    profile, held, peak = until(at_rest, "a target that holds as much before as after")
    reading = sum(site.usage.inuse_bytes for site in profile.sites if site.leaf.function == "leaking.main")
    assert reading < 2 * OWN_BUFFER_BYTES
    assert abs(profile.total.inuse_bytes - reading - held) < 2000
    if not isinstance(profile.peak_bytes, Missing):
        assert profile.peak_bytes == peak


def test_leaks_go_by_the_names_of_their_functions(target: Traced) -> None:
    target.command("start", 4)
    target.command("leak", 1000)
    profile = target.profile()
    by_name = {site.leaf.function: site for site in profile.sites}
    assert blocks(profile)["leaking.Store.add"] >= 1000
    names = [frame.function for frame in by_name["leaking.words"].stack]
    assert names[0] == "leaking.words"
    assert {"leaking.leak", "leaking.main"} <= set(names)
    line = 1 + PROGRAM.read_text().splitlines().index("    return bytes(5000)")
    assert line in [site.leaf.line for site in profile.sites if site.leaf.function == "leaking.deep"]
    assert by_name[""].leaf.file == "<made up>"


def test_a_program_that_traces_from_the_start_is_known_to(some_python: Python) -> None:
    with Traced(some_python.executable, {"PYTHONTRACEMALLOC": "1"}) as target:
        reading = target.reading()
        assert reading.caveats[0] == "allocated since the program started"
        mine, theirs, _ = both(target, least=1_000_000)
        assert_equal(mine, theirs)


def test_a_program_that_traced_before_is_said_to(python: Python) -> None:
    with Traced(python.executable) as target:
        target.command("start", 1)
        (probe,) = (p for p in CPYTHON.attach(identify(target.pid)).probes if isinstance(p, SitesProbe))
        assert probe.read().caveats[0] == "allocated since tracing began"
        probe.close()


def test_a_large_table_is_estimated_from_its_first_part_and_then_counted(
    some_target: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "PART_TRACES", 4000)
    monkeypatch.setattr(some_target.probe._traced, "_slices", Slices[None, None]((), 0.001))
    some_target.command("start", 1)
    some_target.command("leak", 10_000)
    some_target.told()
    first = some_target.reading()
    (estimate,) = first.facts
    assert isinstance(estimate, Profile)
    assert re.fullmatch(r"estimated from 1 of \d+ parts of the traces", first.caveats[1])
    assert first.pending
    mine, theirs, profile = both(some_target, least=2_000_000)
    assert_equal(mine, theirs)
    for function in ("leaking.Store.add", "leaking.words"):
        assert blocks(estimate)[function] == pytest.approx(blocks(profile)[function], rel=0.1)
    assert estimate.estimated
    assert not profile.estimated
    some_target.command("leak", 40_000)  # so many that it begins anew with more parts
    later = some_target.reading()
    assert not later.pending
    assert re.fullmatch(r"read in \d+ parts", later.caveats[1])


def test_what_is_dropped_goes_from_the_parts_it_was_in(target: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "PART_TRACES", 4000)
    target.command("start", 1)
    target.command("leak", 5000)
    target.profile()
    target.command("drop")
    for _ in range(12):
        profile = target.profile()
    mine, theirs, profile = both(target)
    assert_equal(mine, theirs)
    assert blocks(profile)["leaking.words"] < 10


def test_while_it_grows_totals_lie_between_two_of_its_own(some_target: Traced) -> None:
    some_target.command("start", 1)
    some_target.command("leak", 2000)  # so that the list that grows is a small part
    some_target.command("run", "grow")
    try:
        for _ in range(4):
            before, _ = some_target.memory()
            total = some_target.profile().total.inuse_bytes
            after, _ = some_target.memory()
            # A list that grows is here and there meanwhile, and so is a part of a table that grows.
            assert 0.8 * before < total < 1.1 * after
    finally:
        some_target.command("rest")


def test_a_target_that_allocates_and_frees_all_the_time_costs_no_reading(some_target: Traced) -> None:
    some_target.command("start", 4)
    some_target.command("leak", 2000)
    some_target.command("run", "churn")
    try:
        for _ in range(4):
            profile = some_target.profile()
            assert profile.total.inuse_bytes < 1 << 28
            assert any(site.leaf.function == "leaking.Store.add" for site in profile.sites)
    finally:
        some_target.command("rest")


def test_a_target_that_switches_tracing_on_and_off_all_the_time_is_read_or_refused_in_words(
    some_target: Traced,
) -> None:
    some_target.command("run", "flip")
    try:
        for _ in range(15):
            with suppress(ProbeError):
                some_target.reading()
    finally:
        some_target.command("rest")
    assert some_target.reading().absent is not None
    some_target.command("start", 1)
    some_target.command("leak", 50)
    assert any(site.leaf.function == "leaking.words" for site in some_target.profile().sites)


def test_traces_that_are_cleared_are_forgotten(target: Traced) -> None:
    target.command("start", 2)
    target.command("leak", 1000)
    target.profile()
    target.command("clear")
    target.command("leak", 30)
    for looks_left in (2, 1, 0):
        mine, theirs, profile = both(target)
        if mine == theirs or not looks_left:
            break
    assert_equal(mine, theirs)
    assert blocks(profile)["leaking.words"] < 50


def test_what_others_than_python_allocate_is_counted(target: Traced) -> None:
    target.command("start", 1)
    target.command("leak", 200)
    target.command("track", 389_047, 50)
    profile = target.profile()
    assert blocks(profile)["leaking.track"] >= 50
    assert sum(s.usage.inuse_bytes for s in profile.sites if s.leaf.function == "leaking.track") >= 50 * 1000
    mine, theirs, _ = both(target)
    assert_equal(mine, theirs)


def test_a_stripped_library_is_searched(some_python: Python, tmp_path: Path) -> None:
    libraries = sorted((some_python.executable.parent.parent / "lib").glob(f"libpython3.{some_python.minor}.so.*"))
    if not libraries or not shutil.which("strip"):
        pytest.skip("this interpreter is no shared library, or there is no strip")
    stripped = tmp_path / libraries[0].name
    subprocess.run(["strip", "-o", stripped, libraries[0]], check=True)
    with Traced(some_python.executable, {"LD_PRELOAD": str(stripped)}) as target:
        target.command("start", 2)
        target.command("leak", 500)
        target.command("track", 7, 20)
        mine, theirs, profile = both(target)
        assert_equal(mine, theirs)
        assert isinstance(profile.peak_bytes, Missing) is (some_python.minor < 12)


def test_a_file_that_was_changed_meanwhile_names_no_functions(python: Python, tmp_path: Path) -> None:
    program = tmp_path / "ändernd" / "leaking.py"
    program.parent.mkdir()
    shutil.copy(PROGRAM, program)
    with Traced(python.executable, program=program) as target:
        later = program.stat().st_mtime + 3600
        os.utime(program, (later, later))
        target.command("start", 1)
        target.command("leak", 300)
        reading = target.reading()
        (profile,) = reading.facts
        assert isinstance(profile, Profile)
        assert reading.caveats[1] == "leaking.py has changed since the program started: functions not named"
        largest = max(profile.sites, key=lambda site: site.usage.inuse_objects).leaf
        assert (largest.function, largest.file) == ("leaking", str(program))


def left_open(pid: int) -> list[str]:
    """Its files and threads."""
    process = Path(f"/proc/{pid}")
    return [f"{link.name} {link.readlink()}" for link in (process / "fd").iterdir()] + os.listdir(process / "task")  # noqa: PTH208 - names, not paths


def test_nothing_is_left_behind(target: Traced) -> None:
    target.command("start", 1)
    target.command("leak", 300)
    before = left_open(target.pid)
    held, _ = target.memory()
    for _ in range(5):
        target.profile()
    assert abs(target.memory()[0] - held) < 1000
    assert left_open(target.pid) == before
