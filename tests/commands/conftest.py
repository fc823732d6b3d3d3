"""Command lines are read without the settings of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from memdash.model.snapshot import Snapshot
from tests.recorded import record, watched


@pytest.fixture(autouse=True)
def always_without_settings(no_settings: None) -> None: ...


@pytest.fixture
def said(run: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    """Run ``memdash check``: its code, what it wrote and what it told."""
    return partial(run, "check")


@pytest.fixture(scope="module")
def seen() -> Sequence[Snapshot]:
    """A watch of 400 s."""
    return watched(400, ends=True)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, seen: Sequence[Snapshot]) -> Path:
    """It, recorded."""
    path = tmp_path_factory.mktemp("recorded") / "run.mdr"
    record(path, seen)
    return path
