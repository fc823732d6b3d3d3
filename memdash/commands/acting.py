"""Something done to a process from the command line: asked for, confirmed, and told with before and after."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from json import dumps

import click

from memdash.analysis.deeds import changes, deed_words, freed_bytes
from memdash.commands.denials import denials_told
from memdash.commands.options import Verb, settings
from memdash.commands.output import is_terminal, tell, write_lines
from memdash.commands.target import Choice, process_options
from memdash.errors import ProbeError, UsageError
from memdash.model.action import Action, Deed
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.plain import plain
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.session.errand import Errand
from memdash.signals import signals_raised
from memdash.units import iso_time

__all__ = ["act_on", "asked", "verb"]


def verb(action: Action, short_help: str, full_help: str) -> click.Command:
    """The verb that has ``action`` done to one process."""

    @click.command(cls=Verb, short_help=short_help, help=full_help)
    @process_options
    @settings("yes", "json")
    def command(choice: Choice, yes: bool, json: bool) -> int:
        with signals_raised():
            target = choice.target()
            deed = act_on(target, action, agreed=yes, entries=choice.entries)
        if deed is None:
            return 1
        write_lines([dumps(_object(target, deed), ensure_ascii=True) if json else plain(deed_words(deed))])
        return 0

    return command


def act_on(target: Target, action: Action, *, agreed: bool, entries: Sequence[ProbeEntry] = PROBES) -> Deed | None:
    """Have it done and say what came of it; ``agreed`` asks no questions. None when it was left undone.

    Raises UsageError when it could be done and there is nobody to ask, AccessDenied, else what it failed with.
    """

    def consent(step: Action, words: str) -> bool:
        if not agreed and not is_terminal(sys.stdin):
            raise UsageError(f"{action.value} wants a yes, and standard input is no terminal", "give --yes")
        return agreed or asked(step, words)

    with denials_told(target):
        deed = Errand(consent=consent, tell=tell, entries=entries).run(target, action)
        if deed is None:
            tell("left as it is")
        elif isinstance(deed.outcome, Missing):
            raise deed.error or ProbeError(deed.outcome.why, deed.outcome.hint)
    return deed


def _object(target: Target, deed: Deed) -> dict[str, object]:
    freed = freed_bytes(deed)
    return {
        "schema": "memdash.deed/1",
        "at": iso_time(deed.before.at.wall_s),
        "target": {"pid": target.pid, "name": target.name, "url": target.url or None},
        "action": deed.action.value,
        "outcome": deed.words,
        "took_s": round(deed.took_s, 6),
        "freed_bytes": None if isinstance(freed, Missing) else freed,
        "changes": {metric.key: {"before": before, "after": after} for metric, before, after in changes(deed)},
        "missing": {"freed_bytes": freed.words} if isinstance(freed, Missing) else {},
    }


def asked(step: Action, words: str) -> bool:
    """Ask whoever sits at the terminal, with the sentence that says what it does to the target."""
    click.echo(plain(words), err=True)
    return click.confirm(f"{step.value[0].upper()}{step.value[1:]}?", err=True)
