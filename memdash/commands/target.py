"""Which process is meant: a pid, a name, or one that has yet to start."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from memdash.commands import VERBS
from memdash.commands.options import settings
from memdash.config import SETTINGS
from memdash.errors import NoSuchTarget, UsageError
from memdash.model.target import Target
from memdash.plain import plain
from memdash.process.identity import identify
from memdash.process.listing import matching, processes, wait_for

__all__ = ["Choice", "pids", "target_options"]

Function = TypeVar("Function", bound=Callable[..., Any])

_LISTED = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user said about the process to read; at most one is set."""

    pid: int | None = None
    name: str | None = None
    wait_for: str | None = None

    @property
    def made(self) -> bool:
        """Whether a process was named at all."""
        return self != Choice()

    def target(self) -> Target:
        """Find the process. Raises UsageError when none was named or several match, and what ``identify`` raises."""
        if self.pid is not None:
            return identify(self.pid)
        if self.name is not None:
            return _only(self.name, matching(self.name))
        if self.wait_for is not None:
            click.echo(f"memdash: waiting for a process named {plain(self.wait_for)}, until ctrl+c", err=True)
            return wait_for(self.wait_for)
        raise UsageError("no process was named", "give its pid: memdash ps lists the processes that can be watched")


def _only(name: str, found: Sequence[Target]) -> Target:
    if not found:
        raise NoSuchTarget(f"no process has {name!r} in its name or command line")
    if len(found) > 1:
        some = ", ".join(f"{target.pid} {target.name}" for target in found[:_LISTED])
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise UsageError(f"{len(found)} processes have {name!r} in their name: {some}{more}", "give the pid of one")
    return found[0]


def target_options(function: Function) -> Callable[..., Any]:
    """Give a command the argument PID and the options --pid, --name, --wait-for; it gets one ``choice`` instead."""

    @click.argument("positional", metavar="[PID]", required=False, shell_complete=pids)
    @settings("pid", "name", "wait-for")
    @functools.wraps(function)
    def wrapped(positional: str | None, **values: Any) -> Any:
        named = {key: values.pop(key) for key in ("pid", "name", "wait_for")}
        return function(choice=_choice(click.get_current_context(), positional, named), **values)

    return wrapped


def pids(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the pids that begin so, the largest processes first, each with its name."""
    targets = (candidate.target for candidate in processes())
    return [
        CompletionItem(str(target.pid), help=plain(target.name))
        for target in targets
        if str(target.pid).startswith(incomplete)
    ]


def _choice(ctx: click.Context, positional: str | None, named: dict[str, Any]) -> Choice:
    """Two on the command line contradict each other; one there outranks a variable, which outranks the file."""
    ranked: dict[ParameterSource | None, dict[str, Any]] = {}
    for key, value in named.items():
        if value is not None:
            ranked.setdefault(ctx.get_parameter_source(key), {})[key] = value
    given = ranked.get(ParameterSource.COMMANDLINE, {})
    if positional is not None:
        if positional in VERBS:
            raise UsageError(f"options come after the command {positional!r}", f"memdash {positional} --help shows how")
        given = {"pid": SETTINGS["pid"].parse(positional)} | {
            key.replace("pid", "--pid"): v for key, v in given.items()
        }
    for source in (ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP):
        given = given or ranked.get(source, {})
    if len(given) > 1:
        raise UsageError("a process is named in more than one way", "give a pid, or --name, or --wait-for")
    return Choice(**given)
