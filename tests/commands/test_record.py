"""``memdash record``, on real processes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import memdash.recording.recorder
from memdash.commands.recorded import Keeping, recorders
from memdash.model.finding import Severity
from memdash.model.sample import Instant
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from tests.fakes import a_target
from tests.recorders import recorder
from tests.sessions import TickingSession
from tests.waiting import until

pytestmark = pytest.mark.live

Run = Callable[..., tuple[int, str, str]]


def moments(path: Path) -> list[int]:
    """How many moments each run of a recording has."""
    recording = Recording.open(path)
    try:
        return [len(list(recording.of(run.number).moments(0, 1e11))) for run in recording.runs]
    finally:
        recording.close()


def test_for_a_time_and_then_on(run: Run, small: subprocess.Popen[bytes], tmp_path: Path) -> None:
    path = tmp_path / "run.mdr"
    once = ("record", small.pid, "-o", path, "-d", "300ms", "-i", "50ms")
    code, _, told = run(*once)
    assert code == 0
    assert f"(pid {small.pid}) into {path}" in told
    assert "recorded" in told
    code, _, told = run(*once)
    assert (code, "exists already" in told) == (2, True)
    assert run(*once, "--append", os.getpid())[0] == 0
    first, second, third = moments(path)
    assert min(first, second, third) >= 1, "its time begins with a first reading; whether more follow is luck"
    with contextlib.closing(Recording.open(path)) as recording:
        assert [run.target.pid for run in recording.runs] == [small.pid, small.pid, os.getpid()]


@pytest.mark.matrix
@pytest.mark.parametrize("files", [14, 24])
def test_where_it_may_open_no_more_files_it_says_so_and_ends(
    small: subprocess.Popen[bytes], tmp_path: Path, files: int
) -> None:
    """Under -v too: there is no file to be had for what prints a traceback either."""
    words = [sys.executable, "-m", "memdash", "record", "-v", str(small.pid), "-o", str(tmp_path / "run.mdr")]
    shell = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", *words]
    ended = subprocess.run(shell, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "memdash may open no more files" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.matrix
def test_it_ends_with_its_target(small: subprocess.Popen[bytes], tmp_path: Path) -> None:
    path = tmp_path / "run.mdr"
    with recorder(small.pid, path, "-d", "60s") as program:
        small.kill()
        small.wait()
        _, told = program.communicate()
    assert program.returncode == 5
    assert "killed by SIGKILL" in told or "ended; how is known only to its parent" in told
    with contextlib.closing(Recording.open(path)) as recording:
        assert recording.run.ending is not None


def test_a_signal_ends_it_cleanly(small: subprocess.Popen[bytes], tmp_path: Path) -> None:
    with recorder(small.pid, tmp_path / "run.mdr") as program:
        program.send_signal(signal.SIGTERM)
        _, told = program.communicate()
    assert (program.returncode, "recorded" in told) == (0, True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.mdr"]


def test_without_a_target_there_is_no_file(run: Run, tmp_path: Path, zombie: int) -> None:
    assert run("record", zombie, "-o", tmp_path / "run.mdr")[0] == 5
    assert not list(tmp_path.iterdir())


def test_a_damaged_one_is_saved(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.mdr"
    writer = Writer(path)
    writer.begin(a_target(), Instant(1.0, 1.0), 1.0)
    writer.close()
    code, _, told = run("record", "--salvage", path)
    saved = tmp_path / "run-salvaged.mdr"
    assert (code, f"are in {saved}" in told) == (0, True)
    with contextlib.closing(Recording.open(saved)) as recording:
        assert recording.run.target == a_target()
    path.write_bytes(b"nothing" * 2000)
    code, _, told = run("record", "--salvage", path, "-o", tmp_path / "other.mdr")
    assert (code, "can be read any more" in told) == (2, True)
    assert not (tmp_path / "other.mdr").exists()


@pytest.mark.matrix
def test_a_recording_that_is_deleted_meanwhile_is_told_of_and_no_success(
    small: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "run.mdr"
    with recorder(small.pid, path) as program:
        assert program.stderr is not None
        path.unlink()
        assert any("goes on in memory" in line for line in program.stderr)
        program.send_signal(signal.SIGTERM)
        _, told = program.communicate()
    assert program.returncode == 2
    assert "nothing is left of what was recorded; the last " in told
    assert f"could not be written: {path} has gone" in told


def test_what_force_would_replace_stays_where_nothing_is_recorded(run: Run, tmp_path: Path, zombie: int) -> None:
    path = tmp_path / "run.mdr"
    path.write_bytes(b"precious")
    assert run("record", zombie, "-o", path, "--force")[0] == 5
    unread = ("record", "--url", "http://127.0.0.1:1/", "-o", path, "--force", "-d", "100ms", "-i", "50ms")
    assert run(*unread)[0] == 5
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"precious"]


def test_what_could_not_be_written_to_the_end_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, watch, heard = tmp_path / "run.mdr", TickingSession(), list[str]()
    keeping = Keeping(max_size=1 << 30, max_age=None)
    with recorders(path, [watch], keeping, hear=heard.append) as (recorder,):
        watch.tick(0.0)
        until(lambda: recorder.state.since is not None, "the first moment")
        path.unlink()
        watch.tick(2.0)
        until(lambda: recorder.state.trouble, "trouble")
        watch.tick(8.5)
    assert (recorder.state.unwritten_s, recorder.state.dropped) == (8.5, 0)
    assert watch.noted == [(heard[0], Severity.WARNING)]
    why = f"{path} has gone: No such file or directory"
    told = f"memdash: nothing is left of what was recorded; the last 8.5 s could not be written: {why}\n"
    assert capfd.readouterr().err == told


@pytest.mark.parametrize("is_replaced", [False, True], ids=["moved", "moved, and another has its name"])
def test_where_a_recording_was_moved_to_meanwhile_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], is_replaced: bool
) -> None:
    path, moved, watch, heard = tmp_path / "run.mdr", tmp_path / "night.mdr", TickingSession(), list[str]()
    with recorders(path, [watch], Keeping(max_size=1 << 30, max_age=None), hear=heard.append) as (recorder,):
        watch.tick(0.0)
        until(lambda: recorder.state.since is not None, "the first moment")
        path.rename(moved)
        if is_replaced:
            path.write_bytes(b"another")
        watch.tick(2.0)
        until(lambda: recorder.state.trouble, "trouble")
        watch.tick(8.5)
    why = f"{path} has been {'replaced by another file' if is_replaced else f'moved to {moved}'}"
    assert heard == [f"the recording cannot be written, and goes on in memory: {why}"]
    told = capfd.readouterr().err
    assert told.startswith("memdash: recorded ")
    assert told.endswith(f" into {moved}; the last 8.5 s could not be written: {why}\n")
    assert not is_replaced or path.read_bytes() == b"another"
    with contextlib.closing(Recording.open(moved)) as recording:
        assert recording.run.target == a_target()


def test_a_disk_that_does_not_answer_is_told_and_not_waited_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memdash.recording.recorder, "_PATIENCE_S", 0.01)
    path, watch, answers = tmp_path / "run.mdr", TickingSession(), Event()
    real = Writer.write

    def hangs(writer: Writer, *args: Any, **how: Any) -> None:
        with writer.database.transaction():
            answers.wait(60)
        real(writer, *args, **how)

    monkeypatch.setattr(Writer, "write", hangs)
    with recorders(path, [watch], Keeping(max_size=1 << 30, max_age=None)) as (recorder,):
        watch.tick(0.0)
    told = capfd.readouterr().err
    answers.set()
    assert told == "memdash: nothing was recorded; the end could not be written: it has not answered for 0.0 s\n"
    until(recorder.close, "its end")
    recorder._writer.close()


@pytest.mark.parametrize(
    ("beside", "what"),
    [
        (("1234",), "PID|URL"),
        (("-d", "10m"), "--duration"),
        (("--append",), "--append"),
        (("--name", "x"), "--name"),
    ],
)
def test_what_has_no_meaning_beside_salvage_is_refused(
    run: Run, tmp_path: Path, beside: tuple[str, ...], what: str
) -> None:
    code, _, told = run("record", "--salvage", tmp_path / "run.mdr", *beside)
    assert code == 2
    assert f"{what} does nothing beside --salvage" in told


@pytest.mark.parametrize("verb", ["record", "log"])
def test_what_cannot_be_written_is_told_before_a_process_is_waited_for(run: Run, tmp_path: Path, verb: str) -> None:
    there = tmp_path / "there"
    there.touch()
    for output, words in ((there, "exists already"), (tmp_path / "none" / "run", "none")):
        code, _, told = run(verb, "--wait-for", "no-program-has-this-name", "-o", output)
        assert (code, words in told) == (2, True)
