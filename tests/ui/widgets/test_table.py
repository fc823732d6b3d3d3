"""The table widget: its cursor, its scrolling, and that it paints only what changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen

from memdash.tables.table import Cell, Column, Row, Table, Tone
from memdash.ui.app import MemdashApp
from memdash.ui.widgets.table import TableView

COLUMNS = (Column("size", "size", 8, right=True), Column("name", "name", 0, cut="middle"))


def a_table(*names: str, size: str = "1 B") -> Table:
    return Table("t", COLUMNS, tuple(Row(name, (Cell(size, Tone.STRONG), Cell(name))) for name in names))


class One(Screen[None]):
    def __init__(self) -> None:
        super().__init__()
        self.view = TableView(id="t")
        self.messages: list[Any] = []

    def compose(self) -> ComposeResult:
        yield self.view

    def on_table_view_chosen(self, message: TableView.Chosen) -> None:
        self.messages.append(message.row.key)

    def on_table_view_header_clicked(self, message: TableView.HeaderClicked) -> None:
        self.messages.append(message.column)


@asynccontextmanager
async def shown(table: Table, height: int = 8) -> AsyncIterator[tuple[Pilot[Any], One]]:
    screen = One()
    app: App[Any] = MemdashApp(lambda: screen)
    async with app.run_test(size=(30, height)) as pilot:
        screen.view.show_table(table)
        screen.view.focus()
        await pilot.pause()
        yield pilot, screen


async def test_the_cursor_stays_on_its_row_when_the_order_changes() -> None:
    async with shown(a_table("a", "b", "c")) as (pilot, screen):
        await pilot.press("down")
        screen.view.show_table(a_table("c", "b2", "a", "b"))
        assert screen.view.row is not None
        assert screen.view.row.key == "b"
        screen.view.show_table(a_table("x"))
        assert screen.view.row.key == "x"
        screen.view.show_table(a_table())
        assert screen.view.row is None


async def test_the_cursor_waits_for_its_row_while_there_is_none() -> None:
    async with shown(a_table("a", "b", "c")) as (pilot, screen):
        await pilot.press("down")
        screen.view.show_table(a_table())
        await pilot.press("down", "G")
        screen.view.show_table(a_table("c", "a", "b"))
        assert screen.view.row is not None
        assert screen.view.row.key == "b"


async def test_keys_move_within_the_ends() -> None:
    names = [f"n{number:02d}" for number in range(50)]
    async with shown(a_table(*names)) as (pilot, screen):
        for keys, wanted in (
            ("j", "n01"), ("k", "n00"), ("k", "n00"), ("G", "n49"), ("j", "n49"), ("g", "n00"),
            ("pagedown", "n04"), ("pageup", "n00"), ("end", "n49"), ("home", "n00"),
        ):  # fmt: skip
            await pilot.press(keys)
            assert screen.view.row is not None
            assert screen.view.row.key == wanted, keys
            assert names.index(wanted) in screen.view.rows_in_view


async def test_enter_and_a_second_click_choose_and_a_title_tells_its_column() -> None:
    async with shown(a_table("a", "b", "c")) as (pilot, screen):
        await pilot.press("down", "enter")
        await pilot.click(TableView, offset=(12, 4))
        await pilot.click(TableView, offset=(3, 1))
        await pilot.click(TableView, offset=(20, 1))
        await pilot.click(TableView, offset=(12, 7))
        await pilot.pause()
        assert screen.messages == ["b", "size", "name"]
        assert screen.view.row is not None
        assert screen.view.row.key == "c"
        await pilot.click(TableView, offset=(12, 2), times=2)
        await pilot.pause()
        assert screen.messages[-1] == "a"


async def test_the_wheel_moves_on() -> None:
    async with shown(a_table(*(f"n{number:02d}" for number in range(50)))) as (pilot, screen):
        await pilot._post_mouse_events([__import__("textual.events").events.MouseScrollDown], TableView, (5, 5))
        await pilot.pause()
        assert screen.view.row is not None
        assert screen.view.row.key == "n03"


async def test_only_lines_that_changed_are_painted(monkeypatch: Any) -> None:
    painted: list[int] = []
    original = TableView._painted

    def counted(self: TableView, y: int, width: int) -> Any:
        painted.append(y)
        return original(self, y, width)

    async with shown(a_table("a", "b", "c")) as (pilot, screen):
        monkeypatch.setattr(TableView, "_painted", counted)
        screen.view.show_table(a_table("a", "b", "c"))
        await pilot.pause()
        assert painted == []
        table = a_table("a", "b", "c")
        changed = Row("b", (Cell("2 B", Tone.STRONG), Cell("b")))
        screen.view.show_table(Table("t", COLUMNS, (table.rows[0], changed, table.rows[2])))
        await pilot.pause()
        await pilot.pause()
        assert painted == [2]


async def test_cells_out_of_view_are_never_made() -> None:
    made: list[str] = []

    def lazily(name: str) -> Row:
        def cells() -> tuple[Cell, ...]:
            made.append(name)
            return Cell("1 B"), Cell(name)

        return Row(name, cells)

    async with shown(Table("t", COLUMNS, tuple(lazily(f"n{n}") for n in range(1000)))) as (pilot, _):
        await pilot.pause()
        assert len(set(made)) < 20
