"""What a profile verb is pointed at: a file, standard input, a process or a server that is asked once, a recording.

To add a kind of source, recognise it in ``profile_from``.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from memdash.commands.output import is_terminal, tell
from memdash.commands.replayed import Recorded, recorded
from memdash.config import parse_pid
from memdash.errors import BadProfile, MemdashError, UsageError
from memdash.files import is_seen
from memdash.network.address import Address, is_url, require_scheme

if TYPE_CHECKING:
    from memdash.pprof.document import Document
    from memdash.pprof.taken import TakenProfile

__all__ = ["SOURCE", "STDIN", "complete_source", "is_process", "profile_from"]

SOURCE = "PROFILE|-|PID|URL|FILE.mdr[@TIME]"
"""How help names the argument."""

STDIN = "-"
"""As an argument: the profile is what is piped in."""

_PIPED = "curl -s http://host:6060/debug/pprof/heap | memdash top -"

_LOOKED_AT = 512
_NO_PROFILE = "this is not a profile"
"""How ``pprof.records`` begins what it says of bytes that are none."""


def profile_from(argument: str, run: int | None = None) -> TakenProfile:
    """Read the profile that ``argument`` means: the path of a file, a pid, or a URL as ``go tool pprof`` takes it.

    ``-`` is what is piped in; a file of that name is ``./-``.

    Of a recording it is that of a moment of its ``run``. Raises UsageError, BadProfile, RecordingError, for a process
    what reading it raises, for a URL EndpointUnreachable and BadAnswer.
    """
    from memdash.pprof.taken import TakenProfile

    if argument == STDIN:
        return TakenProfile(_of_stdin())
    if is_url(argument):
        return TakenProfile(_of_url(argument))
    if is_process(argument):
        return _of_process(parse_pid(argument))
    if (file := recorded(argument)) is not None:
        return _told(_of_recording(file, run))
    path = Path(argument)
    if not is_seen(path):
        require_scheme(argument)
    return TakenProfile(_of_file(path))


def is_process(argument: str) -> bool:
    """Whether that means a pid: a file that is called like a number goes before it."""
    return argument.isascii() and argument.isdecimal() and not Path(argument).is_file()


def _of_process(pid: int) -> TakenProfile:
    from memdash.commands.denials import denials_told
    from memdash.process.identity import identify
    from memdash.session.profiles import take_profile

    target = identify(pid)
    with denials_told(target):
        return _told(take_profile(target))


def _of_recording(file: Recorded, run: int | None) -> TakenProfile:
    from memdash.session.profiles import profile_of

    with file.moment(run) as snapshot:
        return profile_of(snapshot)


def _told(taken: TakenProfile) -> TakenProfile:
    """The same profile, of which all that is to be known has been said."""
    for note in taken.notes:
        tell(note)
    return taken


def _of_url(url: str) -> Document:
    from memdash.session.profiles import profile_at

    return profile_at(Address.parse(url))


def _of_file(path: Path) -> Document:
    from memdash.pprof.records import MOST_BYTES

    try:
        with path.open("rb") as file:
            if stat.S_IFMT(path.stat().st_mode) not in (stat.S_IFREG, stat.S_IFIFO):
                raise UsageError(f"{path} is not a file", "name a profile, or the pid of a process")
            content = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, ValueError):  # a NUL in the path
        raise UsageError(f"there is no file {str(path)!r}", "name a profile, or the pid of a process") from None
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}", "name a profile, or a pid") from None
    return _decoded(content, str(path))


def _of_stdin() -> Document:
    from memdash.pprof.records import MOST_BYTES

    if sys.stdin is None or is_terminal(sys.stdin):
        where = "closed" if sys.stdin is None else "a terminal"
        raise UsageError(f"no profile can be read from standard input: it is {where}", _PIPED)
    try:
        content = sys.stdin.buffer.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"standard input: {(error.strerror or str(error)).lower()}", _PIPED) from None
    return _decoded(content, "standard input")


def _decoded(content: bytes, name: str) -> Document:
    """The profile in ``content``; an error says what that is called. Raises BadProfile."""
    from memdash.pprof.decode import decode

    try:
        return decode(content)
    except BadProfile as error:
        is_text = error.what.startswith(_NO_PROFILE) and _is_text(content)
        what = f"{_NO_PROFILE}: it is text" if is_text else error.what
        raise BadProfile(f"{name}: {what}", error.hint) from None


def _is_text(content: bytes) -> bool:
    try:
        return all(char.isprintable() or char.isspace() for char in content[:_LOOKED_AT].decode("ascii"))
    except UnicodeDecodeError:
        return False


def complete_source(ctx: click.Context, param: click.Parameter, incomplete: str) -> Sequence[CompletionItem]:
    """Offer pids, and have the shell offer files."""
    offered: list[CompletionItem] = []
    if not incomplete or incomplete.isdecimal():
        from memdash.commands.target import pids  # 10 ms, wanted when a shell asks

        try:
            offered = list(pids(ctx, param, incomplete))
        except MemdashError:
            offered = []
    return [*offered, CompletionItem(incomplete, type="file")]
