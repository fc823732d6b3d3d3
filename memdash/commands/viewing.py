"""What the verbs on profiles share: their options, the view that these make, and what is printed of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from memdash.commands.options import settings
from memdash.commands.output import writing
from memdash.commands.source import SOURCE, complete_source, profile_from
from memdash.errors import UsageError

if TYPE_CHECKING:
    from memdash.pprof.pattern import Pattern
    from memdash.pprof.taken import TakenProfile
    from memdash.pprof.view import Options, View

__all__ = ["Viewing", "pattern", "show", "tell_unmatched", "viewing_options"]

Function = TypeVar("Function", bound=Callable[..., Any])

_FILTERS = ("focus", "ignore", "hide", "show")


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewing:
    """How to look at a profile, as it was asked for."""

    sample_index: str | None
    focus: str | None
    ignore: str | None
    hide: str | None
    show: str | None
    granularity: str
    cum: bool
    nodecount: int | None
    nodefraction: float
    edgefraction: float
    base: str | None
    diff_base: str | None

    def options(self) -> Options:
        """The same as the views take it. Raises UsageError."""
        from memdash.pprof.filters import Filters
        from memdash.pprof.view import Granularity, Options

        given = {name: pattern(text, f"--{name}") for name in _FILTERS if (text := getattr(self, name))}
        return Options(
            sample_type=self.sample_index or "",
            granularity=Granularity(self.granularity),
            filters=Filters(**given),
            by_cum=self.cum,
            node_count=self.nodecount,
            node_fraction=self.nodefraction,
            edge_fraction=self.edgefraction,
        )

    def source(self, argument: str) -> TakenProfile:
        """The profile, with its base subtracted if one was named. Raises what ``profile_from`` raises."""
        if self.base and self.diff_base:
            raise UsageError("--base and --diff-base exclude each other", "leave one of them away")
        source = profile_from(argument)
        base = self.base or self.diff_base
        if not base:
            return source
        from memdash.pprof.merge import minus

        document = minus(source.document, profile_from(base).document, relative_to_base=bool(self.diff_base))
        return replace(source, document=document)


def viewing_options(function: Function) -> Callable[..., Any]:
    """Give a command the argument of a profile and the options of a view; it gets ``argument`` and ``viewing``."""

    @click.argument("argument", metavar=SOURCE, shell_complete=complete_source)
    @settings("sample-index", *_FILTERS, "granularity", "cum", "nodecount", "nodefraction", "edgefraction")
    @settings("base", "diff-base", "json", "output", "force")
    @functools.wraps(function)
    def wrapped(**values: Any) -> Any:
        ours = {name: values.pop(name) for name in Viewing.__dataclass_fields__}
        return function(viewing=Viewing(**ours), **values)

    return wrapped


def pattern(text: str, name: str) -> Pattern:
    """A regular expression. Raises UsageError that says where it stands."""
    from memdash.pprof.pattern import compiled

    try:
        return compiled(text)
    except UsageError as error:
        raise UsageError(f"{name}: {error.what}", error.hint) from None


def tell_unmatched(view: View) -> None:
    """Say on stderr which filters did nothing."""
    for name in view.unmatched:
        click.echo(f"memdash: --{name} matched nothing", err=True)


def show(lines: Iterable[str], document: Callable[[], Any], *, json: bool, output: str, force: bool) -> None:
    """Print lines, or with ``json`` the document, to ``output``."""
    with writing(output, force) as out:
        if json:
            import json as json_format  # 5 ms

            out.write(json_format.dumps(document(), ensure_ascii=True).encode() + b"\n")
            return
        for line in lines:
            out.write(line.encode(errors="backslashreplace") + b"\n")
