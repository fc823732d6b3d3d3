"""What memdash check is asked for, in flags and in files, and which code it ends with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from memdash.commands import check, checking, forcing
from memdash.errors import AccessDenied
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.session.gate import Gate

Said = tuple[int, str, str]

FAST = ("--warm-up=0s", "--interval=50ms")


Check = Callable[..., Said]


def test_the_mutes_of_the_users_own_file_hold_in_a_check(said: Check, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('mute = ["quiet"]\n[[alert]]\nname = "quiet"\nwhen = "rss > 1MiB"\n', encoding="utf-8")
    with_it = ("--config", config, *FAST, "--for=0.1s", "--json", "--read-only", "--", *sleeper())
    code, out, _ = said(*with_it)
    assert code == 0
    assert [judged["name"] for judged in json.loads(out)["budgets"]] == ["no leak"]


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
    assert "FAIL  RSS at most 1MiB" in out
    assert err.startswith("::error title=memdash%3A RSS at most 1MiB::")


@pytest.fixture
def at_the_third_sample(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], object]], None]:
    """Have something done, with the target's pid, once a gate has seen something."""

    def arrange(act: Callable[[int], object]) -> None:
        class Acting(Gate):
            def __init__(self, *args: Any, **named: Any) -> None:
                super().__init__(*args, **named)
                self.seen: set[Instant] = set()

            def take(self, shown: Snapshot) -> None:
                super().take(shown)
                if shown.state is State.LIVE and shown.at not in self.seen:
                    self.seen.add(shown.at)
                    if len(self.seen) == 3:
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
    assert "keeps to 1 of 2 budgets, 1 not judged, but the watch was cut short" in out
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
    monkeypatch.setattr(forcing, "_APART_S", 0.01)
    code, out, err = said(*FAST, "--for=9s", "--force-gc", start("sleep", "60").pid)
    assert (code, out) == (2, "")
    assert "--force-gc cannot be obeyed: " in err


def until_there(path: Path) -> str:
    """A piece of a Python program: it goes on once somebody has made the file."""
    return f"import os, time\nwhile not os.path.exists({str(path)!r}): time.sleep(0.01)\n"


def test_a_command_is_watched_until_it_ends_and_its_words_are_no_data(
    said: Check, at_the_third_sample: Arrange, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    at_the_third_sample(lambda _: seen.touch())
    script = f"print('working', flush=True)\n{until_there(seen)}"
    code, out, err = said(*FAST, "--max=rss=1GiB", "--json", "--read-only", "--", sys.executable, "-c", script)
    document = json.loads(out)
    assert code == 0
    assert err == "working\n"
    assert document["command"] == {"argv": [sys.executable, "-c", script], "exit_code": 0}
    assert document["ending"]["exit_code"] == 0


@pytest.mark.matrix
def test_what_a_command_goes_on_with_is_watched_as_well(
    said: Check, at_the_third_sample: Arrange, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(until_there(tmp_path / "1"))
    second.write_text(f"held = bytes(200 << 20)\n{until_there(tmp_path / '2')}time.sleep(1)")
    seen: list[int] = []

    def go_on(pid: int) -> None:
        seen.append(pid)
        (tmp_path / str(len(seen))).touch()

    at_the_third_sample(go_on)
    argv = (*FAST, "--max=VMS=150MiB", "--allow-leak", "--read-only", "--json")
    code, out, err = said(*argv, "--", "sh", "-c", f"{sys.executable} {first}; {sys.executable} {second}; exit 0")
    document = json.loads(out)
    assert (code, document["command"]["exit_code"]) == (1, 0)
    assert document["budgets"][0]["value"] > 200 << 20
    assert "has ended and the command goes on: watching python" in err


def test_a_command_that_fails_passes_on_its_code(said: Check, at_the_third_sample: Arrange, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    at_the_third_sample(lambda _: seen.touch())
    script = f"{until_there(seen)}raise SystemExit(7)"
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


def test_a_program_that_was_killed_has_passed_nothing_whatever_its_wrapper_makes_of_that(
    said: Check, at_the_third_sample: Arrange
) -> None:
    code, out, err = killed_under_a_shell(said, at_the_third_sample, signal.SIGKILL)
    assert (code, "was killed by SIGKILL" in err) == (5, True)
    assert "the watch was cut short" in out


def test_a_server_that_its_script_asks_to_end_may_pass(said: Check, at_the_third_sample: Arrange) -> None:
    code, out, _ = killed_under_a_shell(said, at_the_third_sample, signal.SIGTERM)
    assert code == 0
    assert "killed by SIGTERM · the command exited with code 0" in out


def killed_under_a_shell(said: Check, at_the_third_sample: Arrange, number: int) -> Said:
    """The shell becomes a program that never asks what became of its child, so that anybody can see it for a while."""
    at_the_third_sample(lambda pid: os.kill(pid, number))
    wrapper = ("sh", "-c", '"$@" & exec sleep 1', "sh")
    return said(*FAST, "--max=rss=1GiB", "--read-only", "--", *wrapper, *sleeper())


class HeldUp(threading.Event):
    """Set right after a wait during which memdash did not run at all, as where its container was frozen."""

    def wait(self, timeout: float | None = None) -> bool:
        was_set = self.is_set()
        self.set()
        return was_set


def test_a_watch_whose_memdash_was_held_up_is_given_the_time_for_one_sample_more() -> None:
    assert checking._comes(HeldUp(), 5.0)


def test_no_sample_at_all_ends_the_wait_for_it() -> None:
    assert not checking._comes(threading.Event(), 0.01)
