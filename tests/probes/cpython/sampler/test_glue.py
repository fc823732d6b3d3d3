"""The glue where no target is needed: what it makes of the library's answers."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from memdash.probes.cpython.sampler.glue import BUSY, KEPT, Sampler


@pytest.fixture
def sampler(monkeypatch: pytest.MonkeyPatch) -> Sampler:
    """One that has begun. ``answers`` of its library are what it says to each attempt to end it."""
    monkeypatch.setitem(sys.__dict__, KEPT, (threading.Lock(), {}))
    found = Sampler("", threading.Lock)
    found.is_ours = True
    return found


def ending(sampler: Sampler, *answers: int) -> None:
    left = iter(answers)
    library: Any = SimpleNamespace(end=lambda: next(left))
    sampler.library = library


def test_what_could_not_end_is_ended_later(sampler: Sampler) -> None:
    ending(sampler, BUSY, 0)
    assert "try again" in sampler.stop()["why"]
    assert sampler.stop() == {"left": 0}
    assert "another memdash" in sampler.stop()["why"]


def test_hooks_that_stay_are_told(sampler: Sampler) -> None:
    ending(sampler, 4)
    assert sampler.stop() == {"left": 4}
