"""An action from the command line that fails says why, and what to try on a line of its own."""

from __future__ import annotations

import os

import pytest

from memdash.cli import main
from memdash.model.action import Action, Deed
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.target import Target
from memdash.session.errand import Errand


def test_what_helps_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    why = Missing("the agent is blocked in read", "wake it")
    seen = Sample.empty(Instant(0.0, 0.0), why)

    def refused(_: Errand, __: Target, action: Action) -> Deed:
        return Deed(action=action, outcome=why, took_s=0.0, before=seen, after=seen)

    monkeypatch.setattr(Errand, "run", refused)
    assert main(["gc", "--yes", str(os.getpid())]) == 1
    assert capsys.readouterr().err == "memdash: the agent is blocked in read\n  try: wake it\n"
