"""The sites pane of a target that has no allocation sites: its live objects by type."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from memdash.analysis.objects import count_by_type, object_groups
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.missing import Maybe, Missing
from memdash.model.objects import Objects, TypeCount
from memdash.model.sample import Instant, Origin
from memdash.model.snapshot import ObjectGroup, Snapshot
from memdash.model.target import Runtime
from memdash.tables.objects import ObjectMeasure, ObjectOrder
from memdash.ui.panes.sites import SitesPane
from tests.fakes import NOON_S, a_target, some_objects
from tests.ui.conftest import MONO_S, Show, a_watch

NO_SITES = Missing("CPython keeps no record of where objects are allocated", "start it as memdash --trace -- python …")
COUNTING = Missing("objects are being counted: 34 % so far")


def a_python_watch(objects: Objects | Missing | None = None) -> Snapshot:
    found = some_objects() if objects is None else objects
    watch = a_watch()
    origins: dict[Capability, Origin] = {c: o for c, o in watch.sample.origins.items() if c is not Capability.SITES}
    if not isinstance(found, Missing):
        origins[Capability.OBJECTS] = Origin(Source.MEMORY, watch.at, ("objects of up to 512 bytes",))
    groups: Maybe[tuple[ObjectGroup, ...]] = COUNTING
    if not isinstance(found, Missing):
        trend = tuple(range(40, 61))
        trends = {row.name: trend if at < 3 else (50,) * 21 for at, row in enumerate(found.types)}
        groups = object_groups(count_by_type(found), count_by_type(some_objects(0.8)), trends)
    return replace(
        watch,
        target=a_target(name="shop", runtime=Runtime.CPYTHON, runtime_version="cpython 3.11.7"),
        sample=replace(watch.sample, sites=NO_SITES, objects=found, origins=origins),
        groups=NO_SITES,
        objects=groups,
        since={Capability.OBJECTS: Instant(NOON_S - 217, MONO_S - 217)},
        missing={Capability.SITES: NO_SITES},
        findings=(),
    )


@pytest.mark.parametrize("size", [(160, 45), (120, 40), (80, 24)], ids=["160x45", "120x40", "80x24"])
async def test_types_stand_where_sites_would(show: Show, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with show(a_python_watch(), *size) as shown:
        assert shown.text == snapshot


async def test_while_they_are_counted_it_says_how_far(show: Show) -> None:
    async with show(a_python_watch(COUNTING), 120, 40) as shown:
        assert "Live objects by type" in shown.text
        assert "Objects are being counted: 34 % so far" in shown.text
        await shown.publish(a_python_watch())
        assert "shop.cart.Order" in shown.text


async def test_the_keys_that_bring_sites_are_told(show: Show) -> None:
    absent = Missing("only memdash's agent can do or tell that")
    loads: dict[Action, Maybe[str]] = {Action.LOAD_AGENT: "Runs memdash's agent", Action.SAMPLE: absent}
    async with show(replace(a_python_watch(), actions=loads), 120, 40) as shown:
        assert "A loads memdash's agent, P then samples its allocations" in shown.text
        there: dict[Action, Maybe[str]] = {Action.LOAD_AGENT: absent, Action.SAMPLE: "Hooks its allocators"}
        await shown.publish(replace(a_python_watch(), actions=there))
        assert "P samples its allocations" in shown.text
        await shown.press("P")
        assert "Hooks its allocators" in shown.text
        await shown.press("right", "enter")
        assert shown.session.asked == [Action.SAMPLE]


async def test_where_sites_come_they_are_shown(show: Show) -> None:
    async with show(a_python_watch(), 80, 24) as shown:
        assert "[Objects]" in shown.text
        await shown.publish(a_watch())
        assert "[Sites]" in shown.text
        assert "session.New" in shown.text


async def test_a_target_without_either_says_why_it_has_no_sites(show: Show) -> None:
    missing = {Capability.SITES: NO_SITES, Capability.OBJECTS: COUNTING}
    async with show(replace(a_python_watch(COUNTING), missing=missing), 120, 40) as shown:
        assert "Top allocation sites" in shown.text
        assert "CPython keeps no record" in shown.text


async def test_the_keys_of_sites_work_on_types(show: Show) -> None:
    async with show(a_python_watch()) as shown:
        pane = shown.dashboard.query_one(SitesPane)
        ranking = pane.objects
        assert pane.ranking is ranking
        await shown.press("s")
        assert ranking.sorted_by == (ObjectOrder.OTHER.value, True)
        await shown.press("S")
        assert ranking.sorted_by == (ObjectOrder.FIGURE.value, True)
        await shown.press("r")
        assert pane.table.rows[0].key == "collections.OrderedDict"
        assert "bytes ▲" in shown.text
        await shown.press("r", "o")
        assert ranking.measure is ObjectMeasure.OBJECTS
        assert "objects ▼" in shown.text
        await shown.press("i")
        assert "only objects that live now" in str([*shown.app._notifications][-1].message)
        await shown.press("slash", *"order", "enter")
        assert [row.key for row in pane.table.rows] == ["shop.cart.Order", "collections.OrderedDict"]


async def test_a_type_in_full(show: Show, snapshot: SnapshotAssertion) -> None:
    async with show(a_python_watch(), 100, 32) as shown:
        await shown.press(*"jjj", "enter")
        await shown.built()
        assert shown.text == snapshot


async def test_a_type_that_is_gone_says_so(show: Show) -> None:
    async with show(a_python_watch()) as shown:
        await shown.press("enter")
        await shown.publish(replace(a_python_watch(), objects=()))
        await shown.follow()
        assert "no objects of this type are counted any more" in shown.text


async def test_names_of_types_are_shown_and_never_obeyed(show: Show) -> None:
    hostile = Objects((TypeCount("[red]x[/red]\x1b[31m\u202e", 5, 1 << 20),))
    async with show(a_python_watch(hostile)) as shown:
        assert r"[red]x[/red]\e[31m\u202e" in shown.text
        await shown.press("enter")
        assert r"[red]x[/red]\e[31m\u202e" in shown.text


async def test_what_takes_long_to_read_says_how_old_it_is(show: Show) -> None:
    watch = a_python_watch()
    origin = Origin(Source.MEMORY, Instant(NOON_S - 47, MONO_S - 47))
    origins = {**watch.sample.origins, Capability.OBJECTS: origin}
    async with show(watch, 160, 45) as shown:
        assert "read 47 s ago" not in shown.text
        await shown.publish(replace(watch, sample=replace(watch.sample, origins=origins)))
        assert "read 47 s ago" in shown.text
