"""One list feeds keys, footer, palette and help, so they cannot disagree."""

from __future__ import annotations

from itertools import pairwise

import pytest
from textual.binding import Binding

from memdash.ui.app import MemdashApp
from memdash.ui.command import (
    ALERTS,
    APP,
    CODE,
    DASHBOARD,
    DRILL,
    FLAME,
    ICICLE,
    LIST,
    PEEK,
    PROFILE,
    RANKED,
    ROWS,
    TABLE,
    TREE,
)
from memdash.ui.commands import COMMANDS, bindings
from memdash.ui.panes.alerts import AlertsPane
from memdash.ui.screens.dashboard import Dashboard
from memdash.ui.screens.drill.screen import DrillScreen
from memdash.ui.screens.help import help_lines
from memdash.ui.screens.profile.flame import FlameScreen
from memdash.ui.screens.profile.list import ListScreen
from memdash.ui.screens.profile.peek import PeekScreen
from memdash.ui.screens.profile.rows import RowsScreen
from memdash.ui.screens.profile.screen import ProfileScreen
from memdash.ui.screens.profile.tree import TreeScreen
from memdash.ui.widgets.code import CodeView
from memdash.ui.widgets.icicle import Icicle
from memdash.ui.widgets.table import TableView
from memdash.ui.widgets.words import TextView
from tests.ui.conftest import Show

HOLDERS = {
    APP: (MemdashApp,),
    DASHBOARD: (Dashboard,),
    DRILL: (DrillScreen,),
    PROFILE: (ProfileScreen,),
    RANKED: (RowsScreen,),
    TREE: (TreeScreen,),
    PEEK: (PeekScreen,),
    FLAME: (FlameScreen,),
    ICICLE: (Icicle,),
    LIST: (ListScreen,),
    TABLE: (TableView,),
    ROWS: (TableView, CodeView, TextView),
    CODE: (CodeView,),
    ALERTS: (AlertsPane,),
}

PLACES = ((APP, PROFILE, RANKED, TREE, ROWS), (APP, PROFILE, RANKED, PEEK, ROWS), (APP, PROFILE, FLAME, ICICLE))
"""The scopes that meet on one screen."""


def test_every_command_has_its_action() -> None:
    for command in COMMANDS:
        name = f"action_{command.action.partition('(')[0]}"
        assert all(hasattr(holder, name) for holder in HOLDERS[command.scope]), command


def test_no_key_means_two_things_in_one_place() -> None:
    for scopes in (*PLACES, (APP, DASHBOARD, ALERTS, ROWS), (APP, DRILL), (APP, TABLE, ROWS), (APP, DRILL, CODE, ROWS)):
        keys = [
            key for command in COMMANDS if command.scope in scopes and command.keys for key in command.keys.split(",")
        ]
        assert len(keys) == len(set(keys))


def test_bindings_carry_ids_and_tooltips() -> None:
    for binding in bindings(DASHBOARD):
        assert isinstance(binding, Binding)
        assert binding.id
        assert binding.tooltip.endswith(".")


def test_help_explains_every_command() -> None:
    text = "\n".join("".join(part.text for part in line) for line in help_lines("", 200))
    for command in COMMANDS:
        assert command.help in text


def test_the_footer_ranks_are_distinct() -> None:
    for scopes in ((APP, DASHBOARD, TABLE), (APP, ALERTS), *PLACES, (APP, PROFILE, LIST, CODE), (APP, DRILL)):
        ranks = sorted(command.footer for command in COMMANDS if command.footer and command.scope in scopes)
        assert all(a < b for a, b in pairwise(ranks))


async def test_the_palette_runs_a_command(show: Show) -> None:
    async with show() as shown:
        await shown.press("ctrl+p")
        await shown.press(*"clear base")
        await shown.app.workers.wait_for_complete()
        await shown.press("enter")
        await shown.press("enter")
        await shown.built()
        assert shown.session.cleared == 1


@pytest.mark.parametrize("opened", ["command_palette", "change_theme"])
async def test_a_palette_without_room_for_its_list_takes_all_keys(show: Show, opened: str) -> None:
    async with show(width=120, height=3) as shown:
        await shown.app.run_action(opened)
        await shown.press("k", "i", "pagedown", "pageup", "escape")
        assert isinstance(shown.app.screen, Dashboard)


async def test_a_key_in_the_footer_can_be_clicked(show: Show) -> None:
    async with show() as shown:
        column = shown.lines[44].index("space pause")
        await shown.pilot.click("#keys", offset=(column, 0))
        await shown.settle()
        assert "paused" in shown.lines[0]


@pytest.mark.parametrize(
    ("width", "keys"),
    [
        (80, "f flame  d diff  t tree  l list  M RSS"),
        (120, "f flame  d diff  t tree  l list  M RSS  ctrl+s save profile  s sort"),
    ],
)
async def test_the_footer_leads_to_the_views_first(show: Show, width: int, keys: str) -> None:
    async with show(width=width, height=24) as shown:
        assert shown.lines[-1].strip() == f"? help  / filter  enter detail  {keys}  q quit"


async def test_in_a_view_over_the_dashboard_the_footer_leads_back_and_nothing_quits(show: Show) -> None:
    async with show() as shown:
        await shown.press("f")
        assert "esc back" in shown.lines[-1]
        assert "quit" not in shown.lines[-1]
        await shown.press("q")
        assert "q quit" in shown.lines[-1]


def test_no_key_is_listed_twice_under_one_title_of_help() -> None:
    listed = [(command.group, command.shown) for command in COMMANDS]
    assert sorted(set(listed)) == sorted(listed)
