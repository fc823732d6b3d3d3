"""What memdash check is asked for, in flags and in files, and which code it ends with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from memdash.cli import main
from memdash.commands import check, checking
from memdash.commands.budget import Plan
from memdash.config import AlertText, Growth, Limit
from memdash.errors import AccessDenied, UsageError
from memdash.model.snapshot import Snapshot, State
from memdash.session.gate import Gate
from memdash.units import MIB

Said = tuple[int, str, str]

FAST = ("--warm-up=0s", "--interval=50ms")


@pytest.fixture(autouse=True)
def no_file_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*argv: str | int | Path) -> Said:
        code = main(["check", *map(str, argv)])
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "memory.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


Check = Callable[..., Said]
Write = Callable[[str], Path]


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
    assert [budget.name for budget in plan.budgets(60.0)] == ["system.rss_bytes at most 1GiB"]
    with pytest.raises(UsageError, match="there is no rule 'lout'"):
        Plan(alert=alerts, mute=("lout",)).budgets(60.0)


def test_the_mutes_of_the_users_own_file_hold_in_a_check(said: Check, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('mute = ["quiet"]\n[[alert]]\nname = "quiet"\nwhen = "rss > 1MiB"\n', encoding="utf-8")
    with_it = ("--config", config, *FAST, "--for=0.1s", "--json", "--read-only", "--", *sleeper())
    code, out, _ = said(*with_it)
    assert code == 0
    assert [judged["name"] for judged in json.loads(out)["budgets"]] == ["no leak"]


def test_a_budget_file_says_all_that_a_plan_holds(said: Check, file: Write) -> None:
    """A new field of a plan has to be written as well."""
    plan = Plan(
        max=(Limit("HeapAlloc", "1MiB"),),
        max_growth=(Growth(MIB, is_rate=False),),
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
    ("argv", "what"),
    [
        ((), "no process was named"),
        (("--",), "there is no command after --"),
        ((1, "--", "true"), "both a process and a command are named"),
        (("--force-gc", "--read-only", os.getpid()), "--force-gc and --read-only exclude each other"),
        (("--max=HeapAlloc=a lot", os.getpid()), "--max: HeapAlloc: "),
        (("--junit=/no/such/folder/x.xml", os.getpid()), "/no/such/folder is not a directory"),
        (("--", "no-such-command-here"), "there is no command 'no-such-command-here'"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    said: Check, argv: tuple[object, ...], what: str
) -> None:
    code, out, err = said(*argv)
    assert (code, out) == (2, "")
    assert what in err


def test_outputs_that_are_one_file_are_refused_before_anything_starts(said: Check, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for flags in (
        ("-o", "out", "--junit", "./out"),
        ("-o", "out", "--output-to", "link"),
        ("--junit=a", "--output-to=a"),
    ):
        with contextlib.chdir(tmp_path):
            code, out, err = said(*flags, "--", "sh", "-c", "echo >started")
        assert (code, out) == (2, "")
        assert "name the same file" in err
    assert [file.name for file in tmp_path.iterdir()] == ["link"]


def test_an_output_that_cannot_be_written_keeps_no_other_back(
    said: Check, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    child = start(*sleeper())
    code, out, err = said(*FAST, "--for=0.1s", "--max=rss=1GiB", "--junit=/dev/full", child.pid)
    assert code == 2
    assert out.startswith("PASSED: python")
    assert "/dev/full cannot be written: No space left" in err


def test_a_command_that_is_not_there_leaves_what_was_in_its_log(said: Check, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("precious")
    assert said("--output-to", log, "--force", "--", "no-such-command-here")[0] == 2
    assert log.read_text() == "precious"


def sleeper() -> list[str]:
    return [sys.executable, "-c", "print('begun', flush=True); import time; time.sleep(60)"]


def test_a_process_that_keeps_to_its_budgets_passes(
    said: Check, start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    child = start(*sleeper())
    report = tmp_path / "junit.xml"
    code, out, _ = said(*FAST, "--for=0.1s", "--max=rss=1GiB", "--json", "--junit", report, child.pid)
    document = json.loads(out)
    assert (code, document["passed"]) == (0, True)
    assert document["target"]["pid"] == child.pid
    assert 0.05 <= document["watched_s"] < 60
    assert [budget["outcome"] for budget in document["budgets"]] == ["not judged", "passed"]
    assert ET.parse(report).getroot().get("tests") == "2"  # noqa: S314 - our own
    assert said(*FAST, "--for=0.1s", "--max=rss=1GiB", "--strict", child.pid)[0] == 1


def test_one_that_breaks_them_fails_with_the_evidence(
    said: Check, start: Callable[..., subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = start(*sleeper())
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    code, out, err = said(*FAST, "--for=0.1s", "--max=rss=1MiB", "--allow-leak", child.pid)
    assert code == 1
    assert out.startswith("FAILED: python")
    assert "FAIL  system.rss_bytes at most 1MiB" in out
    assert err.startswith("::error title=memdash%3A system.rss_bytes at most 1MiB::")


@pytest.fixture
def at_the_third_sample(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], object]], None]:
    """Have something done, with the target's pid, once a gate has seen something."""

    def arrange(act: Callable[[int], object]) -> None:
        class Acting(Gate):
            seen = 0

            def take(self, shown: Snapshot) -> None:
                super().take(shown)
                self.seen += shown.state is State.LIVE
                if self.seen == 3:
                    act(shown.target.pid)

        monkeypatch.setattr(checking, "Gate", Acting)

    return arrange


Arrange = Callable[[Callable[[int], object]], None]


def test_a_process_that_ends_too_soon_has_passed_nothing(
    said: Check, start: Callable[..., subprocess.Popen[bytes]], at_the_third_sample: Arrange
) -> None:
    child = start(*sleeper())
    at_the_third_sample(lambda pid: os.kill(pid, signal.SIGKILL))
    code, out, err = said(*FAST, "--max=rss=1GiB", "--for=60s", child.pid)
    assert code == 5
    assert "breaks none of 2 budgets that was judged" in out
    assert "killed by SIGKILL before the check was over" in err
    other = start(*sleeper())
    assert said(*FAST, "--max=rss=1MiB", "--for=60s", other.pid)[0] == 1  # what is broken is broken


def test_what_could_not_be_judged_for_want_of_permission_says_so_in_its_code(
    said: Check, start: Callable[..., subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = start(*sleeper())

    def refuse(pid: int) -> None:
        raise AccessDenied(f"process {pid} is closed to us")

    monkeypatch.setattr(check, "require_permission", refuse)
    code, out, err = said(*FAST, "--for=0.1s", "--max=MSpanSys=1GiB", child.pid)
    assert (code, "FAIL (not judged)  MSpanSys at most 1GiB" in out) == (4, True)
    assert "is closed to us" in err
    assert said(*FAST, "--for=0.1s", "--max=rss=1MiB", child.pid)[0] == 1


def test_collections_that_cannot_be_forced_are_a_request_that_makes_no_sense(
    said: Check, start: Callable[..., subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_APART_S", 0.01)
    code, out, err = said(*FAST, "--for=9s", "--force-gc", start("sleep", "60").pid)
    assert (code, out) == (2, "")
    assert "--force-gc cannot be obeyed: " in err


def test_a_command_is_watched_until_it_ends_and_its_words_are_no_data(said: Check) -> None:
    script = "print('working', flush=True); import time; time.sleep(0.3)"
    code, out, err = said(*FAST, "--max=rss=1GiB", "--json", "--read-only", "--", sys.executable, "-c", script)
    document = json.loads(out)
    assert code == 0
    assert err == "working\n"
    assert document["command"] == {"argv": [sys.executable, "-c", script], "exit_code": 0}
    assert document["ending"]["exit_code"] == 0


@pytest.mark.matrix
def test_what_a_command_goes_on_with_is_watched_as_well(said: Check) -> None:
    first = f"{sys.executable} -c 'import time; time.sleep(1)'"
    second = f"{sys.executable} -c 'import time; held = bytes(200 << 20); time.sleep(1)'"
    argv = (*FAST, "--max=VMS=150MiB", "--allow-leak", "--read-only", "--json")
    code, out, err = said(*argv, "--", "sh", "-c", f"{first}; {second}; exit 0")
    document = json.loads(out)
    assert (code, document["command"]["exit_code"]) == (1, 0)
    assert document["budgets"][0]["value"] > 200 << 20
    assert "has ended and the command goes on: watching python" in err


def test_a_command_that_fails_passes_on_its_code(said: Check, tmp_path: Path) -> None:
    script = "import sys, time; time.sleep(0.3); sys.exit(7)"
    log = tmp_path / "log"
    argv = (*FAST, "--max=rss=1MiB", "--read-only", f"--output-to={log}", "--", sys.executable, "-c", script)
    code, out, err = said(*argv)
    assert code == 7
    assert "FAIL" in out
    assert "the command exited with code 7" in err


def test_a_command_that_is_ended_after_its_time_does_not_fail_for_that(said: Check) -> None:
    code, out, _ = said(*FAST, "--for=0.1s", "--max=rss=1GiB", "--read-only", "--json", "--", *sleeper())
    assert (code, json.loads(out)["command"]["exit_code"]) == (0, None)


@pytest.mark.parametrize(("command", "code"), [("true", 5), ("false", 1)])
def test_a_command_of_which_nothing_was_seen_has_passed_nothing(said: Check, command: str, code: int) -> None:
    found, out, err = said(*FAST, "--max=rss=1GiB", "--read-only", "--", command)
    assert (found, out) == (code, "")
    assert "before its memory could be read" in err


def test_a_signal_ends_the_command_too(said: Check, at_the_third_sample: Arrange) -> None:
    children = []

    def interrupt(pid: int) -> None:
        children.append(pid)
        os.kill(os.getpid(), signal.SIGTERM)

    at_the_third_sample(interrupt)
    code, out, _ = said(*FAST, "--read-only", "--max=rss=1GiB", "--", *sleeper())
    assert (code, out) == (128 + signal.SIGTERM, "")
    (child,) = children
    assert not Path(f"/proc/{child}").exists()
