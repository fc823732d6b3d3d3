"""A view on the whole screen: what it is of, what it is compared with, and what was asked for."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from memdash.cli import main
from memdash.commands.browsing import Browsing
from memdash.pprof.taken import TakenProfile
from memdash.ui.screens.profile.screen import ProfileScreen
from memdash.ui.screens.profile.study import Study
from tests.pprof.documents import of_stacks

Browse = Callable[..., Study]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What profiles were read; none is really there."""
    names: list[str] = []

    def profile_from(name: str, run: int | None = None) -> TakenProfile:
        names.append(name)
        return TakenProfile(of_stacks({"main > add": 700}))

    monkeypatch.setattr("memdash.commands.viewing.profile_from", profile_from)
    return names


@pytest.fixture
def browse(monkeypatch: pytest.MonkeyPatch, read: list[str]) -> Browse:
    """``memdash flame`` on a terminal; what it would show."""
    seen: list[Study] = []

    def run_view(view: Callable[[], ProfileScreen[Any]], _options: object) -> None:
        assert gc.isenabled()
        seen.append(view().study)

    monkeypatch.setattr("memdash.ui.app.run_view", run_view)
    monkeypatch.setattr(Browsing, "is_possible", True)

    def browsing(*argv: str) -> Study:
        assert main(["flame", *argv]) == 0
        return seen[-1]

    return browsing


def test_a_server_goes_by_its_url_and_a_process_by_its_pid(browse: Browse) -> None:
    assert browse("HTTP://localhost:6060/debug/pprof/heap").moment.title == "http://localhost:6060/debug/pprof/heap"
    assert browse("41287", "--diff-base", "http://h:1/x").moment.since == "since http://h:1/x"
    assert browse("41287").moment.title == "pid 41287"


def test_what_it_is_compared_with_is_read_once_and_stays(browse: Browse, read: list[str]) -> None:
    study = browse("41287", "--diff-base", "http://h:1/x")
    for _ in range(3):
        study.sight(study.lens, None).view()
        study.renew()
    assert read.count("http://h:1/x") == 1
    assert read.count("41287") == 3


def test_how_much_is_left_out_is_as_it_was_asked_for(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browse("41287").lens.node_fraction is None
    assert browse("41287", "--nodefraction", "0.1").lens.options.node_fraction == 0.1
    monkeypatch.setenv("MEMDASH_NODEFRACTION", "0")
    assert browse("41287").lens.options.node_fraction == 0
