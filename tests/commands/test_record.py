"""``memdash record``, on real processes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.cli import main
from memdash.commands.recorded import Keeping, recorders
from memdash.errors import RecordingError
from memdash.model.finding import Severity
from memdash.model.sample import Instant
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from tests.fakes import a_target
from tests.recording.test_recorder import Watch

pytestmark = pytest.mark.live

Start = Callable[..., subprocess.Popen[bytes]]
IDLE = (sys.executable, "-S", "-c", "import time; print(flush=True); time.sleep(600)")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in [name for name in os.environ if name.startswith("MEMDASH_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def idle(start: Start) -> subprocess.Popen[bytes]:
    """A small Python that does nothing."""
    child = start(*IDLE)
    assert child.stdout is not None
    child.stdout.readline()
    return child


def moments(path: Path) -> list[int]:
    """How many moments each run of a recording has."""
    recording = Recording.open(path)
    try:
        return [len(list(recording.of(run.number).moments(0, 1e11))) for run in recording.runs]
    finally:
        recording.close()


def test_for_a_time_and_then_on(
    idle: subprocess.Popen[bytes], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.mdr"
    once = ("record", str(idle.pid), "-o", str(path), "-d", "300ms", "-i", "50ms")
    assert main(once) == 0
    told = capfd.readouterr().err
    assert f"(pid {idle.pid}) into {path}" in told
    assert "recorded" in told
    assert main(once) == 2
    assert "exists already" in capfd.readouterr().err
    assert main((*once, "--append", str(os.getpid()))) == 0
    first, second, third = moments(path)
    assert min(first, second, third) >= 2
    recording = Recording.open(path)
    assert [run.target.pid for run in recording.runs] == [idle.pid, idle.pid, os.getpid()]
    recording.close()


@pytest.mark.matrix
def test_it_ends_with_its_target(idle: subprocess.Popen[bytes], tmp_path: Path) -> None:
    path = tmp_path / "run.mdr"
    command = [sys.executable, "-m", "memdash", "record", str(idle.pid), "-o", str(path), "-i", "50ms"]
    with subprocess.Popen([*command, "-d", "60s"], stderr=subprocess.PIPE) as recorder:
        assert recorder.stderr is not None
        while not has_begun(path):
            pass
        idle.kill()
        idle.wait()
        told = recorder.stderr.read().decode()
        assert recorder.wait() == 5
    assert "killed by SIGKILL" in told or "ended" in told
    recording = Recording.open(path)
    assert recording.run.ending is not None
    recording.close()


def test_a_signal_ends_it_cleanly(idle: subprocess.Popen[bytes], tmp_path: Path) -> None:
    path = tmp_path / "run.mdr"
    command = [sys.executable, "-m", "memdash", "record", str(idle.pid), "-o", str(path), "-i", "50ms"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as recorder:
        assert recorder.stderr is not None
        while not has_begun(path):
            pass
        recorder.send_signal(signal.SIGTERM)
        assert recorder.wait() == 0
        assert b"recorded" in recorder.stderr.read()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.mdr"]


def has_begun(path: Path) -> bool:
    """Whether it can be read, and holds more than one moment."""
    with contextlib.suppress(RecordingError), contextlib.closing(Recording.open(path)) as recording:
        return recording.since != recording.until
    return False


def test_without_a_target_there_is_no_file(tmp_path: Path, zombie: int) -> None:
    assert main(("record", str(zombie), "-o", str(tmp_path / "run.mdr"))) in (3, 5)
    assert not list(tmp_path.iterdir())


def test_a_damaged_one_is_saved(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.mdr"
    writer = Writer(path)
    writer.begin(a_target(), Instant(1.0, 1.0), 1.0)
    writer.close()
    assert main(("record", "--salvage", str(path))) == 0
    saved = tmp_path / "run-salvaged.mdr"
    assert f"are in {saved}" in capfd.readouterr().err
    assert Recording.open(saved).run.target == a_target()
    path.write_bytes(b"nothing" * 2000)
    assert main(("record", "--salvage", str(path), "-o", str(tmp_path / "other.mdr"))) == 2
    assert "can be read any more" in capfd.readouterr().err
    assert not (tmp_path / "other.mdr").exists()


@pytest.mark.matrix
def test_a_recording_that_is_deleted_meanwhile_is_told_of_and_no_success(
    idle: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "run.mdr"
    command = [sys.executable, "-m", "memdash", "record", str(idle.pid), "-o", str(path), "-i", "50ms"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as recorder:
        assert recorder.stderr is not None
        while not has_begun(path):
            pass
        path.unlink()
        while b"goes on in memory" not in recorder.stderr.readline():
            pass
        recorder.send_signal(signal.SIGTERM)
        told = recorder.stderr.read().decode()
        assert recorder.wait() == 2
    assert "nothing was recorded; the last " in told
    assert f"could not be written: {path} has gone" in told


def test_what_force_would_replace_stays_where_nothing_is_recorded(tmp_path: Path, zombie: int) -> None:
    path = tmp_path / "run.mdr"
    path.write_bytes(b"precious")
    assert main(("record", str(zombie), "-o", str(path), "--force")) in (3, 5)
    unread = ("record", "--url", "http://127.0.0.1:1/", "-o", str(path), "--force", "-d", "100ms", "-i", "50ms")
    assert main(unread) == 5
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"precious"]


class Noted(Watch):
    """A watch with an alert log."""

    def note(self, summary: str, severity: Severity) -> None:
        self.noted = summary, severity


def test_what_could_not_be_written_to_the_end_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, watch, heard = tmp_path / "run.mdr", Noted(), list[str]()
    keeping = Keeping(max_size=1 << 30, max_age=None)
    with recorders(path, [watch], keeping, hear=heard.append) as (recorder,):  # type: ignore[list-item]
        watch.publish(0.0)
        while recorder.state.since is None:
            pass
        path.unlink()
        watch.publish(2.0)
        while not recorder.state.trouble:
            pass
        watch.publish(8.5)
    assert (recorder.state.unwritten_s, recorder.state.dropped) == (8.5, 0)
    assert watch.noted == (heard[0], Severity.WARNING)
    why = f"{path} has gone: No such file or directory"
    assert capfd.readouterr().err == f"memdash: nothing was recorded; the last 8.5 s could not be written: {why}\n"


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
    tmp_path: Path, capfd: pytest.CaptureFixture[str], beside: tuple[str, ...], what: str
) -> None:
    assert main(("record", "--salvage", str(tmp_path / "run.mdr"), *beside)) == 2
    assert f"{what} does nothing beside --salvage" in capfd.readouterr().err
