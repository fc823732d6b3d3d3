"""An action from the command line that fails says why, and what to try on a line of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from memdash.cli import main
from memdash.commands import denials
from memdash.errors import AccessDenied
from memdash.model.action import Action, Deed
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.target import Target
from memdash.session.errand import Errand
from memdash.units import MIB, iso_time
from tests.fakes import NOON_S, a_sample, memstats


def test_what_helps_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    why = Missing("the agent is blocked in read", "wake it")
    seen = Sample.empty(Instant(0.0, 0.0), why)

    def refused(_: Errand, __: Target, action: Action) -> Deed:
        return Deed(action=action, outcome=why, took_s=0.0, before=seen, after=seen)

    monkeypatch.setattr(Errand, "run", refused)
    assert main(["gc", "--yes", str(os.getpid())]) == 1
    assert capsys.readouterr().err == "memdash: the agent is blocked in read\n  try: wake it\n"


def test_what_it_did_is_also_written_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = (a_sample(Instant(NOON_S, 0.0), memstats(size * MIB)) for size in (4, 3))

    def done(_: Errand, __: Target, action: Action) -> Deed:
        return Deed(action=action, outcome="collected", took_s=0.25, before=before, after=after)

    monkeypatch.setattr(Errand, "run", done)
    assert main(["gc", "--yes", "--json", str(os.getpid())]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["at"], told["target"]["pid"]) == ("memdash.deed/1", iso_time(NOON_S), os.getpid())
    assert (told["action"], told["outcome"], told["took_s"]) == ("force GC", "collected", 0.25)
    assert told["freed_bytes"] == MIB
    assert told["changes"]["HeapAlloc"] == {"before": 4 * MIB, "after": 3 * MIB}
    assert told["missing"] == {}


@pytest.fixture(scope="module")
def program() -> Iterator[int]:
    """The pid of one that has no runtime which memdash knows."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


@pytest.mark.parametrize(
    "argv", [["leaks"], ["profile", "-o", "/dev/null", "--force"], ["top"], ["gc"], ["trim", "--yes"]]
)
def test_what_may_not_be_read_has_an_exit_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], program: int, argv: list[str]
) -> None:
    assert main([*argv, str(program)]) in (1, 2)
    capsys.readouterr()

    def denied(pid: int) -> None:
        raise AccessDenied(f"process {pid} is closed to us", "be its owner")

    monkeypatch.setattr(denials, "require_permission", denied)
    assert main([*argv, str(program)]) == AccessDenied.exit_code
    assert capsys.readouterr().err == f"memdash: process {program} is closed to us\n  try: be its owner\n"


def test_nobody_is_asked_for_a_yes_to_what_cannot_be_done(program: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gc", str(program)]) == 1
    assert "yes" not in capsys.readouterr().err
