"""Places named by the files of this very process."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.model.profile import Frame
from memdash.probes.cpython.sources import Sources
from memdash.probes.cpython.tracebacks import Place
from memdash.process.identity import identify


@pytest.fixture
def sources() -> Sources:
    return Sources(replace(identify(os.getpid()), started_at_s=4e9))


def learnt(sources: Sources, path: Path | str, line: int) -> Frame:
    for _ in sources.learn([str(path)]):
        pass
    return sources.frame(Place(str(path), line))


def test_a_function_goes_by_its_packages_and_its_class(sources: Sources, tmp_path: Path) -> None:
    package = tmp_path / "shop" / "carts"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("def make():\n    return []\n")
    (package / "store.py").write_text("class Store:\n    def add(self):\n        return [1]\n")
    assert learnt(sources, package / "store.py", 3).function == "shop.carts.store.Store.add"
    assert learnt(sources, package / "__init__.py", 2).function == "shop.carts.make"
    assert learnt(sources, package / "store.py", 99).function == "shop.carts.store.<module>"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("/nowhere/lib/python3.11/json/decoder.py", "json.decoder"),
        ("/nowhere/lib/python3.12/site-packages/flask/app.py", "flask.app"),
        ("/nowhere/lib/python3/dist-packages/yaml/__init__.py", "yaml"),
        ("<frozen importlib._bootstrap>", "importlib._bootstrap"),
        ("<string>", ""),
        ("<unknown>", ""),
        ("/nowhere/app.py", "app"),
        ("script", "script"),
        ("", ""),
        ("a\0b.py", "a\0b"),
        ("/", ""),
        (".", "."),
        ("\udcff.py", "\udcff"),
    ],
)
def test_what_has_no_file_goes_by_its_module(sources: Sources, file: str, name: str) -> None:
    assert learnt(sources, file, 7) == Frame(name, file, 7)


def test_what_is_no_ordinary_file_is_not_read(sources: Sources, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "large.py").write_bytes(b"def f(): pass\n" * 100_000)
    for file in ("pipe.py", "large.py", "."):
        assert "f" not in learnt(sources, tmp_path / file, 1).function.split(".")


def test_a_file_newer_than_the_program_is_told_and_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "cart.py").write_text("def f():\n    pass\n")
    sources = Sources(replace(identify(os.getpid()), started_at_s=1e9))
    assert learnt(sources, tmp_path / "cart.py", 2).function == "cart"
    assert sources.changed == ("cart.py",)
