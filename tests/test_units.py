"""Figures are written one way, and read back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memdash.errors import UsageError
from memdash.units import (
    Unit,
    byte_size,
    clock_tick,
    count,
    day_and_zone,
    duration,
    exact,
    exact_span,
    figure,
    iso_time,
    nanoseconds,
    parse_bytes,
    parse_duration,
    parse_figure,
    parse_growth,
    per_minute,
    ratio,
    signed,
    span,
    things,
    zone_offset_s,
)


def test_one_thing_is_no_plural() -> None:
    assert [things(number, "moment") for number in (0, 1, 2, 12_000)] == [
        "0 moments", "1 moment", "2 moments", "12 000 moments"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (10 * 1024, "10.0 KiB"),
        (432_644_915, "412.6 MiB"),
        (1024**2 - 1, "1.00 MiB"),
        (1024**3 * 81.3, "81.3 GiB"),
        (-1_258_291, "-1.20 MiB"),
        (2**63, "8.00 EiB"),
        (2**80, "1048576 EiB"),
        (1000 * 1024, "1000 KiB"),
        (1023.4 * 1024**2, "1023 MiB"),
        (1023.6 * 1024**2, "1.00 GiB"),
    ],
)
def test_bytes(value: float, text: str) -> None:
    assert byte_size(value) == text


@given(st.floats(min_value=0, max_value=2**62))
def test_bytes_never_show_more_than_four_digits(value: float) -> None:
    digits = byte_size(value).split()[0]
    assert len(digits) <= 6
    assert sum(c.isdigit() for c in digits) <= 4


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (412, "412"), (1.5, "1.50"), (3_204_118, "3 204 118"), (912_400_000, "912.4 M"), (1.2e12, "1.20 T")],
)
def test_counts(value: float, text: str) -> None:
    assert count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (85, "85 ns"),
        (1_000, "1.00 µs"),
        (112_000, "112 µs"),
        (999_499, "999 µs"),
        (999_500, "1.00 ms"),
        (1_840_000, "1.84 ms"),
        (2_310_000_000, "2.3 s"),
    ],
)
def test_nanoseconds(value: float, text: str) -> None:
    assert nanoseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.84, "0.8 s"), (42, "42 s"), (59.7, "1m00s"), (192, "3m12s"), (11_520, "3h12m"), (532_800, "6d04h")],
)
def test_durations(value: float, text: str) -> None:
    assert duration(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0s"), (0.8, "0.8s"), (8.0, "8s"), (45.0, "45s"), (300.0, "5m"), (600.0, "10m"), (192.0, "3m12s"),
     (5400.0, "1h30m"), (7200.0, "2h"), (36_000.0, "10h"), (172_800.0, "2d"), (187_200.0, "2d04h")],
)  # fmt: skip
def test_spans_have_no_needless_zeros(value: float, text: str) -> None:
    assert span(value) == text


def test_shares_and_changes() -> None:
    assert ratio(0.024) == "2.4 %"
    assert ratio(0) == "0 %"
    assert ratio(0.0004) == "0.04 %"
    assert figure(37.5, Unit.PERCENT) == "37.5 %"
    assert signed(1_268_777, Unit.BYTES, per="/s") == "+1.21 MiB/s"
    assert signed(-412, Unit.COUNT) == "-412"
    assert signed(0.2, Unit.BYTES, per="/s") == "0"


def test_times_beside_an_axis_are_as_exact_as_their_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "XYZ-5:30")
        time.tzset()
        try:
            noon_s = 1_769_860_061.0 - 5.5 * 3600
            assert [clock_tick(noon_s, step_s) for step_s in (1, 60, 86_400)] == ["11:47:41", "11:47", "31 Jan 11:47"]
            assert day_and_zone(noon_s) == "2026-01-31, UTC+05:30"
            assert zone_offset_s(noon_s) == 5.5 * 3600
        finally:
            patched.undo()
            time.tzset()


def test_iso_time_is_utc() -> None:
    assert iso_time(1_769_861_261.123456) == "2026-01-31T12:07:41.123456Z"


@pytest.mark.parametrize(
    ("text", "value"),
    [("512MiB", 512 << 20), ("1.5g", 3 << 29), ("4096", 4096), ("1 KB", 1000), ("2gib", 2 << 30), ("0", 0)],
)
def test_sizes_are_read(text: str, value: int) -> None:
    assert parse_bytes(text) == value


@pytest.mark.parametrize("text", ["", "MiB", "12 XB", "-1MiB", "1e9", "0x10", "nan", "1MiB/s"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="size"):
        parse_bytes(text)


@pytest.mark.parametrize("digits", [20, 400, 5000])
@pytest.mark.parametrize("unit", list(Unit))
def test_a_number_beyond_reason_is_refused_in_a_line(digits: int, unit: Unit) -> None:
    for suffix in ("", "%"):
        with pytest.raises(UsageError) as refused:
            parse_figure("9" * digits + suffix, unit)
        assert len(refused.value.what) < 160
    with pytest.raises(UsageError):
        parse_growth("9" * digits + "PiB/s")


@given(st.integers(min_value=0, max_value=2**53))
def test_plain_bytes_read_back(value: int) -> None:
    assert parse_bytes(str(value)) == value


@pytest.mark.parametrize(("text", "value"), [("500ms", 0.5), ("1s", 1), ("5m", 300), ("1h", 3600), ("2", 2)])
def test_durations_are_read(text: str, value: float) -> None:
    assert parse_duration(text) == value


@pytest.mark.parametrize("text", ["0", "-1s", "1 parsec", "", "s", "inf", "999999999h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "per_s"), [("1MiB/min", 1048576 / 60), ("10KiB/s", 10240), ("2GiB/h", 2147483648 / 3600)]
)
def test_growth_is_read(text: str, per_s: float) -> None:
    assert parse_growth(text) == pytest.approx(per_s)


@pytest.mark.parametrize("text", ["1MiB", "1MiB/", "/s", "fast", "1MiB/fortnight", "-1MiB/s"])
def test_what_is_no_growth(text: str) -> None:
    with pytest.raises(UsageError):
        parse_growth(text)


@pytest.mark.parametrize(
    ("per_s", "text"), [(0, "0.0 /min"), (1 / 15, "4.0 /min"), (0.64, "38 /min"), (50, "3 000 /min")]
)
def test_how_often_a_minute(per_s: float, text: str) -> None:
    assert per_minute(per_s) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (512 << 20, Unit.BYTES, "512MiB"),
        (3 << 29, Unit.BYTES, "1536MiB"),
        (1 << 60, Unit.BYTES, "1024PiB"),
        (1001, Unit.BYTES, "1001"),
        (0, Unit.BYTES, "0"),
        (5e6, Unit.NANOSECONDS, "5ms"),
        (1.5e6, Unit.NANOSECONDS, "1500us"),
        (120e9, Unit.NANOSECONDS, "120s"),
        (90, Unit.SECONDS, "90s"),
        (0.9, Unit.RATIO, "0.9"),
        (200, Unit.COUNT, "200"),
    ],
)
def test_a_figure_written_exactly_is_read_back(value: float, unit: Unit, text: str) -> None:
    assert exact(value, unit) == text
    assert parse_figure(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit"), [("5%", Unit.COUNT), ("x", Unit.RATIO), ("5MiB", Unit.COUNT), ("", Unit.RATIO)]
)
def test_a_figure_of_another_unit_is_refused(text: str, unit: Unit) -> None:
    with pytest.raises(UsageError):
        parse_figure(text, unit)


@pytest.mark.parametrize("text", ["500ms", "1s", "90s", "5m", "2h", "3d"])
def test_a_span_is_written_as_it_is_read(text: str) -> None:
    assert exact_span(parse_duration(text)) == text
