"""Settings as click options: one declaration in ``config``, the same flag, variable and key in every verb."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from memdash import config, config_file
from memdash.commands.output import help_written, tell
from memdash.errors import UsageError, told_where

__all__ = [
    "Verb",
    "chosen_file",
    "gathered",
    "origin",
    "part",
    "place",
    "refuse_beside",
    "settings",
    "stated",
    "take_file",
    "typed",
]

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # generic only since click 8.4

Function = TypeVar("Function", bound=Callable[..., Any])


_PLACES = {"FILE": "file", "PROFILE": "file", "FOLDER": "dir", "FOLDERS": "dir"}
"""What a shell completes, by the word that stands for a value in help."""


class _Text(_ParamType):
    """A value that its setting parses; errors say where the text was found."""

    def __init__(self, setting: config.Setting) -> None:
        self.name = setting.metavar
        self._setting = setting

    def convert(self, value: Any, _param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, (str, int, float)):  # a table of the file, which is understood already
            return value
        where = (origin(ctx, self._setting) if ctx else "") or f"--{self._setting.name}"
        with told_where(where):
            return _placed(self._setting.value(str(value)), where)

    def split_envvar_value(self, rv: str) -> list[str]:
        """The values of a variable."""
        return [part for value in rv.split(self._setting.separator) if (part := value.strip())]

    def shell_complete(self, _ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the setting's choices, or files where it names one: which ones there are the shell knows itself."""
        if kind := _PLACES.get(self._setting.metavar):
            return [CompletionItem(incomplete, type=kind)]
        return [CompletionItem(choice) for choice in self._setting.choices if choice.startswith(incomplete)]


def _placed(value: Any, where: str) -> Any:
    """What is understood only later is told where it was found."""
    if is_dataclass(value) and not isinstance(value, type) and any(each.name == "where" for each in fields(value)):
        return replace(value, where=where)
    return value


def settings(*names: str) -> Callable[[Function], Function]:
    """Give a command these settings as options; its parameters are named like them, with underscores."""

    def decorate(function: Function) -> Function:
        for name in reversed(names):
            function = _option(config.SETTINGS[name])(function)
        return function

    return decorate


def gathered(kind: type[Any], parameter: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the settings that a dataclass has fields of as options; it gets one ``kind`` instead.

    A field with the metadata ``part`` holds a dataclass whose fields are settings in turn.
    """
    names = _names(kind)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @settings(*(name.replace("_", "-") for name in names))
        @functools.wraps(function)
        def wrapped(**values: Any) -> Any:
            made = _made(kind, {name: values.pop(name) for name in names})
            return function(**{parameter: made}, **values)

        return wrapped

    return decorate


_PART = "gathered"


def part(kind: type[Any]) -> dict[str, type[Any]]:
    """What marks a field of a dataclass that is ``gathered``: what it holds is gathered too."""
    return {_PART: kind}


def _names(kind: type[Any]) -> list[str]:
    """The settings of a dataclass and its parts, as parameters are named."""
    names = []
    for each in fields(kind):
        names += _names(each.metadata[_PART]) if _PART in each.metadata else [each.name]
    return names


def _made(kind: type[Any], values: dict[str, Any]) -> Any:
    return kind(
        **{
            each.name: _made(each.metadata[_PART], values) if _PART in each.metadata else values[each.name]
            for each in fields(kind)
        }
    )


def _option(setting: config.Setting) -> Callable[[Function], Function]:
    flags = [f"--{setting.name}", *([f"--{setting.also}"] if setting.also else [])]
    flags += [f"-{setting.short}"] if setting.short else []
    shared: dict[str, Any] = {"help": setting.help, "envvar": setting.variable}
    if setting.off:
        return click.option(f"{flags[0]}/--{setting.off}", default=True, **shared)
    if setting.is_switch:
        return click.option(*flags, is_flag=True, **shared)
    if setting.implied is not None:
        shared |= {"is_flag": False, "flag_value": setting.implied}
    return click.option(
        *flags,
        type=_Text(setting),
        metavar=setting.metavar,
        default=() if setting.many else setting.default,
        show_default=setting.default is not None,
        multiple=setting.many,
        **shared,
    )


def origin(ctx: click.Context, setting: config.Setting) -> str:
    """Where the value of a setting comes from: ``--interval``, ``MEMDASH_INTERVAL``, a file, or nothing (default)."""
    match ctx.get_parameter_source(setting.parameter):
        case ParameterSource.COMMANDLINE:
            return f"--{setting.name}"
        case ParameterSource.ENVIRONMENT:
            return setting.variable
        case ParameterSource.DEFAULT_MAP:
            layer = next(layer for layer in _layers(ctx) if setting.parameter in layer.values)
            return f"{setting.name} in {layer.path}"
    return ""


def place(name: str) -> str:
    """Where a setting of the command that runs comes from, for whoever cannot make sense of it."""
    ctx = click.get_current_context(silent=True)
    return (origin(ctx, config.SETTINGS[name]) if ctx else "") or f"--{name}"


def stated(ctx: click.Context, setting: config.Setting) -> object:
    """The value of a setting as it was written where it comes from; a list where a file has one."""
    name = setting.parameter
    match ctx.get_parameter_source(name):
        case ParameterSource.ENVIRONMENT:
            return os.environ.get(setting.variable)
        case ParameterSource.DEFAULT_MAP:
            return next(layer.values[name] for layer in _layers(ctx) if name in layer.values)
        case ParameterSource.DEFAULT:
            return setting.default
    return ctx.params[name]


def chosen_file(ctx: click.Context) -> Path | None:
    """The configuration file that is read, if there is one."""
    layer = ctx.meta.get(_LAYERS, {}).get(_OWN)
    return None if layer is None else layer.path


@dataclass(frozen=True, slots=True)
class _Layer:
    """The values of one file by parameter, and those that files of a lower rank have no say in."""

    path: Path
    values: Mapping[str, object]
    alone: frozenset[str]


_LAYERS = "memdash.files"
_OWN = 0
"""The rank of the configuration file."""


def _layers(ctx: click.Context) -> list[_Layer]:
    """Those of the highest rank first."""
    return [layer for _, layer in sorted(ctx.meta.get(_LAYERS, {}).items(), reverse=True)]


def take_file(ctx: click.Context, rank: int, path: Path, values: Mapping[str, object], alone: Iterable[str]) -> None:
    """Make a file's values the defaults of everything parsed after it: click asks flags and variables first.

    Of two files that of the higher rank counts, and it alone for the settings in ``alone``.
    """
    named = {config.SETTINGS[name].parameter: given for name, given in values.items()}
    layer = _Layer(path, named, frozenset(config.SETTINGS[name].parameter for name in alone))
    ctx.meta.setdefault(_LAYERS, {})[rank] = layer
    merged: dict[str, object] = {}
    for each in reversed(_layers(ctx)):
        merged = {key: value for key, value in merged.items() if key not in each.alone} | dict(each.values)
    ctx.default_map = merged


def typed(name: str) -> bool:
    """Whether a setting of the command that runs stands on the command line: others may be meant for other commands."""
    ctx = click.get_current_context()
    return ctx.get_parameter_source(config.SETTINGS[name].parameter) is ParameterSource.COMMANDLINE


def refuse_beside(name: str, *allowed: str) -> None:
    """Raise UsageError for what stands on the command line and has no meaning beside this setting."""
    ctx = click.get_current_context()
    for param in ctx.command.params:
        key = str(param.name)
        if key.replace("_", "-") in (name, *allowed) or ctx.params.get(key) in (None, ()):
            continue
        if ctx.get_parameter_source(key) is ParameterSource.COMMANDLINE:
            what = param.opts[0] if isinstance(param, click.Option) else param.make_metavar(ctx).strip("[].")
            raise UsageError(f"{what} does nothing beside --{name}", "leave one of them away")


def _load_config(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if ctx.resilient_parsing:
        return
    path = Path(value) if value else config_file.default_file()
    if path is not None:
        take_file(ctx, _OWN, path, config_file.load_file(path), ())


_CONFIG = click.Option(
    ["--config"],
    metavar="FILE",
    envvar="MEMDASH_CONFIG",
    is_eager=True,
    expose_value=False,
    callback=_load_config,
    help="Read settings from this file instead of the user's own.",
    shell_complete=lambda _ctx, _param, incomplete: [CompletionItem(incomplete, type="file")],
)


class Verb(click.Command):
    """A command of memdash: it also takes ``--config`` and ``--verbose``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        verbose = _option(config.SETTINGS["verbose"])(click.Command(None))
        self.params += [_CONFIG, *verbose.params]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The one that writes as verbs do."""
        return help_written(super().get_help_option(ctx))

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; with ``--verbose`` say first where each setting comes from."""
        if ctx.params.pop("verbose"):
            os.environ["MEMDASH_DEBUG"] = "1"
            for name, value in sorted(ctx.params.items()):
                setting = config.SETTINGS.get(name.replace("_", "-"))
                if setting and value not in (None, ()):
                    tell(f"{setting.name} = {value} ({origin(ctx, setting) or 'default'})")
        return super().invoke(ctx)
