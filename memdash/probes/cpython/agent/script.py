"""The texts that get into a target: the agent with all that it needs to know, in two steps."""

from __future__ import annotations

from pathlib import Path

from memdash.probes.cpython.library import OURS

__all__ = ["agent_text", "customize_text", "first_text", "guarded_text"]

_HERE = Path(__file__).parent
_LATE_ANNOTATIONS = "from __future__ import annotations\n"
_AROUND = """\
try:
 try:exec(compile({!a},{!r},'exec'),{{}})
 except KeyboardInterrupt:(lambda t:t.start_new_thread(t.interrupt_main,()))(__import__('_thread'))
except:0
"""
"""Whatever builtins are left to it, and whatever memory: it fails in silence."""

_FIRST = """\
import _signal
before=_signal.pthread_sigmask(0,_signal.valid_signals()-{{4,6,7,8,11}})
try:
 with __import__('io').open({!r},'rb') as file:text=file.read()
 exec(compile(text,{!r},'exec'),{{'__name__':'memdash_guard','before':before}})
finally:_signal.pthread_sigmask(2,before)
"""
"""Short, since a handler that raises before it has begun is not heard of: SIG_BLOCK all but faults, SIG_SETMASK."""


def first_text(rest: str) -> str:
    """A program in ASCII that runs the text in the file ``rest`` and leaves no name behind, wherever it is run.

    Raises nothing there. May be run more than once: an agent that runs stays.
    """
    return _AROUND.format(_FIRST.format(rest, OURS), OURS)


def agent_text(path: str, token: str, place: str, *, follows_forks: bool) -> str:
    """The rest: the agent. ``path`` is that of the socket, ``place`` of the directory, as the target sees them."""
    inside, answers, sampler = (_inside_text(name) for name in ("inside.py", "answers.py", "../sampler/glue.py"))
    answers += f"\nPLACE, SAMPLER = {place!r}, {sampler!r}\n"
    start = f"start({path!r}, {token!r}, {answers!r}, {follows_forks})\n"
    return guarded_text(inside + start, path)


def guarded_text(text: str, path: str) -> str:
    """The same for any text of ours."""
    return f"{_inside_text('guard.py')}guarded({text!r}, {path!r}, before)\n"


def customize_text() -> str:
    """What a program that memdash starts imports as ``sitecustomize``."""
    return (_HERE / "customize.py").read_text(encoding="utf-8")


def _inside_text(name: str) -> str:
    """The guard does without what a ``__future__`` would import."""
    return (_HERE / name).read_text(encoding="utf-8").replace(_LATE_ANNOTATIONS, "\n", 1)
