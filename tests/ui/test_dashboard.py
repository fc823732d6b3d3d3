from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.events import Resize
from textual.geometry import Size

from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Usage
from memdash.model.sample import Instant, Origin
from memdash.model.snapshot import SiteGroup
from memdash.ui.panes.gc import GcPane
from memdash.ui.panes.heap import HeapPane
from memdash.ui.panes.memstats import MemStatsPane
from tests.fakes import NOON_S
from tests.ui.conftest import MONO_S, Show, a_watch


@pytest.mark.parametrize(("width", "height"), [(200, 60), (160, 45), (120, 40), (80, 24), (60, 12), (40, 8), (20, 5)])
async def test_looks_right_at_every_size(show: Show, width: int, height: int, snapshot: SnapshotAssertion) -> None:
    async with show(width=width, height=height) as shown:
        assert shown.text == snapshot


async def test_a_size_that_is_past_already_changes_nothing(show: Show) -> None:
    async with show(width=120, height=40) as shown:
        before = shown.text
        shown.dashboard.post_message(Resize(Size(80, 24), Size(80, 24)))
        await shown.settle()
        assert shown.text == before


async def test_the_sites_that_are_counted_are_those_that_have_rows(show: Show) -> None:
    watch = a_watch()
    assert not isinstance(watch.groups, Missing)
    gone = SiteGroup(Frame("main.gone", "/srv/gone.go", 7), Usage(0, 0, 90, 9), Usage(0, 0, 0, 0), (), 1)
    async with show(replace(watch, groups=(*watch.groups, gone)), 120, 40) as shown:
        assert f" · {len(watch.groups)} sites · " in shown.text
        assert "main.gone" not in shown.text


async def test_figures_that_are_read_seldom_say_when(show: Show) -> None:
    watch = a_watch()
    before = Instant(NOON_S - 8, MONO_S - 8)
    seldom = dict.fromkeys((Capability.MEMSTATS, Capability.GC), Origin(Source.ENDPOINT, before))
    async with show(watch, 160, 45) as shown:
        panes = [shown.dashboard.query_one(kind) for kind in (MemStatsPane, GcPane, HeapPane)]
        assert not any("read" in str(pane.remark) for pane in panes)
        sample = replace(watch.sample, origins={**watch.sample.origins, **seldom})
        await shown.publish(replace(watch, sample=sample))
        assert all(str(pane.remark).startswith("read 8.0 s ago") for pane in panes)
        await shown.publish(replace(watch, sample=sample, interval_s=3.0))
        assert not any("read" in str(pane.remark) for pane in panes)
