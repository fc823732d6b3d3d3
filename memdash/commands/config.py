"""``memdash config``: every setting, its value, where that comes from; and a file to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from json import dumps
from typing import Any

import click

from memdash.commands.config_example import example
from memdash.commands.options import Verb, chosen_file, origin, settings, stated
from memdash.commands.output import write_lines
from memdash.config import SETTINGS, Setting
from memdash.config_file import default_path
from memdash.errors import UsageError
from memdash.plain import plain
from memdash.said import AlertText, HookText

__all__ = ["command"]

_UNSET = "(unset)"
_WIDEST = 40
"""Columns for values; one that is longer pushes the words for its origin aside."""


@click.command(cls=Verb, short_help="Every setting, its value, and where that comes from.")
@click.option("--show-origin", is_flag=True, help="Say of each where its value comes from.")
@click.option("--path", is_flag=True, help="Print where the file is, or would be.")
@click.option("--example", "wants_example", is_flag=True, help="Print a file that explains every setting.")
@settings("json")
@click.pass_context
def command(ctx: click.Context, show_origin: bool, path: bool, wants_example: bool, json: bool) -> None:
    """Print every setting as a command would have it that is given no flags.

    A flag outranks its MEMDASH_* variable, that the file, and that the default. memdash config --example prints a file
    to begin with, and memdash config --path where it belongs.
    """
    if path + wants_example + (show_origin or json) > 1:
        raise UsageError("--path, --example and a list of settings exclude each other", "ask for one of them")
    if path:
        write_lines([str(chosen_file(ctx) or default_path())])
    elif wants_example:
        write_lines(example())
    elif json:
        write_lines(dumps(row.object, ensure_ascii=False) for row in _rows(ctx))
    else:
        write_lines(_table(_rows(ctx), show_origin))


@dataclass(frozen=True, slots=True)
class _Row:
    """A setting as it stands; ``value`` as it would be written, None when it has none."""

    name: str
    value: str | None
    origin: str

    @property
    def object(self) -> dict[str, str | None]:
        return {"name": self.name, "value": self.value, "origin": self.origin}


def _rows(ctx: click.Context) -> list[_Row]:
    """Have click settle all settings at once, as for a command that has them all. Raises UsageError."""

    def everything(**_: Any) -> None: ...

    whole = click.command(settings(*SETTINGS)(everything))
    with whole.make_context("config", [], parent=ctx, default_map=ctx.default_map) as settled:
        return [
            _Row(setting.name, _words(settled, setting), origin(settled, setting) or "default")
            for setting in SETTINGS.values()
        ]


def _words(ctx: click.Context, setting: Setting) -> str | None:
    value = ctx.params[setting.parameter]
    if value is None or value == ():
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and any(isinstance(item, HookText) for item in value):
        return ", ".join(repr(item) for item in value)  # which shows no URL: there may be a secret in it
    said = stated(ctx, setting)
    if not isinstance(said, (list, tuple)):
        return str(said)
    return ", ".join(item.when if isinstance(item, AlertText) else str(item) for item in said)


def _table(rows: Sequence[_Row], with_origin: bool) -> list[str]:
    shown = [(row.name, plain(row.value) if row.value is not None else _UNSET, plain(row.origin)) for row in rows]
    names = max(len(name) for name, _, _ in shown)
    values = min(max(len(value) for _, value, _ in shown), _WIDEST)
    if not with_origin:
        return [f"{name:<{names}}  {value}" for name, value, _ in shown]
    return [f"{name:<{names}}  {value:<{values}}  {where}" for name, value, where in shown]
