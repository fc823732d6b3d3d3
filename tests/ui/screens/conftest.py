"""Sources for the sites of the usual watch, and their courses; a folder to save files in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from memdash.config import SourcePath
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot
from memdash.sampling.courses import CourseKeeper
from tests.fakes import NOON_S
from tests.ui.conftest import MONO_S, Shown

STORE = "shop/cart/store.go"
"""Where the first site of the usual watch stands, below the folder of sources."""

_STORE_LINES = (
    "func (s *Store) Add(user string, item Item) error {",
    "\ts.mu.Lock()",
    "\tdefer s.mu.Unlock()",
    "\tif !s.known(user) {",
    "\t\t// a cart of its own",
    "\t\ts.items[user] = append(s.items[user], item.Clone())",
    "\t}",
    "\treturn nil",
    "}",
)
_FIRST = 113
"""So that the site's line, 118, is the one that clones."""


class Sources:
    """A folder of files as the sites of the usual watch name them, older than the program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = SourcePath((str(folder),), ("/src",))

    def write(self, name: str, lines: Sequence[str], *, written_s: float = NOON_S - 86_400) -> Path:
        """A file below the folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
        os.utime(file, (written_s, written_s))
        return file


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """With the file of the first site."""
    made = Sources(tmp_path)
    made.write(STORE, ["package cart", *("" for _ in range(_FIRST - 2)), *_STORE_LINES])
    return made


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without a folder is that of a file in ``tmp_path``."""
    monkeypatch.chdir(tmp_path)


async def saved(shown: Shown, key: str, path: str) -> None:
    """Ask for it, name the file if it shall have another name, and wait for what comes of it."""
    await shown.press(key)
    if path:
        shown.app.screen.query_one(Input).value = path
    await shown.press("enter")
    await shown.built()


def followed(watch: Snapshot, seconds: int = 240) -> Snapshot:
    """The watch with courses: every row has grown from half of what it is over so many seconds."""
    keepers = {capability: CourseKeeper() for capability in (Capability.SITES, Capability.OBJECTS, Capability.TASKS)}
    groups = () if isinstance(watch.groups, Missing) else watch.groups
    objects = () if isinstance(watch.objects, Missing) else watch.objects
    tasks = () if isinstance(watch.tasks, Missing) else watch.tasks
    for second in range(seconds + 1):
        at, share = Instant(NOON_S - seconds + second, MONO_S - seconds + second), 0.5 + 0.5 * second / seconds
        keepers[Capability.SITES].add(at, {row.frame: round(row.usage.inuse_bytes * share) for row in groups})
        keepers[Capability.OBJECTS].add(at, {row.now.name: round(row.now.held_bytes * share) for row in objects})
        keepers[Capability.TASKS].add(at, {row.key: round(row.count * share) for row in tasks})
    return replace(watch, courses={capability: keeper.view() for capability, keeper in keepers.items()})
