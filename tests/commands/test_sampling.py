"""``--sample`` where it contradicts what else was said, or means nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

import pytest

from memdash.commands.sampling import Sampled
from memdash.config import SETTINGS
from memdash.config_values import parse_domains
from memdash.errors import UsageError
from memdash.model.action import Action
from memdash.probes.cpython import CPython
from memdash.probes.cpython.sampler.build import SOURCE
from memdash.probes.cpython.sampler.sampling import DOMAINS, Sampling
from memdash.probes.probe import ProbeEntry

OURSELVES = str(os.getpid())

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("argv", "what", "hint"),
    [
        (["--sample", "64KiB", "-p", OURSELVES], "sampled by memdash's agent", "give --agent too"),
        (
            ["--sample", "64KiB", "--trace", "--", "true"],
            "--trace and --sample exclude each other",
            "--sample takes",
        ),
        (["--sample", "64KiB", "--read-only", "--", "true"], "--sample and --read-only exclude", "leave one"),
        (["--sample", "1", "--", "true"], "--sample: '1' does not lie between 1KiB and 16MiB", "64KiB, or off"),
        (["--sample-domains", "obj,heap", "--", "true"], "there is no allocator 'heap'", "obj,mem,raw,numpy"),
        (["--sample-domains", ",", "--", "true"], "no allocator is named", "--sample off"),
        (["check", "--sample", "64KiB", OURSELVES], "sampled by memdash's agent", "give --agent too"),
        (["check", "--agent", "--read-only", OURSELVES], "--agent and --read-only exclude", "leave one"),
        (["check", "--sample", "64KiB", "--read-only", "--", "true"], "--sample and --read-only exclude", "leave one"),
        (["record", "--sample", "64KiB", OURSELVES], "sampled by memdash's agent", "give --agent too"),
        (["record", "--agent", "--read-only", OURSELVES], "--agent and --read-only exclude", "leave one"),
        (["push", "--sample", "64KiB", OURSELVES], "--sample is for what memdash's agent", "--agent"),
        (["report", "--agent", OURSELVES], "--agent needs a watch", "--duration 30s"),
        (["report", "--sample", "64KiB", "-d", "1s", OURSELVES], "sampled by memdash's agent", "give --agent too"),
        (["profile", OURSELVES, "--for", "3s", "-o", "x"], "--for is for what", "--agent"),
        (["profile", OURSELVES, "--agent", "--sample", "off", "-o", "x"], "--sample off says not to", "leave one"),
        (["push", OURSELVES, "--agent", "--sample", "off"], "--sample off says not to", "leave one"),
        (["profile", OURSELVES, "--sample", "1MiB", "-o", "x"], "--sample is for what", "--agent"),
    ],
)
def test_what_cannot_be_sampled_is_one_line_and_a_hint(run: Run, argv: list[str], what: str, hint: str) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    said, tried = err.splitlines()
    assert what in said
    assert hint in tried


@pytest.mark.parametrize(
    ("argv", "room"),
    [
        (["record", OURSELVES, "-o", "x"], "record"),
        (["report", OURSELVES, "-d", "1s"], "report"),
        (["check", OURSELVES], "checking"),
    ],
)
def test_who_asks_for_the_agent_has_it_sample_what_runs(
    run: Run, monkeypatch: pytest.MonkeyPatch, argv: list[str], room: str
) -> None:
    seen = []

    def live(*_: object, asked: Sequence[Action], entries: Sequence[ProbeEntry], read_only: bool, **__: object) -> None:
        sampling = [entry.sampling for entry in entries if isinstance(entry, CPython)]
        seen.append((tuple(asked), sampling, read_only))
        raise UsageError("that is enough")

    monkeypatch.setattr(f"memdash.commands.{room}.Live", live)
    assert run(*argv, "--agent", "--sample", "1MiB")[0] == 2
    wanted = Sampling(1 << 20, parse_domains(str(SETTINGS["sample-domains"].default)))
    assert seen == [((Action.LOAD_AGENT,), [wanted], False)]


def test_the_allocators_are_those_of_the_sampler() -> None:
    """Its numbers, our bits and the names that can be said are in three rooms."""
    enum = re.search(r"typedef enum \{ (.*), DOMAINS \} domain_t;", SOURCE.read_text())
    assert enum is not None
    assert {name.lower(): 1 << at for at, name in enumerate(enum[1].split(", "))} == DOMAINS
    assert set(parse_domains(str(SETTINGS["sample-domains"].default))) == set(DOMAINS)


def test_what_is_not_said_is_as_usual() -> None:
    assert Sampled(None, tuple(DOMAINS)).of_profile() == Sampling()
    assert Sampled(0, ("obj",)).of_profile() == Sampling(domains=("obj",))
    assert Sampled(4096, ("obj",)).of_profile() == Sampling(4096, ("obj",))
    assert Sampled(0, ("obj",)).of_running(agent=True) is None
    assert Sampled(0, ("obj",)).of_command(None, read_only=False) is None
    assert Sampled(None, ("obj",)).of_command(None, read_only=False) == Sampling(domains=("obj",))


def test_a_rate_that_stands_in_the_configuration_is_meant_by_whoever_begins_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memdash.commands.sampling.typed", lambda _: False)
    said = Sampled(1 << 20, ("obj",))
    assert said.of_running(agent=True) == Sampling(1 << 20, ("obj",))
    assert said.of_running(agent=False) == Sampling(1 << 20, ("obj",), at_once=False)
    assert Sampled(None, ("obj",)).of_running(agent=True) is None
