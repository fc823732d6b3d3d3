"""What is meant, and how to read it: a process by pid or name, or one that has yet to start, or a server by its URL."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from memdash.commands import VERBS
from memdash.commands.options import place, settings
from memdash.commands.output import tell
from memdash.commands.replayed import Recorded, recorded
from memdash.config import SETTINGS, parse_pid
from memdash.errors import NoSuchTarget, UsageError, told_where
from memdash.model.target import Target
from memdash.network.address import Address, is_url, require_scheme
from memdash.plain import plain
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES, probes_with
from memdash.process.identity import identify
from memdash.units import quoted

if TYPE_CHECKING:
    from memdash.probes.endpoint import Endpoint

__all__ = ["Choice", "pids", "process_options", "target_options"]

_LISTED = 5
_NAMES = ("pid", "name", "wait-for", "url")
_AUTO, _GOPS = "auto", "gops"

_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user said about what to read, and by which ways; at most one of the first five is set.

    ``endpoint`` is among the ``entries`` when it is wanted; ``asks`` says that some of them ask the program.
    """

    pid: int | None = None
    name: str | None = None
    wait_for: str | None = None
    url: Address | None = None
    recorded: Recorded | None = None
    endpoint: Endpoint | None = None
    entries: Sequence[ProbeEntry] = PROBES
    asks: bool = False

    @property
    def made(self) -> bool:
        """Whether anything was named at all."""
        return any(said is not None for said in (self.pid, self.name, self.wait_for, self.url, self.recorded))

    def target(self) -> Target:
        """Find the process. Raises UsageError when none was named or several match, and what ``identify`` raises."""
        if self.recorded is not None:
            raise UsageError(
                f"{self.recorded.path} is a recording, and this takes a process that runs",
                f"memdash replay {self.recorded.path} looks at it",
            )
        if self.pid is not None:
            return identify(self.pid)
        if self.name is not None:
            from memdash.process.listing import matching  # 2 ms, which a pid does without

            return _only(self.name, matching(self.name))
        if self.url is not None:
            return Target.at_url(self.url.url, self.url.server)
        if self.wait_for is not None:
            from memdash.process.listing import wait_for

            tell(f"waiting for a process named {self.wait_for}, until ctrl+c")
            return wait_for(self.wait_for)
        raise UsageError("no process was named", "give its pid: memdash ps lists the processes that can be watched")


def _only(name: str, found: Sequence[Target]) -> Target:
    if not found:
        raise NoSuchTarget(f"no process has {name!r} in its name or command line")
    if len(found) > 1:
        some = ", ".join(f"{target.pid} {target.name}" for target in found[:_LISTED])
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        what = f"{len(found)} processes have {name!r} in their name: {some}{more}"
        raise UsageError(what, f"give the pid of one: memdash ps {quote(name)} shows which of them are whose workers")
    return found[0]


def pids(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the pids that begin so, the largest processes first, each with its name."""
    from memdash.process.listing import processes

    targets = (candidate.target for candidate in processes())
    return [
        CompletionItem(str(target.pid), help=plain(target.name))
        for target in targets
        if str(target.pid).startswith(incomplete)
    ]


def _pids_or_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer pids, and have the shell offer files: one may be a recording."""
    return [*pids(ctx, param, incomplete), CompletionItem(incomplete, type="file")]


def _choosing(metavar: str, complete: _Complete) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @click.argument("positional", metavar=metavar, required=False, shell_complete=complete)
        @settings(*_NAMES, "endpoint")
        @functools.wraps(function)
        def wrapped(positional: str | None, endpoint: str | None, **values: Any) -> Any:
            named = {key: values.pop(key) for key in (SETTINGS[name].parameter for name in _NAMES)}
            ctx = click.get_current_context()
            return function(choice=_choice(ctx, _given(ctx, positional, named), endpoint), **values)

        return wrapped

    return decorate


target_options = _choosing("[PID|URL|FILE.mdr]", _pids_or_files)
"""Give a command the argument PID and the options that name a target and its endpoint; it gets one ``choice``."""

process_options = _choosing("[PID|URL]", pids)
"""The same for one that takes only what runs: its ``choice`` may be a recording, which ``target`` refuses."""


def _given(ctx: click.Context, positional: str | None, named: dict[str, Any]) -> dict[str, Any]:
    """Two on the command line contradict each other; one there outranks a variable, which outranks the file."""
    ranked: dict[ParameterSource | None, dict[str, Any]] = {}
    for key, value in named.items():
        if value is not None:
            ranked.setdefault(ctx.get_parameter_source(key), {})[key] = value
    given = ranked.get(ParameterSource.COMMANDLINE, {})
    if positional is not None:
        if positional in VERBS:
            raise UsageError(f"options come after the command {positional!r}", f"memdash {positional} --help shows how")
        file = recorded(positional)
        if file is None:
            require_scheme(positional)
        said = (
            {"recorded": file}
            if file is not None
            else {"url": positional}
            if is_url(positional)
            else {"pid": parse_pid(positional)}
        )
        given = said | {f"--{key}": value for key, value in given.items()}
    for source in (ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP):
        given = given or ranked.get(source, {})
    if len(given) > 1:
        raise UsageError("a process is named in more than one way", "give a pid, or --name, or --wait-for, or --url")
    return given


def _choice(ctx: click.Context, given: dict[str, Any], endpoint: str | None) -> Choice:
    """A server is read through its endpoint alone, a process through one that is asked for too."""
    if "url" in given:
        if ctx.get_parameter_source("endpoint") is ParameterSource.COMMANDLINE:
            raise UsageError("--endpoint is for a process, and --url names a server", "leave one of them away")
        address = _address(given["url"], "url")
        server = _endpoint(address)
        return Choice(url=address, endpoint=server, entries=(server,), asks=True)
    if endpoint is None:
        return Choice(**given)
    if endpoint == _GOPS:
        return Choice(**given, entries=probes_with(asked=(_gops(),)), asks=True)
    asked = _endpoint(None if endpoint == _AUTO else _address(endpoint, "endpoint"))
    others = (_gops(),) if endpoint == _AUTO else ()
    return Choice(**given, endpoint=asked, entries=probes_with(asked=(asked, *others)), asks=True)


def _endpoint(address: Address | None) -> Endpoint:
    from memdash.probes.endpoint import Endpoint  # 2 ms, spared those who ask nobody

    return Endpoint(address)


def _gops() -> ProbeEntry:
    from memdash.probes.gops import GOPS

    return GOPS


def _address(text: str, setting: str) -> Address:
    with told_where(place(setting)):
        address = Address.parse(text)
    if address.query:
        raise UsageError(
            f"{place(setting)}: {quoted(text)} holds a question, and memdash asks its own", "leave away the ?"
        )
    return address
