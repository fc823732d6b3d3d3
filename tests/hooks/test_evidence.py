"""What is saved when an alert fires opens again, is whole or not there, and costs the watch nothing."""

from __future__ import annotations

import errno
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.analysis.alerts import AlertLog
from memdash.errors import HookError, RecordingError
from memdash.hooks import pieces
from memdash.hooks.alert import Alert
from memdash.hooks.evidence import Evidence
from memdash.hooks.folders import FILES, Folders, private_file
from memdash.hooks.hooks import Hooks
from memdash.hooks.wanted import Wanted
from memdash.model.finding import Severity, TransitionKind
from memdash.model.missing import NOT_READ_YET, Missing
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot
from memdash.model.target import Ending
from memdash.pprof.decode import decode
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from tests.fakes import NOON_S, a_profile, a_snapshot, a_target, some_threads
from tests.hooks.conftest import FakeWatch, transition

PATIENCE_S = 20.0
Make = Callable[..., Evidence]


def later(shown: Snapshot, seconds: float) -> Snapshot:
    """The same so much later."""
    at = Instant(shown.at.wall_s + seconds, shown.at.mono_s + seconds)
    return replace(shown, at=at, sample=replace(shown.sample, at=at))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "evidence"


@pytest.fixture
def evidence(root: Path) -> Iterator[Evidence]:
    folders = Folders(root, 20, 500 << 20)
    folders.prepare()
    made = Evidence(folders)
    yield made
    made.cancel()
    made.close()


@pytest.fixture
def fire(watch: FakeWatch) -> Callable[..., Alert]:
    def make(rule: str = "heap", severity: Severity = Severity.WARNING, **changes: object) -> Alert:
        kind = changes.pop("kind", TransitionKind.OPENED)
        assert isinstance(kind, TransitionKind)
        return Alert(a_target(), watch.shown.at, transition(rule, severity, kind), watch, watch.shown)

    return make


def test_everything_is_in_a_folder_and_opens_again(
    root: Path, evidence: Evidence, watch: FakeWatch, fire: Callable[..., Alert]
) -> None:
    first = a_snapshot(seconds=1, findings=[transition("gc pause").finding])
    watch.shown = first = replace(first, sample=replace(first.sample, tasks=some_threads()))
    evidence.follow(watch)
    for second in range(0, 420, 20):
        watch.shown = later(first, second)
        watch.fire()
    evidence.tell(fire("heap > 1/2 MiB"))
    (folder,) = root.iterdir()
    assert folder.name.endswith("-heap_1_2_MiB-shop-server-41287")
    assert {path.name for path in folder.iterdir()} == {*FILES, ".memdash-evidence"} - {"residence.json"}
    assert stat.S_IMODE(root.stat().st_mode) == stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert sum(sample.values[0] for sample in decode((folder / "heap.pb.gz").read_bytes()).samples) > 0
    told = json.loads((folder / "finding.json").read_text())
    assert told["finding"]["rule"] == "heap > 1/2 MiB"
    assert set(told["missing"]) == {"residence.json"}
    assert json.loads((folder / "tasks.json").read_text())["rows"]
    assert "shop-server" in (folder / "report.txt").read_text()
    recording = Recording.open(folder / "run.mdr")
    moments = [moment.at.wall_s - first.at.wall_s for moment in recording.moments(0, 1e12)]
    assert moments == [pytest.approx(second) for second in range(100, 420, 20)]
    assert [mark.note for mark in recording.marks()] == [
        "shop-server (pid 41287): WARN heap > 1/2 MiB: heap > 1/2 MiB is over"
    ]
    assert [finding.rule for finding in recording.findings() if not finding.is_mark] == ["gc pause"]
    recording.close()
    assert watch.notes == [f"evidence of heap > 1/2 MiB saved in {folder}"]


def test_the_last_minutes_are_those_that_passed_though_the_clock_was_set(
    root: Path, evidence: Evidence, watch: FakeWatch, fire: Callable[..., Alert]
) -> None:
    """What was said of alerts is dated as the watch had it; what was over before is there from the beginning."""
    first = a_snapshot(seconds=1)
    log = AlertLog()
    watch.shown = first
    evidence.follow(watch)
    spans = {"long over": (0, 20), "within": (200, 260), "across": (280, 400), "now": (400, 999)}
    for second in range(0, 420, 20):
        shown = later(first, second)
        at = Instant(shown.at.wall_s - 3600 * (second >= 300), shown.at.mono_s)
        found = {rule: replace(transition(rule).finding, ended_at_s=None) for rule in spans}
        log.observe(at, {rule: found[rule] if begin <= second < end else None for rule, (begin, end) in spans.items()})
        watch.shown = replace(shown, at=at, sample=replace(shown.sample, at=at), findings=log.entries)
        watch.fire()
    evidence.tell(fire("now"))
    (folder,) = root.iterdir()
    recording = Recording.open(folder / "run.mdr")
    moments = [round(moment.at.mono_s - first.at.mono_s) for moment in recording.moments(0, 1e12)]
    assert moments == list(range(100, 420, 20))
    for second in moments[:-1]:
        held = [each.rule for each in recording.findings(first.at.mono_s + second) if each.ended_at_s is None]
        assert set(held) == {rule for rule, (begin, end) in spans.items() if begin <= second < end}
    (over,) = (each for each in recording.findings(first.at.mono_s + 100) if each.ended_at_s is not None)
    assert over.rule == "long over"
    assert {each.rule for each in recording.findings()} == {*spans, "mark"}
    recording.close()


def test_what_cannot_be_had_is_left_out_and_said(
    root: Path, evidence: Evidence, watch: FakeWatch, fire: Callable[..., Alert]
) -> None:
    closed = Missing("its memory is closed to us")
    sample = replace(watch.shown.sample, sites=closed, objects=closed, tasks=closed)
    watch.shown = replace(watch.shown, sample=sample, residence=closed)
    evidence.tell(fire())
    (folder,) = root.iterdir()
    told = json.loads((folder / "finding.json").read_text())
    assert told["missing"] == {
        "heap.pb.gz": "there is no profile to be had: its memory is closed to us",
        "tasks.json": "its memory is closed to us",
        "residence.json": "its memory is closed to us",
        "run.mdr": "nothing was recorded",
    }
    assert {path.name for path in folder.iterdir()} == {"finding.json", "report.txt", ".memdash-evidence"}


def test_what_is_read_slowly_is_waited_for(
    root: Path, evidence: Evidence, watch: FakeWatch, fire: Callable[..., Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = replace(watch.shown, sample=replace(watch.shown.sample, sites=a_profile()))
    watch.shown = unread = replace(whole, sample=replace(whole.sample, sites=NOT_READ_YET))
    moments = iter((unread, whole))
    monkeypatch.setattr(watch, "snapshot", lambda: next(moments))
    evidence.tell(fire())
    assert len(list(root.glob("*/heap.pb.gz"))) == 1
    assert next(moments, None) is None


@pytest.mark.parametrize("piece", [1, 3])
def test_on_a_full_disk_nothing_is_left(
    root: Path,
    evidence: Evidence,
    watch: FakeWatch,
    fire: Callable[..., Alert],
    monkeypatch: pytest.MonkeyPatch,
    piece: int,
) -> None:
    write, written = private_file, list[Path]()

    def fail(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) == piece:
            write(path, content[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(pieces, "private_file", fail)
    with pytest.raises(HookError, match="heap: No space left on device"):
        evidence.tell(fire())
    assert list(root.iterdir()) == []
    evidence.tell(fire())  # there is room again, and no cooldown after a failure
    assert len(list(root.iterdir())) == 1


def test_a_recording_that_cannot_be_written_leaves_nothing(
    root: Path, evidence: Evidence, watch: FakeWatch, fire: Callable[..., Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RecordingError("database or disk is full")

    evidence.follow(watch)
    watch.fire()
    monkeypatch.setattr(Writer, "mark", fail)
    with pytest.raises(HookError, match="disk is full"):
        evidence.tell(fire())
    assert list(root.iterdir()) == []


def test_what_is_broken_off_leaves_nothing(root: Path, evidence: Evidence, fire: Callable[..., Alert]) -> None:
    evidence.cancel()
    with pytest.raises(HookError, match="broken off"):
        evidence.tell(fire())
    assert list(root.iterdir()) == []


def test_the_same_is_not_saved_again_at_once_unless_it_is_worse(
    root: Path, evidence: Evidence, watch: FakeWatch, fire: Callable[..., Alert]
) -> None:
    def saved(seconds: float, severity: Severity = Severity.WARNING, rule: str = "heap") -> bool:
        before = len(list(root.iterdir()))
        watch.shown = later(first, seconds)
        evidence.tell(fire(rule, severity))
        return len(list(root.iterdir())) > before

    first = watch.shown
    assert saved(0)
    assert not saved(10)
    assert saved(11, Severity.CRITICAL)
    assert saved(11, rule="tasks")
    assert not saved(59)
    assert saved(72)


def test_only_a_bad_end_of_the_target_is_evidence_among_notes(
    root: Path, evidence: Evidence, watch: FakeWatch, fire: Callable[..., Alert]
) -> None:
    evidence.tell(fire("memdash", kind=TransitionKind.HAPPENED))
    watch.shown = replace(watch.shown, ending=Ending(at_s=NOON_S, exit_code=0))
    evidence.tell(fire("memdash", Severity.CRITICAL, kind=TransitionKind.HAPPENED))
    assert list(root.iterdir()) == []
    watch.shown = replace(watch.shown, ending=Ending(at_s=NOON_S, signal_number=9))
    evidence.tell(fire("memdash", Severity.CRITICAL, kind=TransitionKind.HAPPENED))
    assert len(list(root.iterdir())) == 1


def test_two_alerts_in_one_tick_are_both_saved_and_less_is_not(
    root: Path, evidence: Evidence, watch: FakeWatch
) -> None:
    hooks = Hooks([], evidence=(evidence, Wanted(Severity.CRITICAL)))
    hooks.follow(watch)
    watch.fire(
        transition("heap", Severity.CRITICAL), transition("gc pause"), transition("tasks pile up", Severity.CRITICAL)
    )
    assert hooks.finish(PATIENCE_S) == ()
    hooks.close()
    hooks.close()
    assert sorted(path.name.partition("-")[2].partition("-")[2].partition("-shop")[0] for path in root.iterdir()) == [
        "heap",
        "tasks_pile_up",
    ]
