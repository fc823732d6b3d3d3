"""The layout files: one JSON file a Go minor, one line a struct and a recipe, so that a new release shows as a diff."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from memdash.probes.go.layouts.layout import Layout, Recipe
from memdash.process.struct_type import StructType

__all__ = ["FOLDER", "dump", "load", "minors"]

FOLDER = Path(__file__).parent


def _path(minor: int, folder: Path) -> Path:
    return folder / f"go1.{minor}.json"


@cache
def minors() -> tuple[int, ...]:
    """The minors that have a file, lowest first: 27 stands for Go 1.27."""
    found = (re.fullmatch(r"go1\.(\d+)\.json", path.name) for path in FOLDER.iterdir())
    return tuple(sorted(int(match[1]) for match in found if match))


@cache
def load(minor: int, folder: Path = FOLDER) -> Layout | None:
    """The layout of Go 1.``minor``, or None when there is no file for it. Some 1.5 ms, once a minor."""
    try:
        text = _path(minor, folder).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    content = json.loads(text)
    functions: list[str] = content["functions"]
    return Layout(
        go_version=content["go_version"],
        structs={name: StructType(size, offsets) for name, (size, offsets) in content["structs"].items()},
        constants=content["constants"],
        wait_reasons=tuple(content["wait_reasons"]),
        size_classes=tuple(content["size_classes"]),
        recipes={
            symbol: tuple(
                Recipe(functions[function], offset, tail, addend, bytes.fromhex(opcode))
                for function, offset, tail, addend, opcode in rows
            )
            for symbol, rows in content["recipes"].items()
        },
    )


def dump(layout: Layout, minor: int, folder: Path = FOLDER) -> Path:
    """Write the file of Go 1.``minor``; the same layout always gives the same bytes."""
    functions = sorted({recipe.function for rows in layout.recipes.values() for recipe in rows})
    index = {name: number for number, name in enumerate(functions)}
    members = {
        "go_version": _one_line(layout.go_version),
        "structs": _lines({name: [struct.size, dict(struct.offsets)] for name, struct in layout.structs.items()}),
        "constants": _one_line(dict(layout.constants)),
        "wait_reasons": _one_line(layout.wait_reasons),
        "size_classes": _one_line(layout.size_classes),
        "functions": _lines(functions),
        "recipes": _lines(
            {
                symbol: [[index[function], *numbers, opcode.hex()] for function, *numbers, opcode in rows]
                for symbol, rows in layout.recipes.items()
            }
        ),
    }
    path = _path(minor, folder)
    path.write_text("{\n" + ",\n".join(f'"{key}": {text}' for key, text in members.items()) + "\n}\n", encoding="utf-8")
    return path


def _one_line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _lines(value: dict[str, Any] | list[str]) -> str:
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"{_one_line(key)}:{_one_line(item)}" for key, item in value.items()) + "\n}"
    return "[\n" + ",\n".join(map(_one_line, value)) + "\n]"
