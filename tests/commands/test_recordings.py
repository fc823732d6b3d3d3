"""Recordings where verbs take a process: which file, run and moment are meant."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from memdash.cli import main
from memdash.commands.replayed import Recorded, recorded
from memdash.errors import RecordingError, UsageError
from memdash.model.snapshot import Snapshot
from memdash.pprof.decode import decode
from memdash.recording.moment import Moment
from memdash.recording.writer import Writer
from memdash.session.past import Past
from tests.fakes import NOON_S, a_target
from tests.recorded import MONO_S, record, watched


@pytest.fixture(scope="module")
def seen() -> Sequence[Snapshot]:
    return watched(400, ends=True)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, seen: Sequence[Snapshot]) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "run.mdr"
    record(path, seen)
    return path


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def past(file: Path) -> Iterator[Past]:
    past = Recorded(file).open()
    yield past
    past.close()


@pytest.mark.parametrize(
    ("time", "second"),
    [
        ("", 399),
        ("12:10", 139),
        ("12:10:05", 144),
        ("2026-01-31T12:10:05", 144),
        ("2026-01-31 12:10", 139),
        ("2026-01-31T13:10:05+01:00", 144),
        ("-1m", 339),
        ("+30s", 30),
        ("+1.5m", 90),
    ],
)
def test_a_moment_is_named_by_its_time(past: Past, time: str, second: int) -> None:
    assert Recorded(Path("run.mdr"), time).instant_s(past) == MONO_S + second


@pytest.mark.parametrize("time", ["12:07", "13:00", "-1h", "+7m", "2025-01-31T12:10"])
def test_a_moment_that_was_not_recorded_is_refused(past: Past, time: str) -> None:
    with pytest.raises(UsageError, match="does not reach") as caught:
        Recorded(Path("run.mdr"), time).instant_s(past)
    assert "2026-01-31 12:07:41 to 12:14:20" in caught.value.hint


@pytest.mark.parametrize("time", ["noon", "25:00", "12:61", "-", "+x", "2026-13-01", "9999999999999-01-01"])
def test_what_is_no_time_is_refused(past: Past, time: str) -> None:
    with pytest.raises(UsageError):
        Recorded(Path("run.mdr"), time).instant_s(past)


def test_a_recording_is_known_by_what_is_in_it(file: Path, tmp_path: Path) -> None:
    assert recorded(str(file)) == Recorded(file)
    assert recorded(f"{file}@12:10") == Recorded(file, "12:10")
    other = tmp_path / "a@b"
    other.write_bytes(file.read_bytes())
    assert recorded(str(other)) == Recorded(other)
    assert recorded(f"{other}@-5m") == Recorded(other, "-5m")
    assert recorded("1234") is None
    assert recorded("http://user@host:6060") is None
    assert recorded(str(tmp_path)) is None
    text = tmp_path / "notes.mdr"
    text.write_text("no recording")
    with pytest.raises(UsageError, match="is no recording"):
        recorded(str(text))
    with pytest.raises(UsageError, match="does not exist"):
        recorded("gone.mdr@12:10")


def test_a_recording_is_known_while_it_is_written(tmp_path: Path, seen: Sequence[Snapshot]) -> None:
    path = tmp_path / "young.mdr"
    writer = Writer(path)
    run = writer.begin(seen[0].target, seen[0].at, 1.0)
    writer.write(run, [Moment.of(seen[0])])
    file = recorded(str(path))
    assert file is not None
    past = file.open()
    assert past.run.until == seen[0].at
    past.close()
    writer.close()


def test_a_report_is_of_the_moment(file: Path, seen: Sequence[Snapshot], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["report", f"{file}@12:10", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["taken_at"] == "2026-01-31T12:10:00.000000Z"
    assert document["memstats"]["HeapAlloc"] == seen[139].sample.memstats.HeapAlloc  # type: ignore[union-attr]
    assert main(["report", str(file)]) == 0
    assert "shop-server, pid 41287" in capfd.readouterr().out
    assert main(["report", f"{file}@12:10"]) == 0
    assert ", recorded\n" in capfd.readouterr().out


def test_a_report_may_judge_anew(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["report", f"{file}@12:12", "--json", "--max", "HeapAlloc=350MiB"]) == 0
    rules = {finding["rule"] for finding in json.loads(capfd.readouterr().out)["findings"]}
    assert any("HeapAlloc" in rule for rule in rules)
    assert main(["report", str(file), "--duration", "10s"]) == 2


def test_a_check_holds_a_recording_to_its_budgets(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file), "--max", "HeapAlloc=350MiB"]) == 1
    assert "FAIL  HeapAlloc at most 350MiB" in capfd.readouterr().out
    assert main(["check", f"{file}@12:10", "--max", "HeapAlloc=1GiB"]) == 0
    assert main(["check", str(file), "--force-gc"]) == 2


def test_profiles_of_two_moments_are_compared(file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", f"{file}@12:09", f"{file}@12:13"]) == 0
    text = capfd.readouterr().out
    assert "cart.(*Store).Add" in text
    assert "bufio.NewReaderSize" not in text
    assert main(["top", f"{file}@12:09"]) == 0
    assert "bufio.NewReaderSize" in capfd.readouterr().out
    out = tmp_path / "heap.pb.gz"
    assert main(["profile", f"{file}@12:09", "-o", str(out)]) == 0
    assert decode(out.read_bytes()).time_ns // 1_000_000_000 == NOON_S + 60


def test_tasks_that_stay_are_found(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["leaks", str(file), "--json"]) == 1
    leaks = json.loads(capfd.readouterr().out)["leaks"]
    assert leaks[0]["growth"] > 0
    assert main(["leaks", f"{file}@+1s", "--duration", "0.5s"]) == 2


def test_a_run_is_chosen_by_its_number(
    tmp_path: Path, seen: Sequence[Snapshot], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "several.mdr"
    record(path, watched(5, target=a_target(pid=7, name="worker")))
    record(path, seen[:10], appends=True)
    assert main(["report", str(path), "--json"]) == 0
    printed = capfd.readouterr()
    assert json.loads(printed.out)["target"]["name"] == "shop-server"
    assert "run 1 (worker, pid 7, 2026-01-31 12:07:41 to 12:07:45" in printed.err
    assert main(["report", str(path), "--json", "--run", "1"]) == 0
    printed = capfd.readouterr()
    assert json.loads(printed.out)["target"]["name"] == "worker"
    assert not printed.err
    assert main(["report", str(path), "--run", "3"]) == 2
    assert "has no run 3" in capfd.readouterr().err


@pytest.mark.parametrize("verb", ["watch", "doctor", "gc", "trim"])
def test_what_needs_a_process_says_so(file: Path, verb: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([verb, str(file)]) == 2
    words = capfd.readouterr().err
    assert "is a recording, and this takes a process that runs" in words or "needs a terminal" in words


def test_a_recording_alone_is_replayed(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([f"{file}@12:10"]) == 2
    assert "the dashboard needs a terminal" in capfd.readouterr().err


def test_a_damaged_recording_is_told_of_and_gone_on_with(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "run.mdr"
    content = bytearray(file.read_bytes())
    with closing(sqlite3.connect(file)) as connection:
        ((data,),) = connection.execute("SELECT substr(data, 200) FROM minute LIMIT 1 OFFSET 2").fetchall()
    content[content.index(data[:40])] ^= 0xFF
    damaged.write_bytes(content)
    for verb, code in (("report", 0), ("log", 0), ("serve", 0), ("top", 0), ("check", 1)):
        also = ["--max", "HeapAlloc=1MiB"] if verb == "check" else []
        assert main([verb, str(damaged), *also]) == code
        out, err = capfd.readouterr()
        assert out
        assert err.count("is damaged: 1 minute cannot be read; what is left of this run is 2026-01-31") == 1
    past = Recorded(damaged).open()
    with pytest.raises(RecordingError, match="cannot be marked"):
        past.mark("here", past.run.until)
    past.close()
