"""Profiles that are unusual but whole: every verb shows them, or says in one line why it cannot."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.pprof.document import Document, Location, Mapping, Sample, ValueType
from memdash.pprof.encode import encode
from tests.pprof.documents import of_stacks

LARGEST, LEAST = (1 << 63) - 1, -(1 << 63)
BYTES = (ValueType("inuse_space", "bytes"),)
Run = Callable[..., tuple[int, str, str]]


def unresolved(*locations: Location) -> Document:
    samples = (Sample((1, 2), (5,)), Sample((2,), (7,)))
    mappings = tuple(location.mapping for location in locations if location.mapping is not None)
    return Document(
        sample_types=BYTES, samples=samples, locations=dict(enumerate(locations, start=1)), mappings=mappings
    )


PROFILES = {
    "addresses alone": unresolved(Location((), None, 0x1000), Location((), Mapping(0x2000, 0x3000), 0x2000)),
    "not even addresses": unresolved(Location(()), Location(())),
    "stacks of nothing": Document(sample_types=BYTES, samples=(Sample((), (5,)),), locations={}),
    "nothing": of_stacks({}),
    "calls in a circle": of_stacks({"main > " + "a > b > c > " * 300 + "a": 5, "a > a > a": 3, "c > b": 1}),
    "deeper than any": of_stacks({" > ".join(f"f{number}" for number in range(1100)): 5}),
    "negative": of_stacks({"main > a": -5, "main > b": 3}),
    "nothing in all": of_stacks({"main > a": -5, "main > b": 5}),
    "the largest numbers": of_stacks({"main > a": LARGEST, "main > b": LARGEST, "a > c": LARGEST}),
    "the least numbers": of_stacks({"main > a": LEAST, "main > b": LEAST, "a > c": LARGEST}),
}
VIEWS = ("top", "tree", "flame", "peek .", "list .", "top --granularity addresses", "top --focus a --hide b")


@pytest.mark.parametrize("kind", PROFILES)
def test_an_unusual_profile_is_shown_or_one_line_says_why_not(run: Run, tmp_path: Path, kind: str) -> None:
    path, base = str(tmp_path / "odd.pb"), str(tmp_path / "base.pb")
    Path(path).write_bytes(encode(PROFILES[kind]))
    Path(base).write_bytes(encode(of_stacks({"main > a": LEAST, "main > z": LARGEST})))
    for view in VIEWS:
        for more in ((), ("--json",), ("--diff-base", base), ("--base", base), ("--nodefraction", "0")):
            code, out, err = run(*view.split(), *more, path)
            assert code in (0, 2), (view, more, err)
            assert "defect" not in err
            if code:
                assert (out, len(err.splitlines())) == ("", 2)
            elif "--json" in more:
                assert json.loads(out)["view"] == view.split()[0]
            else:
                assert out


def test_a_profile_without_values_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "odd.pb"
    path.write_bytes(encode(Document(sample_types=(), samples=(), locations={}, comments=("a word",))))
    for view in VIEWS:
        code, out, err = run(*view.split(), str(path))
        assert (code, out, len(err.splitlines())) == (2, "", 2)
        assert "no values" in err


@pytest.mark.parametrize("view", ["peek", "list"])
def test_without_functions_it_says_that_there_are_none(run: Run, tmp_path: Path, view: str) -> None:
    path = tmp_path / "odd.pb"
    path.write_bytes(encode(PROFILES["addresses alone"]))
    code, out, err = run(view, "main", str(path))
    assert (code, out) == (2, "")
    assert "names no functions" in err
    code, out, _ = run("top", "--granularity", "addresses", str(path))
    assert code == 0
    assert "0000000000002000" in out


def test_in_a_circle_each_function_holds_each_stack_once(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "odd.pb"
    path.write_bytes(encode(PROFILES["calls in a circle"]))
    rows = json.loads(run("top", "--json", str(path))[1])["rows"]
    assert {row["frame"]["function"]: (row["flat"], row["cum"]) for row in rows} == {
        "a": (8, 8),
        "b": (1, 6),
        "c": (0, 6),
        "main": (0, 5),
    }
