"""Whether a process and its parent are of one program, and what a process says that it is for.

A master and its workers are one program; a shell, a terminal or a service manager and what it started are not. A fork
that has not exec'ed keeps its parent's stack, to the address: that is certain, whatever it calls itself since. For
others the executable decides, and of an interpreter the script that it runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from memdash.process.keepers import is_keeper
from memdash.process.stat import Stat

__all__ = ["Seen", "is_kin", "role"]

_INTERPRETER = re.compile(
    r"(python|pypy|ruby|perl|php|lua|node|nodejs|deno|bun|java|beam\.smp|busybox|toybox|coreutils)[\d.]*t?"
)
_CODE, _MODULE = ("-c", "-e"), "-m"
_TAKES_A_VALUE = frozenset({"-W", "-X", "-r", "--require", "--import"})

_STARTERS = ("multiprocessing", "spawn_main", "loky.backend")
"""In what a Python runs, these tell a worker that its parent started through a library and not as a program."""

_LIBRARY_ROLES = (
    ("resource_tracker", "multiprocessing resource tracker"),
    ("semaphore_tracker", "multiprocessing resource tracker"),
    ("forkserver", "multiprocessing fork server"),
    ("spawn_main", "multiprocessing worker (spawn)"),
    ("loky.backend", "loky worker"),
)
_FORK_SERVER = _LIBRARY_ROLES[2][1]
_ROLE_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a process showed. ``exe`` is empty and ``exe_id`` (0, 0) where the kernel does not tell."""

    pid: int
    stat: Stat
    argv: tuple[str, ...]
    exe: str = ""
    exe_id: tuple[int, int] = (0, 0)

    @property
    def is_keeper(self) -> bool:
        """Its job is to start other programs, which do not belong to it."""
        return is_keeper(self.stat.name, self.exe)


def is_kin(child: Seen, parent: Seen) -> bool:
    """Whether ``child`` belongs to the program that ``parent`` is."""
    if parent.is_keeper or parent.stat.start_ticks > child.stat.start_ticks:
        return False
    if not any(child.exe_id) or not any(parent.exe_id):
        return _look_alike(child, parent)
    if child.exe_id != parent.exe_id:
        return False
    if _is_fork(child, parent) or not _INTERPRETER.fullmatch(PurePath(child.exe).name):
        return True
    return _program(child.argv) == _program(parent.argv) or any(word in _code(child.argv) for word in _STARTERS)


def role(member: Seen, parent: Seen | None) -> str:
    """What it was started for: its title, its part in a library, or its arguments; at most 200 characters.

    ``parent`` is None for the root of a tree.
    """
    if _is_title(member.argv):
        return member.argv[0].strip()[:_ROLE_AT_MOST]
    code = _code(member.argv)
    part = next((words for word, words in _LIBRARY_ROLES if word in code), "")
    if parent is not None and member.argv == parent.argv and (_is_fork(member, parent) or not member.stat.stack_start):
        return "multiprocessing worker (forkserver)" if part == _FORK_SERVER else f"forked from {parent.pid}"
    return part or _short(member.argv) or member.stat.name


def _is_fork(child: Seen, parent: Seen) -> bool:
    return child.stat.stack_start == parent.stat.stack_start != 0


def _look_alike(child: Seen, parent: Seen) -> bool:
    """All there is to go by of another user's: the same command line, or titles of one program."""
    if _is_title(child.argv) and _is_title(parent.argv):
        return child.argv[0].partition(":")[0] == parent.argv[0].partition(":")[0]
    return bool(child.argv) and child.argv == parent.argv


def _is_title(argv: tuple[str, ...]) -> bool:
    """Whether the program has written words of its own over its arguments: ``gunicorn: worker [shop]``."""
    return len(argv) == 1 and " " in argv[0].strip()


def _program(argv: tuple[str, ...]) -> tuple[str, ...]:
    """What an interpreter was told to run: a script, or ``-m`` and a module, or ``-c`` and code."""
    words = iter(argv[1:])
    for word in words:
        if word in _CODE or word == _MODULE:
            return (word, next(words, ""))
        if word in _TAKES_A_VALUE:
            next(words, "")
        elif not word.startswith("-"):
            return (word,)
    return ()


def _code(argv: tuple[str, ...]) -> str:
    """The code or the module that an interpreter was told to run in place of a script, if it was."""
    program = _program(argv)
    return program[1] if len(program) > 1 else ""


def _short(argv: tuple[str, ...]) -> str:
    """The command line without an interpreter and without the folder of what is run."""
    words = list(argv)
    if len(words) > 1 and _INTERPRETER.fullmatch(PurePath(words[0]).name):
        del words[0]
    if words and not words[0].startswith("-"):
        words[0] = PurePath(words[0]).name
    return " ".join(words)[:_ROLE_AT_MOST]
