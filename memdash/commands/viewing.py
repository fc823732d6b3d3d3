"""What the verbs on profiles share: their options, the view that these make, and what is printed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from memdash.commands.options import gathered, settings
from memdash.commands.output import tell, write_lines
from memdash.commands.source import SOURCE, STDIN, complete_source, profile_from
from memdash.errors import UsageError, told_where

if TYPE_CHECKING:
    from memdash.pprof.pattern import Pattern
    from memdash.pprof.taken import TakenProfile
    from memdash.pprof.view import Options, View

__all__ = ["Viewing", "pattern", "show", "tell_unmatched", "viewing_options"]

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
    run: int | None

    def options(self) -> Options:
        """The same as the views take it. Raises UsageError."""
        from memdash.pprof.filters import Filters
        from memdash.pprof.view import Granularity, Options

        if self.base and self.diff_base:
            raise UsageError("--base and --diff-base exclude each other", "leave one of them away")
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
        source, before = self.alone(argument), self.earlier()
        return source if before is None else _less(source, before, relative_to_base=True)

    def alone(self, argument: str) -> TakenProfile:
        """The profile beside which ``earlier`` is shown, which is not subtracted. Raises like ``source``."""
        if (argument, self.base, self.diff_base).count(STDIN) > 1:
            raise UsageError("standard input holds one profile", "save the other one to a file")
        source = profile_from(argument, self.run)
        return _less(source, profile_from(self.base, self.run), relative_to_base=False) if self.base else source

    def earlier(self) -> TakenProfile | None:
        """What the profile is compared with, if anything. Raises like ``source``."""
        return profile_from(self.diff_base, self.run) if self.diff_base else None


def _less(source: TakenProfile, base: TakenProfile, *, relative_to_base: bool) -> TakenProfile:
    from memdash.pprof.merge import minus

    return replace(source, document=minus(source.document, base.document, relative_to_base=relative_to_base))


def viewing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument of a profile and the options of a view; it gets ``argument`` and ``viewing``."""
    argued = click.argument("argument", metavar=SOURCE, shell_complete=complete_source)
    return argued(gathered(Viewing, "viewing")(settings("json", "output", "force")(function)))


def pattern(text: str, name: str) -> Pattern:
    """A regular expression. Raises UsageError that says where it stands."""
    from memdash.pprof.pattern import compiled

    with told_where(name):
        return compiled(text)


def tell_unmatched(view: View) -> None:
    """Say on stderr which filters did nothing."""
    for name in view.unmatched:
        tell(f"--{name} matched nothing")


def show(lines: Iterable[str], document: Callable[[], Any], *, json: bool, output: str, force: bool) -> None:
    """Print lines, or with ``json`` the document, to ``output``."""
    if json:
        import json as json_format  # 5 ms

        lines = [json_format.dumps(document(), ensure_ascii=True)]
    write_lines(lines, output, force)
