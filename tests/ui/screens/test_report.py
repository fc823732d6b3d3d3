"""Saving a report from the dashboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memdash.commands.screen import report_of
from tests.ui.conftest import Show, Shown, a_watch
from tests.ui.screens.conftest import saved

pytestmark = pytest.mark.usefixtures("in_a_folder")

NAME = "shop-server-41287-20260131-120741.report.html"


async def save(shown: Shown, path: str = "") -> None:
    await saved(shown, "w", path)


async def test_the_report_of_the_moment_is_saved_as_its_name_asks(show: Show, tmp_path: Path) -> None:
    async with show(width=80, height=24, report=report_of) as shown:
        await shown.press("space")
        await shown.publish(a_watch(5))
        await shown.press("w")
        assert "Save a report" in shown.text
        assert NAME in shown.text
        await shown.press("escape")
        for name, beginning in (
            ("", b"<!doctype html>"),
            ("x.md", b"# shop-server"),
            ("x.txt", b"shop-server, pid 41287"),
            ("x.JSON", b'{"schema":"memdash/1"'),
        ):
            await save(shown, name)
            assert (tmp_path / (name or NAME)).read_bytes().startswith(beginning)
        notes = [note.message for note in shown.app._notifications]
        assert notes[0].endswith(f"KiB saved: {NAME}")
        assert len(notes) == 4
        document = json.loads((tmp_path / "x.JSON").read_bytes())
        assert document["memstats"]["HeapAlloc"] == a_watch().sample.memstats.HeapAlloc  # type: ignore[union-attr]


async def test_a_name_that_asks_for_no_format_is_one_clear_line(show: Show, tmp_path: Path) -> None:
    async with show(width=80, height=24, report=report_of) as shown:
        await save(shown, "x.pdf")
        assert "x.pdf does not say in which format" in shown.text
        assert [*tmp_path.iterdir()] == []


async def test_without_anything_that_makes_reports_there_is_no_key(show: Show) -> None:
    async with show(width=220, height=60) as without, show(width=220, height=60, report=report_of) as shown:
        assert "w report" in shown.lines[-1]
        assert "w report" not in without.lines[-1]
        await without.press("w")
        assert without.app.screen is without.dashboard
