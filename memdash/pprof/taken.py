"""A profile that was taken from somewhere, and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.pprof.document import Document

__all__ = ["Files", "TakenProfile"]


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files that a profile names are: ``root`` goes before their paths, relative ones are in ``folder``.

    What was written after ``since_s`` (Unix time; 0 when it is not known) may not be what runs.
    """

    root: str = ""
    folder: str = ""
    since_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TakenProfile:
    """A profile, what a person should know about it (words for the terminal), and where its source files are."""

    document: Document
    notes: tuple[str, ...] = ()
    files: Files = Files()
