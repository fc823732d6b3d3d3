import os
from pathlib import Path

import pytest

from memdash.config import SETTINGS, Limit, MostGrowth, parse_interval
from memdash.config_file import load_file
from memdash.errors import UsageError
from memdash.spelling import nearest


@pytest.mark.parametrize(("text", "seconds"), [("50ms", 0.05), ("0.5", 0.5), ("1s", 1.0), ("1m", 60.0)])
def test_intervals_lie_between_50_ms_and_a_minute(text: str, seconds: float) -> None:
    assert parse_interval(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["0", "-1s", "1h", "49ms", "61s", "soon", "", "1x", "nan", "inf", "1e3"])
def test_other_intervals_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_interval(text)
    assert "write it like" in refused.value.hint


@pytest.mark.parametrize(
    ("name", "within", "beyond"),
    [
        ("max-size", ["1MiB"], ["1023KiB"]),
        ("rotate", ["64KiB"], ["63KiB"]),
        ("keep", ["0", "1000"], ["-1", "1001"]),
        ("trace", ["1", "100"], ["0", "101"]),
        ("sample", ["1KiB", "16MiB", "off"], ["1023", "17MiB"]),
        ("nodecount", ["1"], ["0"]),
        ("gc-cooldown", ["1s"], ["999ms"]),
        ("nodefraction", ["0", "100%"], ["-1%", "101%", "nan"]),
        ("gc-at", ["10%", "1"], ["9%", "101%", "nan"]),
        ("limit", ["1"], ["0"]),
        ("run", ["0"], ["-1"]),
    ],
)
def test_a_bound_is_allowed_and_what_lies_beyond_is_not(name: str, within: list[str], beyond: list[str]) -> None:
    for text in within:
        SETTINGS[name].value(text)
    for text in beyond:
        with pytest.raises(UsageError):
            SETTINGS[name].value(text)


def test_growth_is_a_rate_or_so_much_in_all() -> None:
    setting = SETTINGS["max-growth"]
    assert setting.value("1MiB/min") == MostGrowth(pytest.approx((1 << 20) / 60), True)  # type: ignore[arg-type]
    assert setting.value("64MiB") == MostGrowth(64 << 20, False)
    with pytest.raises(UsageError, match="'soon' is no growth"):
        setting.value("soon")


def test_each_setting_has_a_variable_of_its_own() -> None:
    assert SETTINGS["max-growth"].variable == "MEMDASH_MAX_GROWTH"
    assert len({setting.variable for setting in SETTINGS.values()}) == len(SETTINGS)
    shorts = [setting.short for setting in SETTINGS.values() if setting.short]
    assert len(set(shorts)) == len(shorts)


def test_every_default_can_be_parsed() -> None:
    for setting in SETTINGS.values():
        if setting.default is not None:
            setting.parse(setting.default)


def test_a_limit_names_a_metric_and_a_value() -> None:
    assert SETTINGS["max"].parse("HeapAlloc = 512MiB") == Limit("HeapAlloc", "512MiB")
    for text in ("HeapAlloc", "=5", "HeapAlloc="):
        with pytest.raises(UsageError):
            SETTINGS["max"].parse(text)


@pytest.mark.parametrize("text", ["-1", "12a", "½", "١"])
def test_a_pid_is_a_whole_number(text: str) -> None:
    with pytest.raises(UsageError, match="is not a pid"):
        SETTINGS["pid"].parse(text)


@pytest.mark.parametrize("setting", ["name", "wait-for"])
def test_nothing_at_all_names_no_process(setting: str) -> None:
    with pytest.raises(UsageError, match="the name is empty"):
        SETTINGS[setting].parse(" ")


@pytest.mark.parametrize("text", ["0", "101", "-1", "x", "½", ""])
def test_frames_to_trace_are_few(text: str) -> None:
    assert SETTINGS["trace"].parse("100") == 100
    with pytest.raises(UsageError, match="is not a number of frames"):
        SETTINGS["trace"].parse(text)


def test_a_file_gives_values_by_setting(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('interval = "2s"\nascii = true\nmax = "HeapAlloc=1GiB"\npid = 12\n')
    assert load_file(path) == {"interval": "2s", "ascii": True, "max": ["HeapAlloc=1GiB"], "pid": 12}


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ('intervall = "2s"', "there is no setting 'intervall'", "did you mean interval?"),
        ("zzzzz = 1", "there is no setting 'zzzzz'", "the keys are"),
        ('ascii = "yes"', "ascii: ", "--ascii"),
        ("interval = [1]", "interval: ", "--interval"),
        ("max = [1]", "max: ", "--max"),
        ("interval", "is not TOML", "write lines like"),
    ],
)
def test_a_wrong_file_says_what_is_wrong_where(tmp_path: Path, text: str, what: str, hint: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        load_file(path)
    assert str(path) in refused.value.what
    assert what in refused.value.what
    assert hint in refused.value.hint


def test_a_file_that_is_not_there_or_not_text_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing", "binary", ""):
        with pytest.raises(UsageError):
            load_file(tmp_path / name)


def test_the_nearest_word_is_near() -> None:
    assert nearest("reprot", ["report", "run"]) == "report"
    assert nearest("xyz", ["report", "run"]) == ""


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "pid = " + "9" * 5000])
def test_a_file_beyond_reason_is_not_toml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match="is not TOML"):
        load_file(path)


@pytest.mark.parametrize("key", ["a." * 20_000 + "a", '"a" . ' * 20_000 + "a"])
def test_a_key_of_many_parts_is_not_even_parsed(tmp_path: Path, key: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"ascii = true\n{key} = 1\n")
    with pytest.raises(UsageError, match="a line of it has over 1000 dots"):
        load_file(path)


def test_the_mark_with_which_some_editors_begin_a_file_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbfascii = true\r\n")
    assert load_file(path) == {"ascii": True}


@pytest.mark.parametrize(
    "line", [r'evidence = "a\u0000b"', r'max = ["a", "\u0000"]', 'hook = [{command = ["a", "b\\u0000"]}]']
)
def test_no_text_holds_a_zero(tmp_path: Path, line: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(line)
    with pytest.raises(UsageError, match=f": {line.split()[0]}: no text may hold a zero byte"):
        load_file(path)


def test_the_flag_by_which_a_file_was_named_is_the_one_to_name_another_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        load_file(tmp_path / "missing", option="--budget")
    assert refused.value.hint == "name an existing file with --budget"


@pytest.mark.parametrize("name", ["pid", "trace", "limit", "max-size", "max-growth"])
def test_a_number_of_5000_digits_is_refused_in_a_line(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        SETTINGS[name].parse("9" * 5000)
    assert len(refused.value.what) < 160


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="neither a file nor a device"):
        load_file(tmp_path / "pipe")


def test_a_file_without_end_is_not_read_to_it() -> None:
    with pytest.raises(UsageError, match="larger than any"):
        load_file(Path("/dev/zero"))
