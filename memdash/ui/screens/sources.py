"""Words about source files that are not, or not certainly, those that run."""

from __future__ import annotations

from memdash.model.missing import Maybe, Missing
from memdash.pprof.source import SourceFile
from memdash.pprof.taken import Files

__all__ = ["WITHOUT_FILE", "doubts"]

WITHOUT_FILE = Missing("no source file is known for it")

_CLOCK_SLACK_S = 1.0


def doubts(source: Maybe[SourceFile], files: Files) -> str:
    """Why there is no text, or why it may not be what runs; empty when it should be."""
    if isinstance(source, Missing):
        return source.words
    if files.since_s and source.written_s > files.since_s + _CLOCK_SLACK_S:
        return "the file has changed since the program started"
    return ""
