"""What an exporter is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from memdash.model.snapshot import Snapshot

__all__ = ["Exporter", "parted"]


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format: ``pieces`` gives the text of all snapshots bit by bit, with its line ends."""

    pieces: Callable[[Iterable[Snapshot]], Iterable[str]]

    def write(self, snapshots: Iterable[Snapshot], out: BinaryIO) -> None:
        """Write them one after the other, as UTF-8. Raises OSError."""
        out.writelines(piece.encode() for piece in self.pieces(snapshots))

    def bytes_of(self, snapshot: Snapshot) -> bytes:
        """What is written of one."""
        return "".join(self.pieces([snapshot])).encode()


def parted(lines: Callable[[Snapshot], Iterator[str]], by: str) -> Exporter:
    """The exporter of a format that is written in ``lines``; ``by`` stands between two snapshots."""

    def pieces(snapshots: Iterable[Snapshot]) -> Iterator[str]:
        for number, snapshot in enumerate(snapshots):
            text = "\n".join(lines(snapshot))
            yield f"{by if number else ''}{text}\n"

    return Exporter(pieces)
