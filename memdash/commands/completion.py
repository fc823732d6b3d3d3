"""``memdash completion``: what makes a shell complete verbs, options and pids."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from memdash.commands.options import Verb
from memdash.commands.output import write_lines

__all__ = ["command"]

_SETUP = """\b
bash  echo 'eval "$(memdash completion bash)"' >> ~/.bashrc
zsh   echo 'eval "$(memdash completion zsh)"' >> ~/.zshrc
fish  memdash completion fish > ~/.config/fish/completions/memdash.fish"""


@click.command(cls=Verb, short_help="Shell completion for bash, zsh or fish.", epilog=_SETUP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    kind = get_completion_class(shell)
    if kind is not None:
        write_lines([kind(ctx.find_root().command, {}, "memdash", "_MEMDASH_COMPLETE").source()])
