"""What the whole screen says and does in each state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Ending
from tests.fakes import NOON_S, a_target
from tests.ui.conftest import MONO_S, Show, a_watch, attaching, refused

CLOSED = Missing(
    "its memory is closed to us",
    "run memdash as the user who owns the process, or with sudo; in a container add the SYS_PTRACE capability",
)


def late() -> Snapshot:
    watch = a_watch()
    origin = Origin(Source.MEMORY, Instant(NOON_S - 42, MONO_S - 42), (), "the heap profile kept changing while read")
    return replace(watch, sample=replace(watch.sample, origins={**watch.sample.origins, Capability.SITES: origin}))


def partial() -> Snapshot:
    watch = a_watch()
    origins = {Capability.SYSTEM: Origin(Source.PROC, watch.at)}
    sample = replace(watch.sample, memstats=CLOSED, gc=CLOSED, sites=CLOSED, origins=origins)
    missing = dict.fromkeys((Capability.MEMSTATS, Capability.GC, Capability.SITES, Capability.OBJECTS), CLOSED)
    target = a_target(runtime_version="")
    return replace(watch, sample=sample, groups=CLOSED, missing=missing, target=target, findings=())


def ended(**how: object) -> Snapshot:
    ending = Ending(at_s=NOON_S, **how)  # type: ignore[arg-type]  # the fields of Ending
    return a_watch(state=State.ENDED, ending=ending)


STATES: dict[str, Callable[[], Snapshot]] = {
    "attaching": attaching,
    "late": late,
    "partial": partial,
    "refused": refused,
    "ended": lambda: ended(signal_number=9, oom_killed=True),
    "replaced": lambda: ended(replaced="pid 41287 now runs /usr/bin/python3.11"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_every_state_has_its_own_words(
    show: Show, state: str, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with show(STATES[state](), *size) as shown:
        assert shown.text == snapshot


@pytest.mark.parametrize("state", STATES)
async def test_every_state_fits_every_size(show: Show, state: str) -> None:
    async with show(STATES[state]()) as shown:
        for width, height in ((200, 60), (60, 12), (30, 8), (20, 5), (5, 2), (80, 24)):
            await shown.pilot.resize_terminal(width, height)
            await shown.settle()
            assert shown.app.is_running


async def test_the_first_frame_is_whole_while_attaching(show: Show) -> None:
    async with show(attaching()) as shown:
        assert "◌ attaching" in shown.lines[0]
        assert "MemStats" in shown.text
        await shown.publish(a_watch())
        assert "● live" in shown.lines[0]
        assert "389.7 MiB" in shown.text


async def test_a_paused_view_stays_while_collection_goes_on(show: Show) -> None:
    async with show() as shown:
        before = shown.lines[3:30]
        await shown.press("space")
        assert "‖ paused" in shown.lines[0]
        newer = a_watch(310)
        await shown.publish(replace(newer, at=Instant(NOON_S + 10, MONO_S + 10)))
        shown.let_pass(11.6)
        await shown.settle()
        assert "‖ paused 12 s" in shown.lines[0]
        assert shown.lines[4:31] == before
        await shown.press("j", "s", "slash", "j", "s", "o", "enter")
        assert "MarshalJSON" in shown.text
        assert "cart.(*Store)" not in shown.text
        await shown.press("escape", "p")
        assert "● live" in shown.lines[0]
        assert shown.lines[3:30] != before


async def test_a_pause_ends_with_the_target(show: Show) -> None:
    async with show() as shown:
        await shown.press("space")
        await shown.publish(ended(exit_code=3))
        assert "■ ended" in shown.lines[0]
        assert "exited with code 3" in shown.lines[1]
        await shown.press("space")
        assert "■ ended" in shown.lines[0]


async def test_no_new_sample_makes_the_view_stale_by_itself(show: Show) -> None:
    async with show() as shown:
        shown.let_pass(9.0)
        await shown.settle()
        assert "◐ stale 9.4 s" in shown.lines[0]
        assert shown.dashboard.has_class("-stale")
        await shown.publish(a_watch(at=Instant(NOON_S + 9, MONO_S + 9)))
        assert "● live" in shown.lines[0]
        assert not shown.dashboard.has_class("-stale")


async def test_what_is_late_is_greyed_and_says_how_old_it_is(show: Show) -> None:
    async with show(late()) as shown:
        assert shown.dashboard.query_one("#sites").has_class("-late")
        assert not shown.dashboard.query_one("#memstats").has_class("-late")
        assert "42 s ago: the heap profile kept changing" in shown.text


async def test_a_late_memstats_greys_its_table_and_its_chart(show: Show) -> None:
    watch = a_watch()
    origin = Origin(Source.MEMORY, Instant(NOON_S - 5, MONO_S - 5), (), "it took too long")
    sample = replace(watch.sample, origins={**watch.sample.origins, Capability.MEMSTATS: origin})
    async with show(replace(watch, sample=sample)) as shown:
        assert {pane.id for pane in shown.dashboard.query(".-late")} >= {"memstats", "heap"}
        assert shown.text.count("5.0 s ago: it took too long") == 2


async def test_a_chart_without_lines_says_why(show: Show) -> None:
    async with show(attaching()) as shown:
        assert "waiting for the first figures" in shown.text
        await shown.publish(refused())
        assert "waiting for the first figures" not in shown.text
        assert shown.text.count("Its memory is closed to us") >= 4


async def test_after_the_end_everything_can_be_looked_through(show: Show) -> None:
    async with show(ended(signal_number=15)) as shown:
        await shown.press("s", "enter")
        assert "stack 1 of" in shown.text
        await shown.press("escape", "2")
        assert "Heap · 5m" in shown.text
        assert "Top allocation sites" not in shown.text
