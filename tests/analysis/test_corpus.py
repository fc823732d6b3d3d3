"""The verdict on series of every kind; the benchmark tries all of them, these are the ones that are quickly tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corpus.naive import NAIVE
from tests.corpus.recording import CHOSEN_ON, HELD_OUT, HOURS, Label, Recording, load, recordings, save
from tests.corpus.synthetic import synthetic
from tests.corpus.trial import try_on, verdicts

_EVERY = 10
"""A look every so many seconds is enough here."""

RECORDED = {recording.name: recording for recording in recordings(CHOSEN_ON)}
QUICK = (
    "go-noisy", "go-phases", "go-slow-warm-up", "go-bounded", "go-slow-leak-calm", "go-batch-and-leak",
    "cpython-rare-batch", "native-unrest",
)  # fmt: skip
KNOWN_TO_BE_WRONG = ("cpython-sawtooth", "native-batch", "native-tides")
"""Of those held out. To tune on them would end that."""
REST = [name for name in RECORDED if name not in QUICK]


def assert_right(recording: Recording) -> None:
    trial = try_on(recording, verdicts, _EVERY)
    assert not trial.is_false_alarm, trial.story
    assert not trial.is_miss, trial.story


@pytest.mark.parametrize("name", QUICK)
def test_recorded(name: str) -> None:
    assert_right(RECORDED[name])


@pytest.mark.matrix
@pytest.mark.parametrize("name", REST)
def test_recorded_too(name: str) -> None:
    assert_right(RECORDED[name])


def _held_out() -> Iterator[object]:
    for path in sorted(HELD_OUT.glob("*.json.gz")):
        name = path.name.removesuffix(".json.gz")
        wrong = pytest.mark.xfail(reason="half a swing, or a high water mark, passes for growth", strict=True)
        yield pytest.param(path, id=name, marks=[wrong] if name in KNOWN_TO_BE_WRONG else [])


@pytest.mark.matrix
@pytest.mark.parametrize("path", list(_held_out()))
def test_nothing_healthy_that_it_was_not_tuned_on_is_called_a_leak(path: Path) -> None:
    """How many of the leaks are missed or late is for the benchmark to tell."""
    recording = load(path)
    trial = try_on(recording, verdicts, _EVERY)
    assert recording.label.leaks or trial.alarm_s is None, trial.story


@pytest.mark.matrix
@pytest.mark.parametrize("path", sorted(HOURS.glob("*.json.gz")), ids=lambda path: path.name)
def test_an_hour_of_a_healthy_busy_server_gives_no_alert(path: Path) -> None:
    hour = load(path)
    trial = try_on(hour, lambda: verdicts(hour.age_s or 0.0), 5)
    assert trial.alarm_s is None, trial.story


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(3))
def test_made_up(seed: int) -> None:
    for recording in synthetic(range(seed, seed + 1)):
        assert_right(recording)


def test_every_kind_is_recorded_of_every_runtime() -> None:
    kinds = Counter((recording.runtime, recording.label) for recording in RECORDED.values())
    assert len(RECORDED) >= 60
    assert set(kinds) == {(runtime, label) for runtime in ("go", "cpython", "native") for label in Label}


def test_a_series_is_kept_as_it_is(tmp_path: Path) -> None:
    recording = RECORDED["go-leak"]
    assert load(save(recording, tmp_path)) == recording


def test_naive_detectors_are_wrong_more_often() -> None:
    """Else the rest were for nothing."""
    wrong = Counter[str]()
    for name in ("go-sawtooth", "go-warm-up", "go-slow-leak-calm", "go-batch-and-leak"):
        for detector, made in NAIVE.items():
            trial = try_on(RECORDED[name], made, _EVERY)
            wrong[detector] += trial.is_false_alarm or trial.is_miss
    assert len(wrong) == len(NAIVE)
    assert min(wrong.values()) >= 2
