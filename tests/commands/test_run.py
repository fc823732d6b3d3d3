"""What a command that memdash starts finds in its environment."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.commands.program import Program, log_file
from memdash.commands.run import with_agents
from memdash.commands.screen import Screen
from memdash.errors import AgentUnreachable
from memdash.probes.registry import PROBES

SCREEN = Screen(
    interval=1.0, max=(), max_growth=None, agent=False, read_only=False, theme=None, no_color=False, ascii=False
)


def test_a_place_for_agents_is_there_as_long_as_the_command() -> None:
    with with_agents(SCREEN) as (environment, entries):
        place = Path(environment["PYTHONPATH"].split(os.pathsep)[0])
        assert (place / "sitecustomize.py").is_file()
        assert [entry.name for entry in entries] == [entry.name for entry in PROBES]
        assert entries != PROBES
    assert not place.exists()


def test_who_only_reads_brings_nothing_in() -> None:
    with with_agents(replace(SCREEN, read_only=True)) as (environment, entries):
        assert environment == {}
        assert entries is PROBES


def test_without_a_place_it_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> None:
        raise AgentUnreachable("there is no directory to meet it in")

    monkeypatch.setattr("memdash.probes.cpython.agent.launch.agents_of_ours", nowhere)
    with with_agents(SCREEN) as (environment, entries):
        assert environment == {}
        assert entries is PROBES


def test_the_command_has_it_and_all_of_ours(tmp_path: Path) -> None:
    with log_file(str(tmp_path / "log"), force=False) as log:
        program = Program(["sh", "-c", 'echo "$MINE $HOME"'], log, environment={"MINE": "yes"})
        with program:
            program.wait()
        assert log.read_text() == f"yes {os.environ['HOME']}\n"
