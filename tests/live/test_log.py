"""A log of real programs, as a program of its own: begun, moved away, read no more, and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.conftest import StartGo
from tests.live.headless import Headless
from tests.waiting import until

pytestmark = pytest.mark.live


def test_lines_are_what_the_program_says_of_itself(start_go: StartGo, tmp_path: Path) -> None:
    target = start_go()
    target.command("gc")
    stats = target.stats()
    with Headless(tmp_path, "log", target.pid, "-i", "100ms") as memdash:
        memdash.lines(5)
        until(lambda: '"tasks"' in memdash.lines(1)[-1], "the goroutines")
        assert memdash.end() == 0
        lines = [json.loads(line) for line in memdash.out.read_text().splitlines()]
    assert (lines[0]["event"], lines[-1]["event"], lines[-1]["why"]) == ("start", "end", "SIGTERM")
    samples = [line for line in lines if line["event"] == "sample"]
    assert lines[-1]["samples"] == len(samples) == len({line["timestamp"] for line in samples})
    assert samples[-1]["gc_count"] == stats["NumGC"]
    assert samples[-1]["pause_total_ns"] == stats["PauseTotalNs"]
    least, most = (told["Sys"] / (1 << 20) for told in (stats, target.stats()))  # to answer takes memory
    assert least - 0.001 <= samples[-1]["sys_mb"] <= most + 0.001
    assert samples[-1]["tasks"]["total"] >= 1
    assert "sites" not in samples[-1]


@pytest.mark.matrix
def test_a_file_that_is_moved_away_is_begun_anew(tmp_path: Path) -> None:
    log = tmp_path / "memdash.log"
    with Headless(tmp_path, "log", os.getpid(), "-i", "50ms", "-o", log) as memdash:
        until(lambda: log.exists() and log.read_bytes().count(b"\n") > 2, "the log")
        moved = log.rename(tmp_path / "moved")
        memdash.signal(signal.SIGHUP)
        until(lambda: log.exists() and log.read_bytes().count(b"\n") > 2, "the new log")
        assert memdash.end(signal.SIGINT) == 0
    lines = [json.loads(line) for path in (moved, log) for line in path.read_text().splitlines()]
    assert lines[-1]["event"] == "end"
    assert lines[-1]["samples"] == len([line for line in lines if line["event"] == "sample"])


@pytest.mark.matrix
def test_it_ends_with_its_reader() -> None:
    argv = [sys.executable, "-m", "memdash", "log", str(os.getpid()), "-i", "50ms"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as memdash:
        assert memdash.stdout is not None
        assert memdash.stderr is not None
        memdash.stdout.readline()
        memdash.stdout.close()
        assert memdash.wait(60) == 128 + signal.SIGPIPE
        assert memdash.stderr.read() == b""


@pytest.mark.matrix
def test_it_ends_with_its_target_and_says_how(start_go: StartGo, tmp_path: Path) -> None:
    target = start_go()
    with Headless(tmp_path, "log", target.pid, "-i", "50ms", "--csv", "-d", "1h") as memdash:
        memdash.lines(2)
        target.kill()
        code = until(memdash.code, "its end")
    assert code == 5
    assert "the log is shorter than it was to be" in memdash.err.read_text()
