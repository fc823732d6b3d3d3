"""What may befall a recording: it is killed, its disk fills, somebody else writes it, its bytes rot."""

import contextlib
import os
import random
import resource
import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memdash.errors import Corrupt, MemdashError, NewerFormat, RecordingError
from memdash.recording.enduring import Enduring
from memdash.recording.moment import Moment
from memdash.recording.reader import Recording
from memdash.recording.salvage import salvage
from memdash.recording.writer import Writer
from tests.fakes import FakeClock, a_target
from tests.recording.conftest import watch, written

Watched = Callable[..., list[Moment]]


def times(path: Path) -> list[float]:
    recording = Recording.open(path)
    try:
        return [moment.at.mono_s for moment in recording.moments(0, 1e11)]
    finally:
        recording.close()


def killed_while_writing(path: Path, moments: list[Moment], after: int) -> list[float]:
    """Write in a process of its own and kill it once ``after`` batches are there; when those were that it has told."""
    reader, teller = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            writer = Writer(path)
            run = writer.begin(a_target(), moments[0].at, 1.0)
            for moment in moments:
                writer.write(run, [moment])
                os.write(teller, struct.pack("d", moment.at.mono_s))
            signal.pause()
        finally:
            os._exit(1)  # a forked child must not come back into pytest
    os.close(teller)
    with open(reader, "rb") as told:
        content = told.read(8 * after)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        content += told.read()
    return list(struct.unpack(f"{len(content) // 8}d", content))


def kill_and_look(tmp_path: Path, watched: Watched, tries: int) -> None:
    chance, moments = random.Random(7), watched(100)
    for number in range(tries):
        path = tmp_path / f"{number}.mdr"
        told = killed_while_writing(path, moments, chance.randrange(1, 100))
        held = times(path)
        assert held[: len(told)] == told
        assert len(held) <= len(told) + 1


def test_a_killed_recording_opens_and_has_all_but_the_last_batch(tmp_path: Path, watched: Watched) -> None:
    kill_and_look(tmp_path, watched, 6)


@pytest.mark.matrix
def test_a_hundred_killed_recordings_do(tmp_path: Path, watched: Watched) -> None:
    kill_and_look(tmp_path, watched, 100)


def test_a_killed_recording_can_be_gone_on_in(path: Path, watched: Watched) -> None:
    moments = watched(90)
    killed_while_writing(path, moments[:80], 80)
    with pytest.raises(RecordingError, match="exists already"):
        Writer(path)
    writer = Writer(path, appends=True)
    run = writer.begin(a_target(pid=9), moments[80].at, 1.0)
    writer.write(run, moments[80:])
    writer.close()
    recording = Recording.open(path)
    assert [len(list(recording.of(run.number).moments(0, 1e11))) for run in recording.runs] == [80, 10]
    assert recording.run.target.pid == 9
    recording.close()


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    """Files may not grow past ``size``: to SQLite a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_it_goes_on_in_memory_and_returns(path: Path, watched: Watched, clock: FakeClock) -> None:
    moments, told, now_s = watched(150), list[str](), [0.0]
    writer = Writer(path)
    enduring = Enduring(writer, told.append, lambda: now_s[0])
    run = enduring.begin(a_target(), moments[0].at, 1.0)
    enduring.write(run, moments[:40])
    with no_room_beyond(path.stat().st_size + path.with_name("run.mdr-wal").stat().st_size):
        for moment in moments[40:130]:
            enduring.write(run, [moment])
        assert len(told) == 1
        assert "goes on in memory" in told[0]
        assert enduring.trouble
        now_s[0] += 20
        enduring.write(run, moments[130:140])
        assert len(told) == 1
        assert enduring.unwritten_s == 100.0
    now_s[0] += 20
    enduring.write(run, moments[140:])
    assert "again" in told[1]
    assert (enduring.trouble, enduring.unwritten_s) == ("", 0.0)
    enduring.end(run)
    enduring.close()
    assert times(path) == [moment.at.mono_s for moment in moments]
    recording = Recording.open(path)
    series = recording.series("HeapAlloc", moments[0].at.mono_s, moments[-1].at.mono_s)
    assert list(series.times_s) == [moment.at.mono_s for moment in moments]
    recording.close()


def test_what_was_kept_in_memory_is_found_in_its_place_at_once(path: Path, watched: Watched) -> None:
    """Though the minute in which the disk was full stands in two pieces, and nothing more comes: it is killed."""
    moments, now_s = watched(230), [0.0]
    enduring = Enduring(Writer(path), lambda _: None, lambda: now_s[0])
    run = enduring.begin(a_target(), moments[0].at, 1.0)
    enduring.write(run, moments[:30])
    with no_room_beyond(path.stat().st_size + path.with_name("run.mdr-wal").stat().st_size):
        for moment in moments[30:220]:
            enduring.write(run, [moment])
    assert enduring.trouble
    now_s[0] += 20
    enduring.write(run, moments[220:])
    recording = Recording.open(path)
    assert [recording.moment_by(moment.at.mono_s).at for moment in moments] == [moment.at for moment in moments]
    assert times(path) == [moment.at.mono_s for moment in moments]
    recording.close()
    enduring.close()


_FULL_DISK = """
import sys
from pathlib import Path
from memdash.errors import RecordingError
from memdash.recording.writer import Writer
from memdash.recording.reader import Recording
from tests.fakes import a_target, a_sample, FakeClock
from memdash.recording.moment import Moment
from memdash.recording.enduring import Enduring
from memdash.model.snapshot import State
folder, clock, told, now_s = Path(sys.argv[1]), FakeClock(), [], [0.0]
writer = Writer(folder / "run.mdr")
enduring = Enduring(writer, told.append, lambda: now_s[0])
run = enduring.begin(a_target(), clock.now(), 1.0)
def tick():
    at = clock.now()
    enduring.write(run, [Moment(at=at, state=State.LIVE, sample=a_sample(at))])
    clock.advance(1.0)
    now_s[0] += 1.0
for _ in range(70):
    tick()
with (folder / "filler").open("wb", buffering=0) as filler:
    try:
        while True:
            filler.write(bytes(4096))
    except OSError:
        pass
for _ in range(200):
    tick()
assert len(told) == 1 and "full" in told[0], told
(folder / "filler").unlink()
for _ in range(30):
    tick()
assert len(told) == 2, told
enduring.end(run)
enduring.close()
print(sum(1 for _ in Recording.open(folder / "run.mdr").moments(0, 1e11)))
"""


@pytest.mark.matrix
def test_a_full_file_system_is_such_a_disk(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=4m none {tmp_path} && exec {sys.executable} -c '{_FULL_DISK}' {tmp_path}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True, text=True, check=False)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"no file system of our own can be mounted here: {done.stderr.strip()}")
    assert (done.stdout, done.stderr) == ("300\n", "")


def test_a_second_writer_is_refused(path: Path, writer: Writer) -> None:
    with pytest.raises(RecordingError, match="is being written by another memdash"):
        Writer(path, appends=True)
    code = (
        "import sys; from pathlib import Path; from memdash.recording.writer import Writer\n"
        "try: Writer(Path(sys.argv[1]), replaces=True)\n"
        "except Exception as error: print(error)"
    )
    found = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert "is being written by another memdash" in found.stdout
    writer.begin(a_target(), FakeClock().now(), 1.0)


def test_an_existing_file_is_only_overwritten_when_told_to(path: Path) -> None:
    path.write_bytes(b"precious")
    with pytest.raises(RecordingError, match="exists already"):
        Writer(path)
    with pytest.raises(Corrupt, match="no recording"):
        Writer(path, appends=True)
    assert path.read_bytes() == b"precious"
    Writer(path, replaces=True).close()
    assert path.read_bytes() == b"precious"
    assert [*path.parent.iterdir()] == [path]


def test_what_is_to_be_replaced_stays_until_the_first_run_has_begun(path: Path, watched: Watched) -> None:
    path.write_bytes(b"precious")
    path.chmod(0o666)
    moments = watched(2)
    writer = Writer(path, replaces=True)
    assert path.read_bytes() == b"precious"
    with no_room_beyond(0), pytest.raises(RecordingError):
        writer.begin(a_target(), moments[0].at, 1.0)
    assert path.read_bytes() == b"precious"
    run = writer.begin(a_target(), moments[0].at, 1.0)
    assert times(path) == []
    writer.write(run, moments)
    with pytest.raises(RecordingError, match="is being written by another memdash"):
        Writer(path, replaces=True)
    assert times(path) == [moment.at.mono_s for moment in moments]
    writer.close()
    assert times(path) == [moment.at.mono_s for moment in moments]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("replaces", [False, True])
def test_a_disk_that_is_full_from_the_start_is_left_as_it_was(path: Path, replaces: bool) -> None:
    if replaces:
        path.write_bytes(b"precious")
    with no_room_beyond(4096), pytest.raises(RecordingError):
        Writer(path, replaces=replaces)
    assert [file.read_bytes() for file in path.parent.iterdir()] == [b"precious"] * replaces
    Writer(path, replaces=replaces).close()


def test_a_file_that_is_deleted_meanwhile_is_missed(path: Path, watched: Watched) -> None:
    moments, told = watched(40), list[str]()
    enduring = Enduring(Writer(path), told.append)
    run = enduring.begin(a_target(), moments[0].at, 1.0)
    enduring.write(run, moments[:30])
    path.unlink()
    enduring.write(run, moments[30:35])
    assert f"{path} has gone" in told[0]
    path.write_bytes(b"another's")
    enduring.write(run, moments[35:])
    assert f"{path} has gone" in enduring.trouble
    enduring.end(run)
    assert "has been replaced by another file" in enduring.trouble
    assert enduring.unwritten_s == 10.0
    enduring.close()
    assert path.read_bytes() == b"another's"


def test_only_its_owner_may_read_it(path: Path, writer: Writer) -> None:
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_in_a_closed_folder_there_is_a_clear_word(tmp_path: Path, as_nobody: Callable[..., str]) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(RecordingError, match="cannot be written: No such file"):
        Writer(tmp_path / "nowhere" / "run.mdr")
    assert "cannot be written: Permission denied" in as_nobody(lambda: str(Writer(tmp_path / "run.mdr")))


def test_a_settled_recording_opens_where_nothing_may_be_written(
    tmp_path: Path, watched: Watched, as_nobody: Callable[..., str]
) -> None:
    path = tmp_path / "run.mdr"
    written(path, watched(70))
    assert [file.name for file in tmp_path.iterdir()] == ["run.mdr"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    connection.close()
    around = [folder for folder in tmp_path.parents if folder.name.startswith(("pytest-", "popen-"))]
    for ours in (path, tmp_path, *around):
        ours.chmod(0o755)
    assert as_nobody(lambda: str(len(times(path)))) == "70"


def test_a_newer_format_is_not_guessed_at(path: Path, watched: Watched) -> None:
    written(path, watched(2))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(NewerFormat, match="is of format 99"):
        Recording.open(path)
    with pytest.raises(NewerFormat, match="is of format 99"):
        Writer(path, appends=True)


def test_what_is_no_recording_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="there is no recording"):
        Recording.open(tmp_path / "none.mdr")
    (tmp_path / "text.mdr").write_text("hello, this is no database at all, whatever it is called" * 50)
    with pytest.raises(Corrupt, match="no recording"):
        Recording.open(tmp_path / "text.mdr")
    sqlite3.connect(tmp_path / "other.mdr").execute("CREATE TABLE other (x)").connection.close()
    with pytest.raises(Corrupt, match="is no recording of memdash"):
        Recording.open(tmp_path / "other.mdr")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of two minutes."""
    path = tmp_path_factory.mktemp("whole") / "run.mdr"
    written(path, watch(FakeClock(), 70))
    return path


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    damage=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), min_size=1, max_size=30),
    left=st.sampled_from([1.0, 1.0, 0.95, 0.5, 0.001]),
)
def test_damage_never_leads_to_anything_but_an_error_of_ours(
    damage: list[tuple[int, int]], left: float, tmp_path: Path, whole: Path
) -> None:
    content = bytearray(whole.read_bytes())
    for place, bits in damage:
        content[place % len(content)] ^= bits
    cut = int(left * len(content))
    path, into = tmp_path / "damaged.mdr", tmp_path / "saved.mdr"
    path.write_bytes(content[:cut])
    into.unlink(missing_ok=True)
    for look in (lambda: read_all(path), lambda: salvage(path, into), lambda: read_all(into)):
        with contextlib.suppress(MemdashError):
            look()


def read_all(path: Path) -> int:
    recording = Recording.open(path)
    try:
        moments = list(recording.moments(0, 1e11))
        recording.series("HeapAlloc", 0.0, 1e11)
        recording.findings(1e11)
        recording.marks()
        return len(moments)
    finally:
        recording.close()


def test_what_is_sound_of_a_damaged_recording_is_saved(tmp_path: Path, path: Path, watched: Watched) -> None:
    written(path, watched(200))
    content = bytearray(path.read_bytes())
    with sqlite3.connect(path) as connection:
        ((data,),) = connection.execute("SELECT data FROM minute ORDER BY mono LIMIT 1 OFFSET 1").fetchall()
    connection.close()
    place = content.index(data[100:140])
    content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(Corrupt, match="damaged"):
        read_all(path)
    found = salvage(path, tmp_path / "saved.mdr")
    assert found.lost == 1
    assert 130 <= read_all(tmp_path / "saved.mdr") <= 141
