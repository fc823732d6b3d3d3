"""A profile that was taken from somewhere, and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.pprof.document import Document

__all__ = ["Files", "TakenProfile"]


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files that a profile names are: ``root`` goes before their paths, relative ones are in ``folder``."""

    root: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class TakenProfile:
    """A profile, what a person should know about it (words for the terminal), and where its source files are."""

    document: Document
    notes: tuple[str, ...] = ()
    files: Files = Files()
