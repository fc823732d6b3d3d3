import pytest

from memdash.model.system import Pressure
from memdash.probes.system.pressure import parse_pressure


def test_percentages_and_totals_in_seconds() -> None:
    text = (
        b"some avg10=12.50 avg60=3.00 avg300=1.00 total=1500000\nfull avg10=2.25 avg60=0.00 avg300=0.00 total=250000\n"
    )
    assert parse_pressure(text, "host") == Pressure(
        scope="host", some_avg10_percent=12.5, full_avg10_percent=2.25, some_total_s=1.5, full_total_s=0.25
    )


def test_without_a_full_line_it_is_not_taken_for_zero() -> None:
    with pytest.raises(ValueError, match="not a memory pressure file"):
        parse_pressure(b"some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", "host")
