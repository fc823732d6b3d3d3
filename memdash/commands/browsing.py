"""A view of a profile on the whole screen, to go through with keys and mouse, without a dashboard below it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memdash.commands.look import Look
from memdash.commands.options import gathered, origin
from memdash.commands.output import is_terminal
from memdash.commands.source import is_process
from memdash.commands.viewing import Viewing
from memdash.config import SETTINGS
from memdash.network.address import Address, is_url
from memdash.pprof.garbage import without_collections
from memdash.signals import signals_raised
from memdash.units import clock_time

if TYPE_CHECKING:
    from memdash.pprof.taken import TakenProfile
    from memdash.ui.screens.profile.study import Moment

__all__ = ["Browsing", "browse", "browsing_options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Browsing(Look):
    """How the screen looks; with ``text`` there is none."""

    text: bool

    @property
    def is_possible(self) -> bool:
        """Whether a screen is wanted, and there are a terminal and a person at it."""
        streams = (sys.stdin, sys.stdout, sys.stderr)
        return all(map(is_terminal, streams)) and not self.text and os.environ.get("TERM", "dumb") != "dumb"


browsing_options = gathered(Browsing, "browsing")
"""Give a command the options of a screen; it gets one ``browsing`` instead."""


def browse(name: str, argument: str, viewing: Viewing, look: Look) -> None:
    """Show the view ``name`` of a profile until the user leaves it.

    The profile is read once before the screen opens: what is wrong with it is said where the command was given. Raises
    what reading it raises.
    """
    look.check()
    options = viewing.options()
    with without_collections():
        first = viewing.alone(argument)
        base = viewing.earlier()
    from memdash.ui.app import run_view
    from memdash.ui.screens.profile import view_of
    from memdash.ui.screens.profile.study import Lens, Study

    moments = _moments(argument, viewing, first, base)
    lens = Lens(
        sample_type=options.sample_type,
        granularity=options.granularity,
        filters=options.filters,
        is_differential=base is not None,
        node_fraction=options.node_fraction if _is_given("nodefraction") else None,
    )
    study = Study(lambda: next(moments), lens)
    with signals_raised():
        run_view(lambda: view_of(name, study), look.options())


def _is_given(name: str) -> bool:
    """Whether somebody asked for the value of a setting: it is not the one that the verbs print with."""
    return bool(origin(click.get_current_context(), SETTINGS[name]))


def _moments(argument: str, viewing: Viewing, first: TakenProfile, base: TakenProfile | None) -> Iterator[Moment]:
    """The profile that was read already, then again and again as it is at the time; always against the same."""
    from memdash.ui.screens.profile.study import Moment

    def moment(taken: TakenProfile | None) -> Moment:
        is_live = is_url(argument) or is_process(argument)
        return Moment(
            lambda: taken or viewing.alone(argument),
            None if base is None else lambda: base,
            title=_name(argument),
            at=f"at {clock_time(time.time())}" if is_live else "",
            since=f"since {_name(viewing.diff_base)}" if viewing.diff_base else "",
        )

    yield moment(first)
    while True:
        yield moment(None)


def _name(argument: str) -> str:
    """What a profile is called where there is little room."""
    if is_url(argument):
        return Address.parse(argument).url
    return f"pid {argument}" if is_process(argument) else Path(argument).name
