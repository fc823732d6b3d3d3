"""The texts that get into a target: the agent with all that it needs to know, in one statement."""

from __future__ import annotations

from pathlib import Path

__all__ = ["agent_text", "customize_text", "guarded_text"]

_HERE = Path(__file__).parent
_LATE_ANNOTATIONS = "from __future__ import annotations\n"
_AROUND = """\
try:
 try:exec(compile({!a},'<memdash>','exec'),{{'__name__':'memdash_guard'}})
 except KeyboardInterrupt:(lambda t:t.start_new_thread(t.interrupt_main,()))(__import__('_thread'))
except:0
"""
"""Whatever builtins are left to it, and whatever memory: it fails in silence."""


def agent_text(path: str, token: str, *, follows_forks: bool) -> str:
    """A program in ASCII that starts the agent and leaves no name behind, wherever it is run. Raises nothing there.

    ``path`` is that of memdash's socket as the target sees it. May be run more than once: an agent that runs stays.
    """
    inside, answers = (_inside_text(name) for name in ("inside.py", "answers.py"))
    start = f"start({path!r}, {token!r}, {answers!r}, {follows_forks})\n"
    return guarded_text(inside + start, path)


def guarded_text(text: str, path: str) -> str:
    """The same for any text of ours."""
    return _AROUND.format(f"{_inside_text('guard.py')}guarded({text!r}, {path!r})\n")


def customize_text() -> str:
    """What a program that memdash starts imports as ``sitecustomize``."""
    return (_HERE / "customize.py").read_text(encoding="utf-8")


def _inside_text(name: str) -> str:
    """The guard does without what a ``__future__`` would import."""
    return (_HERE / name).read_text(encoding="utf-8").replace(_LATE_ANNOTATIONS, "\n", 1)
