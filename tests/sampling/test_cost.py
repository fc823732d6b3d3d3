"""What memdash takes is told over seconds, and not before there are any."""

from __future__ import annotations

import pytest

from memdash.model.missing import Missing
from memdash.sampling.cost import CostMeter


def test_the_share_of_cpu_is_that_of_the_last_seconds() -> None:
    now, cpu = [100.0], [7.0]
    meter = CostMeter(lambda: now[0], lambda: cpu[0])
    assert isinstance(meter.measure().cpu_percent, Missing)
    now[0], cpu[0] = 102.9, 9.0
    assert isinstance(meter.measure().cpu_percent, Missing)
    now[0], cpu[0] = 104.0, 9.1
    assert isinstance(meter.measure().cpu_percent, Missing)
    now[0], cpu[0] = 105.0, 9.105
    assert meter.measure().cpu_percent == pytest.approx(5.0)
    for second in range(60):
        now[0], cpu[0] = 106.0 + second, 8.0 + second / 100
        measured = meter.measure()
    assert measured.cpu_percent == pytest.approx(1.0)


def test_resident_bytes_are_those_of_this_process() -> None:
    resident = CostMeter().measure().rss_bytes
    assert isinstance(resident, int)
    assert 5 << 20 < resident < 2 << 30
