"""Command lines are read without the settings of whoever runs the tests."""

import pytest


@pytest.fixture(autouse=True)
def always_without_settings(no_settings: None) -> None: ...
