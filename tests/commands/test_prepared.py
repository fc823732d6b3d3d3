"""What a command that memdash starts finds in its environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memdash.commands.prepared import prepared
from memdash.commands.program import Program, log_file
from memdash.errors import AgentUnreachable
from memdash.probes.registry import PROBES


def test_a_place_for_agents_is_there_as_long_as_the_command() -> None:
    with prepared(agent=True) as given:
        place = Path(given.environment["PYTHONPATH"].split(os.pathsep)[0])
        assert (place / "sitecustomize.py").is_file()
        assert [entry.name for entry in given.entries] == [entry.name for entry in PROBES]
        assert given.entries != PROBES
    assert not place.exists()


def test_who_only_reads_brings_nothing_in() -> None:
    with prepared(agent=False) as given:
        assert given.environment == {}
        assert given.entries is PROBES


def test_without_a_place_it_goes_on_without_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere() -> None:
        raise AgentUnreachable("there is no directory to meet it in")

    monkeypatch.setattr("memdash.probes.cpython.agent.launch.agents_of_ours", nowhere)
    with prepared(agent=True) as given:
        assert given.environment == {}
        assert given.entries is PROBES
    assert capsys.readouterr().err == (
        "memdash: it starts without memdash's agent: there is no directory to meet it in\n"
    )


def test_the_command_has_it_and_all_of_ours(tmp_path: Path) -> None:
    with log_file(str(tmp_path / "log"), force=False) as log:
        program = Program(["sh", "-c", 'echo "$MINE $HOME"'], log, environment={"MINE": "yes"})
        with program:
            assert program.wait(20)
        assert log.read_text() == f"yes {os.environ['HOME']}\n"
