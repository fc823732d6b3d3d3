"""Command lines are read without the settings of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest


@pytest.fixture(autouse=True)
def always_without_settings(no_settings: None) -> None: ...


@pytest.fixture
def said(run: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    """Run ``memdash check``: its code, what it wrote and what it told."""
    return partial(run, "check")
