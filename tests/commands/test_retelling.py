"""Verbs that watch, on a recording: what they write is what they would have written beside the watch."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from memdash.commands.logbook import Logbook
from memdash.exports.lines import JsonLines
from memdash.model.snapshot import Snapshot
from tests.fakes import NOON_S, a_target
from tests.recorded import record, watched

Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.usefixtures("utc")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


class Kept:
    def __init__(self) -> None:
        self.text = ""

    def write(self, line: bytes) -> None:
        self.text += line.decode()


@pytest.fixture(scope="module")
def live(seen: Sequence[Snapshot]) -> list[dict[str, Any]]:
    return log_of(seen)


def log_of(seen: Sequence[Snapshot]) -> list[dict[str, Any]]:
    """What a log of the watch itself has."""
    kept = Kept()
    book = Logbook(JsonLines(), kept, lambda _: None)
    for snapshot in seen:
        for entry in book.entries(0, snapshot):
            book.write(entry)
    book.end(seen[-1].at.wall_s, seen[-1].ending.words if seen[-1].ending else "")
    return lines(kept.text)


def test_a_log_of_a_recording_is_that_of_the_watch(run: Run, file: Path, live: list[dict[str, Any]]) -> None:
    code, out, err = run("log", file)
    assert (code, err) == (0, "")
    then = lines(out)
    outlines = [[(line["event"], line["timestamp"], line.get("what")) for line in log] for log in (then, live)]
    assert outlines[0] == outlines[1]
    for now, before in zip(then, live, strict=True):
        for key in ("alloc_mb", "gc_count", "memstats", "gc", "system", "sites", "tasks", "alerts", "worst", "why"):
            assert now.get(key) == before.get(key), key
        assert now.get("summary") == before.get("summary") or "leak" in now["summary"]  # its figures are rounded


def test_it_is_thinned_and_alerts_are_not(run: Run, file: Path, live: list[dict[str, Any]]) -> None:
    found = lines(run("log", file, "-i", "1m")[1])
    samples = [line["timestamp"] for line in found if line["event"] == "sample"]
    assert samples[:-1] == [f"2026-01-31T12:{minute:02}:41.000000Z" for minute in range(7, 14)]
    assert samples[-1] == "2026-01-31T12:14:20.000000Z"
    assert [line for line in found if line["event"] == "finding"]
    assert len([line for line in found if line["event"] == "finding"]) == len(
        [line for line in live if line["event"] == "finding"]
    )
    assert (found[-1]["event"], found[-1]["samples"]) == ("end", 8)


def test_it_goes_up_to_a_moment(run: Run, file: Path) -> None:
    found = lines(run("log", f"{file}@12:08:41")[1])
    assert found[-2]["timestamp"] == "2026-01-31T12:08:41.000000Z"
    assert found[-1]["why"] == "what was recorded ends here"


def test_it_has_all_the_forms_of_a_log(run: Run, file: Path, tmp_path: Path) -> None:
    out, short = tmp_path / "run.csv", f"{file}@12:08:41"
    assert run("log", short, "--csv", "-o", out, "-i", "10s") == (0, "", "")
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 7
    assert rows[0]["name"] == "shop-server"
    assert run("log", short, "--csv", "-o", out)[0] == 2
    assert run("log", short, "--csv", "-o", out, "-i", "10s", "--append")[0] == 0
    assert len(out.read_text().splitlines()) == 15
    assert run("log", short, "-o", out, "--force")[0] == 0
    assert lines(out.read_text())[0]["event"] == "start"


def test_it_may_be_judged_anew(run: Run, file: Path) -> None:
    found = lines(run("log", file, "--max", "HeapAlloc=350MiB", "-i", "1m")[1])
    assert any("HeapAlloc" in line["rule"] for line in found if line["event"] == "finding")


def test_another_of_its_runs_is_asked_for(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "two.mdr"
    record(path, watched(10))
    record(path, watched(5, target=a_target(pid=9)), appends=True)
    code, out, err = run("log", path)
    assert (code, lines(out)[-1]["samples"]) == (0, 5)
    assert "this is run 2" in err
    assert lines(run("log", path, "--run", "1")[1])[-1]["samples"] == 10


@pytest.mark.parametrize("also", [["9"], ["-d", "10s"], ["--on-alert", "true"], ["--bell"]])
def test_what_takes_a_process_is_refused(run: Run, file: Path, also: list[str]) -> None:
    code, out, _ = run("log", file, *also)
    assert (code, out) == (2, "")


def test_a_disk_that_is_full_ends_it(run: Run, file: Path) -> None:
    code, _, err = run("log", file, "-o", "/dev/full")
    assert code == 2
    assert "No space left on device" in err


def test_one_that_lacks_nothing_but_its_end_is_not_whole(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if b'"event":"end"' in data:
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    code, _, err = run("log", f"{file}@12:08:41", "-o", tmp_path / "log")
    assert (code, "the log is not whole" in err) == (2, True)


def test_a_recording_is_written_for_prometheus(run: Run, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.om"
    code, written, err = run("serve", file, "-o", out)
    assert (code, written) == (0, "")
    assert "29 moments are in" in err
    assert "promtool tsdb create-blocks-from openmetrics" in err
    times = [line.split()[-1] for line in out.read_text().splitlines() if line.startswith("memdash_up")]
    assert times[:2] == [f"{NOON_S:.1f}", f"{NOON_S + 15:.1f}"]
    assert run("serve", file, "-o", out)[0] == 2
    code, written, err = run("serve", f"{file}@+10s", "-i", "5s")
    assert (code, err) == (0, "")
    assert written.count("memdash_up{") == 3
    assert written.endswith("# EOF\n")


@pytest.mark.parametrize("also", [["9"], ["-d", "10s"], ["--listen", "0"]])
def test_what_is_for_a_scraper_is_refused(run: Run, file: Path, also: list[str]) -> None:
    assert run("serve", file, *also)[:2] == (2, "")


def test_what_is_for_a_recording_is_refused_where_something_runs(run: Run, tmp_path: Path) -> None:
    assert run("serve", "1", "-o", tmp_path / "out")[0] == 2


def test_marks_stand_in_it(run: Run, tmp_path: Path, seen: Sequence[Snapshot]) -> None:
    path = tmp_path / "run.mdr"
    record(path, seen[:60], marks=[(20, "deploy of 1.4.2")])
    found = [line for line in lines(run("log", path)[1]) if line.get("what") == "mark"]
    assert [(line["timestamp"], line["summary"]) for line in found] == [
        ("2026-01-31T12:08:01.000000Z", "deploy of 1.4.2")
    ]
