"""The texts that get into a target: the agent with all that it needs to know, in one expression."""

from __future__ import annotations

from pathlib import Path

__all__ = ["agent_text", "customize_text"]

_HERE = Path(__file__).parent


def agent_text(path: str, token: str, *, follows_forks: bool) -> str:
    """A program of one line, in ASCII, that starts the agent and leaves no name behind, wherever it is run.

    ``path`` is that of memdash's socket as the target sees it. May be run more than once: an agent that runs stays.
    """
    inside, answers = ((_HERE / name).read_text(encoding="utf-8") for name in ("inside.py", "answers.py"))
    call = f"start({path!r}, {token!r}, {answers!r}, {follows_forks})\n"
    return f"exec(compile({inside + call!a}, '<memdash>', 'exec'), {{'__name__': 'memdash_agent'}})\n"


def customize_text() -> str:
    """What a program that memdash starts imports as ``sitecustomize``."""
    return (_HERE / "customize.py").read_text(encoding="utf-8")
