"""The rules of the house that a machine can check."""

import ast
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from importlinter.cli import lint_imports

from memdash.commands import VERBS
from memdash.config_file import load_file
from memdash.ui.commands import COMMANDS

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "memdash").rglob("*.py"))
PACKAGES = [source for source in SOURCES if source.name == "__init__.py"]


ROOM_PLATES = [package for package in PACKAGES if len(package.relative_to(ROOT).parts) == 3]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def parsed(source: Path) -> ast.Module:
    return ast.parse(source.read_text(encoding="utf-8"))


def plate(package: Path) -> str:
    return ast.get_docstring(parsed(package)) or ""


def test_imports_only_look_down(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code = lint_imports(config_filename="pyproject.toml", cache_dir=None)
    assert code == 0, capfd.readouterr().out


def test_every_package_says_what_lives_in_it() -> None:
    silent = [name(package) for package in PACKAGES if not plate(package)]
    assert silent == [], "a package needs a docstring: what lives here, what it may import, how to add one"


def test_every_room_has_a_door_plate() -> None:
    halves = ("Lives here", "May import")
    assert [
        name(room) for room in ROOM_PLATES if not all(half in " ".join(plate(room).split()) for half in halves)
    ] == []


def test_a_door_plate_names_every_module_behind_it() -> None:
    assert {name(package): missing for package in PACKAGES if (missing := unnamed(package))} == {}


def unnamed(package: Path) -> set[str]:
    """The modules behind it that its plate says nothing of; verbs are named in ``VERBS`` instead."""
    behind = {path.stem for path in package.parent.glob("*.py")}
    behind |= {path.parent.name for path in package.parent.glob("*/__init__.py")}
    named = set(re.findall(r"(?:``(\w+)``|(\w+)\.py\b)", plate(package)))
    plates = {word for words in named for word in words} | {"__init__", "__main__"}
    return behind - plates - (set(VERBS) if package.parent.name == "commands" else set())


ROOMS = {source.relative_to(ROOT).parts[1].removesuffix(".py") for source in SOURCES} - {"__init__", "__main__"}


def run_by(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The statements there and in them, but for those that only a type checker reads."""
    for node in body:
        yield node
        is_checked = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for part in ("orelse",) if is_checked else ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from run_by(getattr(node, part, ()))


def imported(source: Path) -> set[str]:
    """The rooms that a module takes something from when it runs."""
    names = set[str]()
    for node in run_by(parsed(source).body):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("memdash.")} & ROOMS


def test_a_door_plate_names_every_room_that_is_used() -> None:
    hidden = {}
    for room in ROOM_PLATES:
        allowed = " ".join(plate(room).split()).partition("May import: ")[2].partition(". ")[0]
        if not allowed.startswith("everything below"):
            used = set[str]().union(*map(imported, room.parent.rglob("*.py"))) - {room.parent.name}
            hidden[name(room)] = used - set(re.findall(r"``(\w+)``", allowed))
    assert {room: used for room, used in hidden.items() if used} == {}


@pytest.mark.parametrize("folder", ["memdash", "tests"])
def test_no_file_has_more_than_one_job(folder: str) -> None:
    long = {
        name(path): lines
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long


def test_what_a_module_gives_out_is_documented() -> None:
    assert {name(source): silent for source in SOURCES if (silent := undocumented(source))} == {}


def undocumented(source: Path) -> list[str]:
    """What is public in a module and says nothing."""
    tree = parsed(source)
    given: list[str] = next(
        (
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "__all__"
        ),
        [],
    )
    public = [node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name in given]
    return [node.name for node in public if not ast.get_docstring(node)]


def test_the_wheel_holds_everything_that_is_needed(tmp_path: Path) -> None:
    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    data = [
        path
        for path in (ROOT / "memdash").rglob("*")
        if path.suffix in (".tcss", ".css", ".json", ".go", ".mod", ".typed")
    ]
    assert {path.suffix for path in data} == {".tcss", ".css", ".json", ".go", ".mod", ".typed"}
    assert {name(path) for path in (*data, *SOURCES)} <= held
    assert not [entry for entry in held if entry.startswith("tests")]


README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_verb() -> None:
    unsaid = {"watch", "run", "version"}  # the first two are written without their name, the third needs no words
    assert [verb for verb in VERBS if verb not in unsaid and f"memdash {verb}" not in README] == []


def test_the_readme_names_the_keys_that_there_are() -> None:
    section = README.split("## Keys")[1].split("\n## ")[0]
    named = {key for row in section.splitlines() if row.startswith("| `") for key in re.findall(r"`(.+?)`", row)}
    known = {word for command in COMMANDS for word in command.shown.split()}
    assert {"/", "space", "b", "q"} <= named <= known


def test_pictures_in_the_readme_exist() -> None:
    for path in re.findall(r"!\[.*?\]\((.+?)\)", README):
        assert (ROOT / path).is_file(), path


def test_the_examples_of_the_readme_are_valid_settings(tmp_path: Path) -> None:
    lines = [line.strip() for line in README.splitlines() if re.match(r"    [a-z-]+ = ", line)]
    (tmp_path / "config.toml").write_text("\n".join(lines))
    assert load_file(tmp_path / "config.toml").keys() == {"interval", "max", "max-growth"}
