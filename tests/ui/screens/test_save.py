"""Saving a profile: where to, what stands in the way, and what comes of it."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.model.missing import Missing
from memdash.model.objects import Objects, TypeCount
from memdash.model.snapshot import Before, Snapshot, State
from memdash.model.target import Ending
from memdash.pprof.decode import decode
from memdash.session.profiles import profile_name, profile_of
from tests.fakes import NOON_S, a_target
from tests.ui.conftest import Show, Shown, a_watch
from tests.ui.screens.conftest import saved

pytestmark = pytest.mark.usefixtures("in_a_folder")

NAME = "shop-server-41287-20260131-120741.heap.pb.gz"


async def save(shown: Shown, path: str = "") -> None:
    await saved(shown, "ctrl+s", path)


def told(shown: Shown) -> str:
    return "\n".join(note.message for note in shown.app._notifications)


async def test_the_profile_of_the_moment_is_saved(show: Show, tmp_path: Path) -> None:
    async with show(width=80, height=24) as shown:
        await shown.pilot.resize_terminal(60, 12)
        await shown.press("ctrl+s")
        assert NAME in shown.text
        assert "enter save" in shown.text
        await shown.press("enter")
        await shown.built()
        assert told(shown).endswith(f"saved: go tool pprof {NAME}")
        assert decode((tmp_path / NAME).read_bytes()) == profile_of(a_watch()).document
        await shown.press("t")
        await shown.built()
        await save(shown, "from-a-view")
        assert (tmp_path / "from-a-view").read_bytes() == (tmp_path / NAME).read_bytes()
        assert len([*tmp_path.iterdir()]) == 2


async def test_a_frozen_moment_is_what_is_saved(show: Show, tmp_path: Path) -> None:
    async with show(width=80, height=24) as shown:
        await shown.press("space")
        await shown.publish(a_watch(5))
        await save(shown, "frozen.pb.gz")
        assert decode((tmp_path / "frozen.pb.gz").read_bytes()).time_ns == round(a_watch().at.wall_s * 1e9)


def objects_only() -> Snapshot:
    why = Missing("there is no profiler")
    watch = a_watch(5)
    objects = Objects((TypeCount("dict", 10, 2320), TypeCount("list", 3, 240)))
    return replace(watch, groups=why, sample=replace(watch.sample, sites=why, objects=objects), before=Before(why, why))


async def test_objects_are_saved_where_there_are_no_sites(show: Show, tmp_path: Path) -> None:
    async with show(objects_only(), 80, 24) as shown:
        await save(shown)
        assert "these are live objects by type" in told(shown)
        held = decode((tmp_path / NAME).read_bytes())
        assert {line.function.name for place in held.locations.values() for line in place.lines} == {"dict", "list"}


async def test_an_ended_target_can_still_be_saved(show: Show, tmp_path: Path) -> None:
    ended = replace(a_watch(5), state=State.ENDED, ending=Ending(at_s=NOON_S, signal_number=9))
    async with show(ended, 80, 24) as shown:
        await save(shown)
        assert (tmp_path / NAME).exists()


async def test_nothing_is_overwritten_unasked(show: Show, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    async with show(width=80, height=24) as shown:
        await save(shown, "mine")
        assert "mine exists already" in shown.text
        await shown.press("enter")
        await shown.settle()
        assert (tmp_path / "mine").read_text() == "mine"
        await shown.press("enter", "right", "enter")
        await shown.built()
        assert decode((tmp_path / "mine").read_bytes()).samples
        assert "saved" in told(shown)


async def test_what_stands_in_the_way_is_one_clear_line(show: Show, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # nobody reads it
    async with show(width=80, height=24) as shown:
        for path, words in (
            ("no/such/file", "there is no folder no/such"),
            (".", ". is a folder; name a file in it"),
            (" ", "a file needs a name"),
            ("~nobody-at-all/x", "home"),
            ("x" * 300, "file name too long"),
            ("/dev/full", "/dev/full is a pipe or device, which may never take what is written; name a file"),
            (str(pipe), "name a file"),
            ("/proc/heap.pb.gz", "/proc/heap.pb.gz cannot be written: no such file or directory"),
        ):
            await save(shown, path)
            assert words in " ".join(shown.text.replace("│", " ").split())
            await shown.press("escape")
        assert [*tmp_path.iterdir()] == [pipe]
        assert told(shown) == ""


async def test_without_a_profile_there_is_nothing_to_save(show: Show, tmp_path: Path) -> None:
    watch = objects_only()
    watch = replace(watch, sample=replace(watch.sample, objects=Missing("nor types")))
    async with show(watch, 80, 24) as shown:
        await save(shown)
        assert "there is no profile to be had" in shown.text
        assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("../../etc/x", "_.._etc_x-"),
        ("-rf", "rf-"),
        ("a\x1b[2Jb c", "a_2Jb_c-"),
        ("…", "_-"),
        ("", "process-"),
        ("x" * 99, "x" * 40 + "-"),
    ],
)
def test_a_name_from_the_target_is_harmless_in_a_path(name: str, start: str) -> None:
    watch = replace(a_watch(5), target=a_target(name=name))
    assert profile_name(watch).startswith(start)
    assert time.strftime("%Y", time.gmtime(watch.at.wall_s)) in profile_name(watch)
