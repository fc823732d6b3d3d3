"""The budgets of a check, as flags and as files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from memdash.commands.budget import Plan
from memdash.config import AlertText, Limit, MostGrowth
from memdash.errors import UsageError
from memdash.units import MIB

Check = Callable[..., tuple[int, str, str]]
Write = Callable[[str], Path]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "memory.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_budget_in_force_can_be_written_and_read_again(said: Check, file: Write) -> None:
    flags = ["--max", "heap_alloc=0.5GiB", "--max-growth=64MiB", "--max-growth=60MiB/h", "--no-new-tasks", "--for=90s"]
    flags += ["--alert=goroutines growth > 100/min critical"]
    named = file("""[[alert]]\nname = 'a "load"'\nwhen = 'Sys > 1GiB'\nfor = '5s'""")
    code, written, _ = said(*flags, "--print-budget")
    assert code == 0
    assert written.splitlines()[1:] == [
        'warm-up = "10s"',
        'duration = "90s"',
        'interval = "1s"',
        'max = ["HeapAlloc=512MiB"]',
        'max-growth = ["64MiB", "1MiB/min"]',
        "no-new-tasks = true",
        "no-leak = true",
        "force-gc = false",
        "strict = false",
        "",
        "[[alert]]",
        'when = "tasks.total growth > 100/min"',
        'severity = "critical"',
    ]
    table = ["[[alert]]", 'when = "Sys > 1GiB for 5s"', r'name = "a \"load\""']
    both = written + "\n" + "\n".join(table) + "\n"
    assert said("--budget", named, "--print-budget")[1].splitlines()[-3:] == table
    assert said("--budget", file(both), "--print-budget")[1] == both


def test_a_rate_that_says_no_window_is_judged_within_the_watch() -> None:
    alerts = [AlertText("tasks.total growth > 100/min"), AlertText("tasks.total growth > 9/min over 5s", "few")]
    budgets = Plan(alert=alerts, no_leak=False, duration=40.0).budgets(40.0)
    assert [budget.name for budget in budgets] == ["never tasks.total growth > 100/min over 20s", "never few"]
    assert Plan(alert=alerts[:1], duration=600.0).budgets(600.0)[0].name == "never tasks.total growth > 100/min"


def test_an_open_watch_does_not_presume_its_length() -> None:
    alerts = [AlertText("tasks.total growth > 100/min")]
    assert [budget.name for budget in Plan(alert=alerts, no_leak=False).budgets(None)] == [
        "never tasks.total growth > 100/min"
    ]


def test_what_is_muted_or_merely_informs_breaks_nothing() -> None:
    alerts = [AlertText("HeapAlloc > 1MiB for 5s info"), AlertText("Sys > 1GiB", "loud"), AlertText("rss > 1GiB")]
    plan = Plan(alert=alerts, mute=("gc pause", "loud", "heap growth"))
    assert [budget.name for budget in plan.budgets(60.0)] == ["RSS at most 1GiB"]
    with pytest.raises(UsageError, match="there is no rule 'lout'"):
        Plan(alert=alerts, mute=("lout",)).budgets(60.0)


def test_a_budget_file_says_all_that_a_plan_holds(said: Check, file: Write) -> None:
    """A new field of a plan has to be written as well."""
    plan = Plan(
        max=(Limit("HeapAlloc", "1MiB"),),
        max_growth=(MostGrowth(MIB, is_rate=False),),
        alert=(AlertText("HeapAlloc > 2MiB for 5s clear 1MiB cooldown 5m critical", "mine"),),
        mute=("gc pause",),
        no_new_tasks=True,
        no_leak=False,
        warm_up=3.0,
        duration=4.0,
        interval=0.5,
        force_gc=True,
        strict=True,
    )
    assert not [each.name for each in fields(Plan) if getattr(plan, each.name) == each.default]
    written = "\n".join(plan.lines()) + "\n"
    keys = [line.partition(" = ")[0] for line in written.splitlines()]
    assert not {each.name.replace("_", "-") for each in fields(Plan)} - {*keys, "alert"}
    assert said("--budget", file(written), "--print-budget")[1] == written


def test_flags_outrank_the_file_which_outranks_the_users_own(
    said: Check, file: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('max = ["fds=9"]\nduration = "5s"\noutput-to = "x.log"\n', encoding="utf-8")
    budget = file('max = ["HeapAlloc=1MiB"]\nno-leak = false\nwarm-up = "3s"')
    for order in (["--config", config, "--budget", budget], ["--budget", budget, "--config", config]):
        written = said(*order, "--print-budget")[1]
        assert 'max = ["HeapAlloc=1MiB"]' in written
        assert "duration" not in written  # a user's own habits are no part of a budget that others share
        assert "no-leak = false" in written
    assert 'max = ["Sys=2MiB"]' in said("--budget", budget, "--max=Sys=2MiB", "--print-budget")[1]
    assert "no-leak = true" in said("--budget", budget, "--no-leak", "--print-budget")[1]
    assert "no-leak = false" in said("--allow-leak", "--print-budget")[1]
    monkeypatch.setenv("MEMDASH_WARM_UP", "7s")
    assert 'warm-up = "7s"' in said("--budget", budget, "--print-budget")[1]


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ('max-grwth = ["1MiB"]', "there is no setting 'max-grwth'", "did you mean max-growth?"),
        ('theme = "nord"', "there is no setting 'theme'", "the keys are "),
        ('max = ["HeapAloc=1MiB"]', "max in {path}: there is no metric 'HeapAloc'", "did you mean HeapAlloc?"),
        ('max = ["HeapAlloc=much"]', "max in {path}: HeapAlloc: 'much'", "write it like"),
        ('alert = ["HeapAloc > 1"]', "alert in {path}: 'HeapAloc > 1', character 1", "did you mean HeapAlloc?"),
        ('warm-up = "soon"', "warm-up in {path}: 'soon' is not a duration", "write it like"),
        ("strict = 3", "strict: ", "its flag is --strict"),
        ("max = [", "is not TOML", "write lines like"),
    ],
)
def test_a_file_that_makes_no_sense_is_told_of_with_the_place(
    said: Check, file: Write, text: str, what: str, hint: str
) -> None:
    path = file(text)
    code, out, err = said("--budget", path, os.getpid())
    assert (code, out) == (2, "")
    assert what.format(path=path) in err
    assert hint in err


@pytest.mark.parametrize(
    "text",
    [
        'max = ["RSS=1MiB"]\n[[alert]]\nname = "RSS at most 1MiB"\nwhen = "RSS > 4GiB"',
        '[[alert]]\nname = "a"\nwhen = "RSS > 1GiB for 5s"\n[[alert]]\nname = "never a"\nwhen = "RSS > 4GiB"',
        '[[alert]]\nname = "no leak"\nwhen = "RSS > 4GiB"',
    ],
)
def test_no_budget_replaces_another_by_its_name(said: Check, file: Write, text: str) -> None:
    code, out, err = said("--budget", file(text), os.getpid())
    assert (code, out) == (2, "")
    assert "two budgets are called " in err


def test_a_rate_is_written_in_the_time_that_makes_whole_bytes_of_it(said: Check) -> None:
    for rate, written in (
        ("64MiB/d", "64MiB/d"),
        ("1KiB/h", "1KiB/h"),
        ("24KiB/d", "1KiB/h"),
        ("10KiB/s", "600KiB/min"),
    ):
        assert f'max-growth = ["{written}"]' in said(f"--max-growth={rate}", "--print-budget")[1]
    code, _, err = said("--max-growth=0.0000001/d", "--print-budget")
    assert (code, "'0.0000001/d' is no growth" in err) == (2, True)
