"""The formats of a report, by name and by the end of a file's name; each is imported alone, when it is wanted."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath

from memdash.errors import UsageError
from memdash.exports.exporter import Exporter

__all__ = ["FORMATS", "exporter", "exporter_for"]

FORMATS = {"text": ".txt", "json": ".json", "markdown": ".md", "html": ".html"}
"""What each is called, which is also its module, and the end of its files' names."""

_SUFFIXES = {suffix: name for name, suffix in FORMATS.items()} | {".htm": "html", ".markdown": "markdown"}


def exporter(name: str) -> Exporter:
    """The exporter of one of the ``FORMATS``."""
    found: Exporter = getattr(import_module(f"memdash.exports.{name}"), name.upper())
    return found


def exporter_for(path: PurePath) -> Exporter:
    """The one that the end of a file's name asks for. Raises UsageError when it asks for none."""
    name = _SUFFIXES.get(path.suffix.lower())
    if name is None:
        *most, last = FORMATS.values()
        raise UsageError(
            f"{path.name} does not say in which format", f"let its name end in {', '.join(most)} or {last}"
        )
    return exporter(name)
