"""The first piece of each kind, against which those that follow are compressed: of these only what differs remains."""

from __future__ import annotations

from memdash.errors import Corrupt
from memdash.recording.codec import compressed, content, decompressed
from memdash.recording.database import Database
from memdash.recording.kept import Kept
from memdash.recording.shapes import Plain

__all__ = ["Alike"]

_KEPT = 6


class Alike:
    """Those of one database; ``kept`` are held in memory for whoever reads many pieces. Raises RecordingError."""

    def __init__(self, database: Database, kept: int = _KEPT) -> None:
        self._database = database
        self._kept = Kept[int, bytes](kept, len)

    def encoded(self, run: int, kind: str, tree: Plain) -> tuple[int, bytes]:
        """The number of the first of a kind in a run, which may be this one, and ``tree`` compressed against it."""
        rows = self._database.rows("SELECT id, data FROM alike WHERE run = ? AND kind = ? LIMIT 1", run, kind)
        if rows:
            return rows[0][0], compressed(tree, base=decompressed(rows[0][1]))
        number = self._database.run("INSERT INTO alike (run, kind, data) VALUES (?, ?, ?)", run, kind, compressed(tree))
        return number, compressed(tree, base=content(tree))

    def of(self, number: int) -> bytes:
        """What the pieces that name this number were compressed against."""
        return self._kept.get(number, lambda: self._read(number))

    def _read(self, number: int) -> bytes:
        rows = self._database.rows("SELECT data FROM alike WHERE id = ?", number)
        if not rows:
            raise Corrupt("what a piece of this recording was compressed against is gone")
        return decompressed(rows[0][0])
