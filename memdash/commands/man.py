"""``memdash man``: the manual page, made of what ``--help`` says of every verb."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence

import click

from memdash import __version__
from memdash.commands.options import Verb
from memdash.commands.output import write_lines

__all__ = ["command", "roff"]

_EXIT_CODES = (
    ("0", "It went well."),
    ("1", "A check has found something, or nothing could be read."),
    ("2", "The command line, a variable or a file cannot be understood."),
    ("3", "There is no such process."),
    ("4", "It may not be read; memdash doctor PID says what would help."),
    ("5", "It ended before its time."),
    ("70", "A defect of memdash."),
    ("128+N", "Signal N ended memdash: 130 is ctrl+c. Of a command that memdash has started it passes on the code."),
)
_FILES = (
    ("~/.config/memdash/config.toml", "Settings; memdash config --example prints one that explains them all."),
    ("MEMDASH_*", "A variable for each option: MEMDASH_MAX_GROWTH is --max-growth."),
)


@click.command(cls=Verb, short_help="The manual page.")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Print the manual page: memdash man | man -l - shows it.

    Kept as ~/.local/share/man/man1/memdash.1 it is found by man memdash.
    """
    root = ctx.find_root().command
    if isinstance(root, click.Group):
        write_lines(roff(root))


def roff(root: click.Group) -> Iterator[str]:
    """The page in roff, line by line; each option is explained once, however many verbs it belongs to."""
    verbs = _verbs(root)
    yield "'\\\" -*- coding: utf-8 -*-"
    yield f'.TH MEMDASH 1 "" "memdash {__version__}" "User Commands"'
    yield from (".nh", ".ad l")  # an option that is hyphenated cannot be copied
    yield from (".SH NAME", r"memdash \- watch the memory of one running process, live and from outside")
    yield ".SH SYNOPSIS"
    for words in ("[PID | URL]", "-- COMMAND ...", "VERB [OPTIONS] ..."):
        yield from (rf".B memdash {_escaped(words)}", ".br")
    yield ".SH DESCRIPTION"
    yield from _paragraphs(root)
    yield ".SH VERBS"
    for verb in verbs:
        yield from _verb(verb)
    yield ".SH OPTIONS"
    yield from _listed(sorted({record for verb in verbs for record in _options(verb)}, key=_by_name))
    yield ".SH FILES AND VARIABLES"
    yield from _listed(_FILES)
    yield ".SH EXIT STATUS"
    yield from _listed(_EXIT_CODES)


def _verbs(root: click.Group) -> list[click.Context]:
    with click.Context(root, info_name="memdash") as above:
        named = [(name, root.get_command(above, name)) for name in root.list_commands(above)]
        return [click.Context(verb, parent=above, info_name=name) for name, verb in named if verb is not None]


def _verb(verb: click.Context) -> Iterator[str]:
    usage = verb.command.collect_usage_pieces(verb)
    yield f".SS memdash {_escaped(' '.join((verb.info_name or '', *usage)))}"
    yield from _paragraphs(verb.command)
    flags = sorted(_name(flags) for flags, _ in _options(verb))
    yield from (".PP", f"Options: {_escaped(', '.join(flags))}.")


def _options(verb: click.Context) -> list[tuple[str, str]]:
    """Flags and what they mean, in one line each."""
    options = [param for param in verb.command.get_params(verb) if isinstance(param, click.Option)]
    records = [option.get_help_record(verb) for option in options]
    return [(flags, " ".join(words.split())) for flags, words in filter(None, records)]


def _name(flags: str) -> str:
    """``--duration`` of ``-d, --duration, --for TIME``."""
    return next(word for word in re.split(r"[ ,]+", flags) if word.startswith("--"))


def _by_name(record: tuple[str, str]) -> tuple[str, str]:
    return _name(record[0]), record[1]


def _paragraphs(command: click.Command) -> Iterator[str]:
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield ".PP"
        yield from (_escaped(line) for line in paragraph.replace("\b\n", "").splitlines())


def _listed(records: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, words in records:
        yield from (".TP", rf"\fB{_escaped(name)}\fR", _escaped(words))


def _escaped(text: str) -> str:
    r"""Text that roff sets as it is: ``\`` and ``-`` mean something to it, and so does a dot that begins a line."""
    escaped = text.replace("\\", r"\(rs").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
