"""Source files that a profile names are found, and nothing else is."""

import os
from pathlib import Path
from typing import Any

import pytest

from memdash.model.missing import Missing
from memdash.pprof.listing import listing, listing_view
from memdash.pprof.pattern import compiled
from memdash.pprof.source import SourceFinder
from memdash.pprof.text import Writer
from memdash.pprof.view import Options
from tests.pprof.documents import of_stacks

ALL = Options(node_fraction=0, edge_fraction=0)


class TestSource:
    def test_only_regular_files_are_read(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.go")
        for path in (str(tmp_path / "pipe.go"), "/dev/zero", str(tmp_path), "/no/such", "/nul\0"):
            assert isinstance(SourceFinder([]).lines(path), Missing)

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        with (tmp_path / "big.go").open("wb") as file:
            file.truncate(17 << 20)
        assert isinstance(SourceFinder([]).lines(str(tmp_path / "big.go")), Missing)

    def test_a_path_is_found_below_a_folder_or_its_parents(self, tmp_path: Path) -> None:
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "a" / "f.py").write_text("one\ntwo\n")
        for search in ("a/b", "a"):
            assert SourceFinder([str(tmp_path / search)]).lines("f.py") == ("one", "two")
        assert SourceFinder([str(tmp_path / "a")], ["/build"]).lines("/build/f.py") == ("one", "two")
        assert SourceFinder([], root=str(tmp_path)).lines("/a/f.py") == ("one", "two")
        assert SourceFinder([str(tmp_path / "a/b")], root=str(tmp_path / "a")).lines("f.py") == ("one", "two")
        inside = SourceFinder([str(tmp_path / "a/b")], root=str(tmp_path / "a/b"))
        assert isinstance(inside.lines("f.py"), Missing)

    def test_a_file_that_is_there_is_not_guessed_at(self, tmp_path: Path) -> None:
        """What follows the name of a folder that is searched leads to another of that name only when there is none."""
        (tmp_path / "build" / "shop").mkdir(parents=True)
        (tmp_path / "build" / "shop" / "f.py").write_text("whole")
        (tmp_path / "shop").mkdir()
        for guessed in ("shop/f.py", "f.py"):
            (tmp_path / guessed).write_text("guessed")
        path = f"{tmp_path}/build/shop/f.py"
        assert SourceFinder([f"{tmp_path}/shop"]).lines(path) == ("whole",)
        assert SourceFinder([f"{tmp_path}/shop"], root=str(tmp_path)).lines("/build/shop/f.py") == ("whole",)
        assert SourceFinder([f"{tmp_path}/shop"], [f"{tmp_path}/build/shop"]).lines(path) == ("guessed",)
        (tmp_path / "build" / "shop" / "f.py").unlink()
        assert SourceFinder([f"{tmp_path}/shop"]).lines(path) == ("guessed",)

    def test_no_other_file_takes_the_place_of_one_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "build" / "shop" / "f.py").mkdir(parents=True)
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "f.py").write_text("guessed")
        found = SourceFinder([f"{tmp_path}/shop"]).file(f"{tmp_path}/build/shop/f.py")
        assert isinstance(found, Missing)
        assert "not a regular file" in found.why

    @pytest.mark.parametrize("closed", [True, False])
    def test_a_closed_folder_tells_of_no_file(
        self, closed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Root may open all of them, so the system's answer is made up."""
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "f.py").write_text("guessed")
        opened = os.open

        def refuse(path: str, *given: Any, **named: Any) -> int:
            if path == "/closed/shop/f.py":
                raise PermissionError(13, "Permission denied")
            return opened(path, *given, **named)

        def look(path: str) -> None:
            if closed:
                raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)
        monkeypatch.setattr(os, "lstat", look)
        found = SourceFinder([f"{tmp_path}/shop"]).lines("/closed/shop/f.py")
        assert found == ("guessed",) if closed else isinstance(found, Missing)

    def test_what_is_no_text_is_not_shown(self, tmp_path: Path) -> None:
        (tmp_path / "program").write_bytes(b"\x7fELF\0\0")
        (tmp_path / "lines.py").write_bytes(b"\n" * 1_000_001)
        for name, why in (("program", "not a text"), ("lines.py", "more lines than any source file")):
            found = SourceFinder([]).file(str(tmp_path / name))
            assert isinstance(found, Missing)
            assert why in found.why

    def test_what_stands_in_the_way_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").mkdir()
        found = SourceFinder([str(tmp_path)]).file("a.py")
        assert isinstance(found, Missing)
        assert found.why == "open a.py: not a regular file"

    def test_links_lead_to_where_they_lead_below_the_root(self, tmp_path: Path) -> None:
        root = tmp_path / "root"
        (root / "srv" / "shop").mkdir(parents=True)
        (root / "srv" / "shop" / "a.py").write_text("inside")
        (tmp_path / "a.py").write_text("outside")
        links = {
            "absolute.py": "/srv/shop/a.py", "relative.py": "shop/a.py", "above.py": "../../../../srv/shop/a.py",
            "folder": "/srv/shop", "twice.py": "absolute.py", "loop.py": "loop.py", "nowhere.py": "/a.py",
            "out.py": str(tmp_path / "a.py"),
        }  # fmt: skip
        for name, target in links.items():
            (root / "srv" / name).symlink_to(target)
        finder = SourceFinder([str(root / "srv")], root=str(root))
        for name in ("absolute.py", "relative.py", "above.py", "folder/a.py", "twice.py"):
            assert finder.lines(f"/srv/{name}") == ("inside",)
            assert finder.lines(name) == ("inside",)
        for name in ("loop.py", "nowhere.py", "out.py"):
            assert isinstance(finder.lines(f"/srv/{name}"), Missing)

    def test_lines_without_their_text_are_those_that_hold_something(self) -> None:
        seen = listing_view(of_stacks({"main@/no/such.go:7 > add@/no/such.go:3": 5}), ALL)
        (main,) = listing(seen, compiled("main"), SourceFinder([]).lines)
        assert [(line.number, line.text, line.flat, line.cum) for line in main.lines] == [(7, "", 0, 5)]
        assert main.missing is not None
        assert "no such file" in main.missing.why
        assert " Error: open /no/such.go: no such file or directory" in Writer(seen).listing([main])

    def test_a_function_without_a_file_says_so(self) -> None:
        seen = listing_view(of_stacks({"main": 5}), ALL)
        listed = listing(seen, compiled("main"), SourceFinder([]).lines)
        assert "No source information for main" in Writer(seen).listing(listed)
