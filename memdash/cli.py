"""argv to command, and the only place where an error becomes words on stderr and an exit code.

    0 ok · 1 a finding, or nothing could be read · 2 usage · 3 no such target · 4 not permitted · 5 target ended early ·
    70 memdash itself went wrong · 130 interrupted

``run`` and ``demo`` pass on the code of what they started; a program killed by signal N gives 128 + N, as in a shell.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from memdash.commands import VERBS
from memdash.commands.output import help_written
from memdash.errors import MemdashError, UsageError, defect_of
from memdash.network.address import is_url, require_scheme
from memdash.plain import plain
from memdash.spelling import nearest

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["main"]

_LINE_BEGINS, _LINE_ENDS = 300, 150
"""Characters that are told of a line which quotes more than anybody reads: where it was found, and what is wrong."""


class _Verbs(click.Group):
    """The verbs, imported when chosen. What names none is meant for the dashboard, or is a command to run."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        verb: click.Command = import_module(f"memdash.commands.{name}").command
        return verb

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return help_written(super().get_help_option(ctx))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _with_verb(args, completing=ctx.resilient_parsing))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete verbs; after a dash, the dashboard's options."""
        watch = self.get_command(ctx, "watch") if incomplete.startswith("-") else None
        return watch.shell_complete(ctx, incomplete) if watch else super().shell_complete(ctx, incomplete)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the dashboard's options too: they may follow ``memdash`` without a verb."""
        watch = self.get_command(ctx, "watch")
        if watch is not None:
            with formatter.section("Dashboard options"):
                options = [param for param in watch.params if isinstance(param, click.Option)]
                formatter.write_dl([row for option in options if (row := option.get_help_record(ctx))])
        self.format_commands(ctx, formatter)


def _with_verb(args: list[str], completing: bool) -> list[str]:
    """Put in the verb that is left out: ``watch`` before a pid, options or nothing, ``run`` when there is a ``--``."""
    first = args[0] if args else ""
    if first in VERBS or first in ("-h", "--help") or (completing and not args):
        return args
    if first == "--version":
        return ["version"]
    if first and not first.startswith("-") and not first.isdecimal() and not is_url(first):
        from memdash.commands.replayed import recorded

        if recorded(first) is not None:
            return ["replay", *args]
        if not first[0].isdigit():
            raise _no_verb(first)
    return ["run" if "--" in args else "watch", *args]


def _no_verb(word: str) -> UsageError:
    """What is wrong with a word that is no verb, and nothing else that may stand there."""
    require_scheme(word)
    guess = nearest(word, VERBS)
    hint = (
        f"did you mean memdash {guess}?" if guess else f"memdash --name {word} watches it, memdash -- {word} starts it"
    )
    return UsageError(f"there is no command {word!r}", hint)


@click.command(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="",
    subcommand_metavar="[PID | URL | --name TEXT | -- COMMAND ... | VERB]",
)
def _root() -> None:
    """Watch the memory of one running process, live and from outside.

    Without a PID it lets you pick one. Nothing has to be prepared in the process, and it is only read.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; never raises."""
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        code = _invoked(words)
        if sys.stdout is not None:
            sys.stdout.flush()
    except MemdashError as error:
        return _tell(error.what, error.hint, error.exit_code)
    except click.ClickException as error:
        return _tell(*_of_click(error, words))
    except click.exceptions.Exit as done:
        return done.exit_code
    except SystemExit as done:  # a signal, or the shell has got its completions
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        return _closed_pipe()
    except Exception as error:  # noqa: BLE001 - the last resort: a defect ends in one line too
        defect = defect_of(error)
        return _tell(defect.what, defect.hint, defect.exit_code)
    return code if isinstance(code, int) else 0


def _invoked(argv: list[str]) -> object:
    """What the verb returned. Click's own ``main`` answers a shell that completes; else it would hide a closed pipe."""
    if "_MEMDASH_COMPLETE" in os.environ:
        return _root.main(argv, "memdash")
    with _root.make_context("memdash", argv) as ctx:
        return _root.invoke(ctx)


def _tell(what: str, hint: str, code: int) -> int:
    with contextlib.suppress(OSError):  # with stderr closed too, the code is all that is left to say
        click.echo(f"memdash: {_shortened(plain(what))}", err=True)
        if hint:
            click.echo(f"  try: {_shortened(plain(hint))}", err=True)
    return code


def _shortened(line: str) -> str:
    if len(line) <= _LINE_BEGINS + _LINE_ENDS:
        return line
    return f"{line[:_LINE_BEGINS]}…{line[-_LINE_ENDS:]}"


def _of_click(error: click.ClickException, argv: Sequence[str]) -> tuple[str, str, int]:
    """Put an error of click's into our form: no capital, no final stop, where to look."""
    message = error.format_message().strip().rstrip(".")
    what = message[:1].lower() + message[1:]
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    usual = f"see {ctx.command_path} --help" if ctx else UsageError.default_hint
    ours = argv[: argv.index("--")] if "--" in argv else argv  # what follows are the words of a command to start
    meant = _running(ctx, error) or _meant(ctx, ours) if ctx else ""
    return what, meant or usual, UsageError.exit_code


def _running(ctx: click.Context, error: click.ClickException) -> str:
    """For whom an option is that a command to start has not: for a process, as its port is not known before."""
    flag = error.option_name if isinstance(error, click.NoSuchOption) and ctx.info_name == "run" else ""
    watch = import_module("memdash.commands.watch").command if flag else None
    if watch is None or all(flag not in param.opts for param in watch.params):
        return ""
    return f"{flag} is for a process that runs already: memdash watch --help shows how"


def _meant(ctx: click.Context, argv: Sequence[str]) -> str:
    """What a person may have meant who puts options first, or writes them with one dash as for go tool pprof."""
    flags = {flag for param in ctx.command.params for flag in param.opts if flag.startswith("--")}
    for word in argv:
        name, is_given, value = word.partition("=")
        flag = f"-{name}".replace("_", "-")
        if name.startswith("-") and flag in flags:
            return f"did you mean {flag}{is_given}{value}?"
    verb = next((word for word in argv if word in VERBS), "")
    if verb and argv[0].startswith("-"):
        return f"options come after the command: memdash {verb} --help shows how"
    return ""


def _closed_pipe() -> int:
    """Whoever read our output has had enough: leave as SIGPIPE would have it, and let nothing be flushed at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE
