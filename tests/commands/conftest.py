"""Command lines are read without the settings of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.cli import main


@pytest.fixture(autouse=True)
def always_without_settings(no_settings: None) -> None: ...


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run ``memdash check``: its code, what it wrote and what it told."""

    def run(*argv: str | int | Path) -> tuple[int, str, str]:
        code = main(["check", *map(str, argv)])
        return code, *capfd.readouterr()

    return run
