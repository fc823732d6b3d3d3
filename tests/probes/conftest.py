"""What tests of any way of reading need."""

import pytest


@pytest.fixture
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes on meanwhile that a check of an invariant should wait for."""
    monkeypatch.setattr("memdash.probes.invariants._PAUSES_S", (0.0,) * 7)
