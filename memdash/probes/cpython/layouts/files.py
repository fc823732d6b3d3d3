"""The layout files: one JSON file a CPython minor, one line a member, so that a new release shows as a diff."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from memdash.probes.cpython.layouts.layout import Layout
from memdash.process.struct_type import StructType

__all__ = ["FOLDER", "dump", "load", "minors"]

FOLDER = Path(__file__).parent


def _path(minor: int, folder: Path) -> Path:
    return folder / f"cpython3.{minor}.json"


@cache
def minors() -> tuple[int, ...]:
    """The minors that have a file, lowest first: 13 stands for CPython 3.13."""
    found = (re.fullmatch(r"cpython3\.(\d+)\.json", path.name) for path in FOLDER.iterdir())
    return tuple(sorted(int(match[1]) for match in found if match))


@cache
def load(minor: int, folder: Path = FOLDER) -> Layout | None:
    """The layout of CPython 3.``minor``, or None when there is no file for it. Some 0.2 ms, once a minor."""
    try:
        text = _path(minor, folder).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    content = json.loads(text)
    return Layout(
        version=content["version"],
        structs={name: StructType(kind["size"], kind["members"]) for name, kind in content["structs"].items()},
        constants=content["constants"],
    )


def dump(layout: Layout, minor: int, folder: Path = FOLDER) -> Path:
    """Write the file of CPython 3.``minor``; the same layout always gives the same bytes."""
    structs = {name: {"size": kind.size, "members": dict(kind.offsets)} for name, kind in layout.structs.items()}
    content = {"version": layout.version, "structs": structs, "constants": dict(layout.constants)}
    path = _path(minor, folder)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path
