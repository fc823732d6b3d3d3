"""Recordings where verbs take a process: which file, run and moment are meant."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from time import tzset

import pytest

from memdash.commands.replayed import Recorded, recorded
from memdash.errors import RecordingError, UsageError
from memdash.model.snapshot import Snapshot
from memdash.pprof.decode import decode
from memdash.recording.moment import Moment
from memdash.recording.place import is_written
from memdash.recording.writer import Writer
from memdash.session.past import Past
from tests.fakes import NOON_S, a_target
from tests.recorded import MONO_S, record, watched

pytestmark = pytest.mark.usefixtures("utc")

Run = Callable[..., tuple[int, str, str]]


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


def test_a_time_of_day_is_that_of_the_clock_as_it_was_set_then(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "AAA0BBB,J31/12:10,J200/0")  # summer begins at 12:10, which is 13:10 then
    tzset()
    assert Recorded(Path("run.mdr"), "12:09").instant_s(past) == MONO_S + 79
    assert Recorded(Path("run.mdr"), "13:10:05").instant_s(past) == MONO_S + 144


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


def test_a_pipe_is_no_recording_and_nobody_waits_for_it(tmp_path: Path) -> None:
    path, head = tmp_path / "pipe.mdr", b"SQLite format 3\0" + bytes(40_000)
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(pipe, head)  # so that what reads of it does not hang
    with pytest.raises(UsageError, match="is no recording"):
        recorded(str(path))
    assert len(os.read(pipe, 1 << 16)) == len(head)
    os.close(pipe)


def test_a_recording_is_known_while_it_is_written(
    tmp_path: Path, seen: Sequence[Snapshot], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "young.mdr"
    writer = Writer(path)
    run = writer.begin(seen[0].target, seen[0].at, 1.0)
    writer.write(run, [Moment.of(seen[0])])
    file = recorded(str(path))
    assert file is not None
    past = file.open()
    assert past.run.until == seen[0].at
    past.close()
    assert "is still being recorded: so far it holds 2026-01-31 12:07:41" in capfd.readouterr().err
    writer.write(run, [Moment.of(seen[1])])
    past = file.open()
    assert past.run.until == seen[1].at
    past.close()
    writer.close()
    capfd.readouterr()
    file.open().close()
    assert capfd.readouterr().err == ""


def test_whether_it_is_written_is_known_from_outside(tmp_path: Path, seen: Sequence[Snapshot]) -> None:
    path = tmp_path / "run.mdr"
    assert not is_written(path)
    record(path, seen[:2])
    assert not is_written(path)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert is_written(path)
    assert not is_written(path)


def test_a_report_is_of_the_moment(run: Run, file: Path, seen: Sequence[Snapshot]) -> None:
    code, out, _ = run("report", f"{file}@12:10", "--json")
    document = json.loads(out)
    assert (code, document["taken_at"]) == (0, "2026-01-31T12:10:00.000000Z")
    assert document["memstats"]["HeapAlloc"] == seen[139].sample.memstats.HeapAlloc  # type: ignore[union-attr]
    code, out, _ = run("report", file)
    assert (code, "shop-server, pid 41287" in out) == (0, True)
    code, out, _ = run("report", f"{file}@12:10")
    assert (code, ", recorded\n" in out) == (0, True)


def test_a_report_may_judge_anew(run: Run, file: Path) -> None:
    code, out, _ = run("report", f"{file}@12:12", "--json", "--max", "HeapAlloc=350MiB")
    assert code == 0
    assert any("HeapAlloc" in finding["rule"] for finding in json.loads(out)["findings"])
    assert run("report", file, "--duration", "10s")[0] == 2


def test_a_check_holds_a_recording_to_its_budgets(run: Run, file: Path) -> None:
    code, out, _ = run("check", file, "--max", "HeapAlloc=350MiB")
    assert (code, "FAIL  HeapAlloc at most 350MiB" in out) == (1, True)
    assert run("check", f"{file}@12:10", "--max", "HeapAlloc=1GiB")[0] == 0
    assert run("check", file, "--force-gc")[0] == 2


def test_profiles_of_two_moments_are_compared(run: Run, file: Path, tmp_path: Path) -> None:
    code, text, _ = run("diff", f"{file}@12:09", f"{file}@12:13")
    assert code == 0
    assert "cart.(*Store).Add" in text
    assert "bufio.NewReaderSize" not in text
    code, text, _ = run("top", f"{file}@12:09")
    assert (code, "bufio.NewReaderSize" in text) == (0, True)
    out = tmp_path / "heap.pb.gz"
    assert run("profile", f"{file}@12:09", "-o", out)[0] == 0
    assert decode(out.read_bytes()).time_ns // 1_000_000_000 == NOON_S + 60


def test_tasks_that_stay_are_found(run: Run, file: Path) -> None:
    code, out, _ = run("leaks", file, "--json")
    assert code == 1
    assert json.loads(out)["leaks"][0]["growth"] > 0
    assert run("leaks", f"{file}@+1s", "--duration", "0.5s")[0] == 2


def test_a_run_is_chosen_by_its_number(run: Run, tmp_path: Path, seen: Sequence[Snapshot]) -> None:
    path = tmp_path / "several.mdr"
    record(path, watched(5, target=a_target(pid=7, name="worker")))
    record(path, seen[:10], appends=True)
    code, out, err = run("report", path, "--json")
    assert (code, json.loads(out)["target"]["name"]) == (0, "shop-server")
    assert "run 1 (worker, pid 7, 2026-01-31 12:07:41 to 12:07:45" in err
    code, out, err = run("report", path, "--json", "--run", "1")
    assert (code, json.loads(out)["target"]["name"], err) == (0, "worker", "")
    code, _, err = run("report", path, "--run", "3")
    assert (code, "has no run 3" in err) == (2, True)


@pytest.mark.parametrize("verb", ["watch", "doctor", "gc", "trim"])
def test_what_needs_a_process_says_so(run: Run, file: Path, verb: str) -> None:
    code, _, words = run(verb, file)
    assert code == 2
    assert "is a recording, and this takes a process that runs" in words
    assert "FILE.mdr" not in run(verb, "--help")[1]


def test_a_recording_alone_is_replayed(run: Run, file: Path) -> None:
    code, _, words = run(f"{file}@12:10")
    assert (code, "the dashboard needs a terminal" in words) == (2, True)


def test_a_damaged_recording_is_told_of_and_gone_on_with(run: Run, file: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "run.mdr"
    content = bytearray(file.read_bytes())
    with closing(sqlite3.connect(file)) as connection:
        ((data,),) = connection.execute("SELECT substr(data, 200) FROM minute LIMIT 1 OFFSET 2").fetchall()
    content[content.index(data[:40])] ^= 0xFF
    damaged.write_bytes(content)
    for verb, expected in (("report", 0), ("log", 0), ("serve", 0), ("top", 0), ("check", 1)):
        code, out, err = run(verb, damaged, *(["--max", "HeapAlloc=1MiB"] if verb == "check" else []))
        assert code == expected
        assert out
        assert err.count("is damaged: 1 minute cannot be read; what is left of this run is 2026-01-31") == 1
    past = Recorded(damaged).open()
    with pytest.raises(RecordingError, match="cannot be marked"):
        past.mark("here", past.run.until)
    past.close()


def test_the_run_that_was_there_at_the_time_is_meant(run: Run, tmp_path: Path, seen: Sequence[Snapshot]) -> None:
    path = tmp_path / "run.mdr"
    record(path, seen[:120])
    record(path, seen[200:], appends=True)
    code, out, err = run("report", f"{path}@12:08:30", "--json")
    assert (code, json.loads(out)["taken_at"]) == (0, "2026-01-31T12:08:30.000000Z")
    assert "this is run 1" in err
    assert "this is run 2" in run("report", f"{path}@12:12")[2]
    assert "this is run 2" in run("report", f"{path}@-5s")[2]
    code, _, err = run("report", f"{path}@12:10:30")  # between the two
    assert (code, "does not reach 12:10:30" in err) == (2, True)
    assert run("report", f"{path}@noon")[0] == 2


def test_a_copy_without_the_file_beside_it_says_what_is_lacking(
    run: Run, tmp_path: Path, seen: Sequence[Snapshot]
) -> None:
    path, copy = tmp_path / "run.mdr", tmp_path / "copy.mdr"
    with closing(Writer(path)) as writer:
        writer.write(writer.begin(seen[0].target, seen[0].at, 1.0), [Moment.of(seen[0])])
        copy.write_bytes(path.read_bytes())
    code, _, err = run("report", copy)
    assert code == 2
    assert "copy.mdr-wal" in err
    assert run("report", path)[0] == 0
