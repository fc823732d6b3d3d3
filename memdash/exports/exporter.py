"""What an exporter is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, Protocol

from memdash.model.snapshot import Snapshot

__all__ = ["Exporter"]


class Exporter(Protocol):
    """One format. ``suffix`` is the usual end of a file name, with its dot."""

    @property
    def name(self) -> str:
        """Stable name: ``json``."""

    @property
    def suffix(self) -> str:
        """``.json``."""

    def write(self, snapshots: Iterable[Snapshot], out: BinaryIO) -> None:
        """Write them one after the other. Raises OSError."""
