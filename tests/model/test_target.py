"""How bad an end is."""

from __future__ import annotations

import pytest

from memdash.model.finding import Severity
from memdash.model.target import Ending


@pytest.mark.parametrize(
    ("ending", "severity"),
    [
        (Ending(at_s=1.0, exit_code=0), Severity.INFO),
        (Ending(at_s=1.0, exit_code=3), Severity.WARNING),
        (Ending(at_s=1.0), Severity.WARNING),
        (Ending(at_s=1.0, replaced="pid 41287 now runs sh"), Severity.WARNING),
        (Ending(at_s=1.0, signal_number=15), Severity.CRITICAL),
        (Ending(at_s=1.0, signal_number=9, oom_killed=True), Severity.CRITICAL),
        (Ending(at_s=1.0, is_silent=True), Severity.CRITICAL),
    ],
)
def test_only_an_end_that_is_not_well_is_an_alert(ending: Ending, severity: Severity) -> None:
    assert ending.severity is severity
