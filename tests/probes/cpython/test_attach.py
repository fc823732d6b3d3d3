"""What the alert log says of an attach."""

from __future__ import annotations

from memdash.model.missing import Missing
from memdash.probes.cpython.attach import _tracing_log


def test_the_log_speaks_of_tracing_only_where_it_is_known() -> None:
    assert _tracing_log(0) == []
    assert _tracing_log(Missing("address 0x10 is not mapped")) == []
    (line,) = _tracing_log(25)
    assert "up to 25 frames" in line
