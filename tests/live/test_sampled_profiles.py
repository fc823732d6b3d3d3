"""``memdash profile --agent``: what a Python allocates in a while, as a file for pprof, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.errors import AgentUnreachable
from memdash.model.action import Action
from memdash.pprof.decode import decode
from memdash.probes.cpython.sampler.sampling import Sampling
from memdash.probes.registry import PROBES, sampling_with
from memdash.process.identity import identify
from memdash.session.sampled import sampled
from tests.live.headless import Headless
from tests.live.hosts import Host
from tests.live.pythons import Python, each
from tests.live.samplers import SampledTarget, by_function, needs_a_sampler
from tests.programs import ended
from tests.recorders import recorder
from tests.servers import Serve, answer
from tests.waiting import until

pytestmark = [pytest.mark.live, needs_a_sampler]

python = each((13,))

Run = Callable[..., tuple[int, str, str]]


def test_what_is_allocated_meanwhile_is_written(run: Run, python: Python, tmp_path: Path) -> None:
    path = tmp_path / "heap.pb.gz"
    with Host(python.executable, None) as host:
        host.told("malloc")  # newer versions of libffi keep a descriptor of their own
        before = host.told("house")
        host.command("churn", 1)
        code, _, told = run("profile", host.pid, "--agent", "--for", "1s", "--sample", "32KiB", "-o", path)
        host.command("stop")
        assert (code, "sampled for 1.0 s, one every 32.0 KiB" in told) == (0, True), told
        until(lambda: host.told("house") == before, "the house as it was")
    code, listed, _ = run("top", path, "--sample-index", "alloc_space")
    assert code == 0
    assert "target.churn" in listed
    for argv in (("tree", path), ("flame", path, "-o", tmp_path / "flame.svg"), ("diff", path, path)):
        assert run(*argv)[0] == 0, argv
    code, listed, _ = run("list", "target.churn", path)
    assert "loop: list[object] = []" in listed


@pytest.mark.matrix
def test_what_the_agent_takes_itself_is_in_no_report(run: Run, python: Python) -> None:
    with Host(python.executable, None) as host:
        code, out, err = run("report", host.pid, "--agent", "-d", "300ms", "-i", "100ms", "--json")
    assert code == 0, err
    document = json.loads(out)
    told = {finding["summary"] for finding in document["findings"]}
    assert "the agent has come: history and changes begin after that" in told
    assert document["malloc"] is not None, "it was there to the end"


def test_what_is_allocated_while_it_is_recorded_is_in_the_file(run: Run, python: Python, tmp_path: Path) -> None:
    path = tmp_path / "run.mdr"

    def is_known() -> bool:
        code, listed, _ = run("top", path, "--sample-index", "alloc_space")
        return code == 0 and "target.churn" in listed

    with Host(python.executable, None) as host:
        host.told("malloc")
        before = host.told("house")
        host.command("churn", 1)
        with recorder(host.pid, path, "--agent", "--sample", "32KiB") as program:
            until(is_known, "the sites")
            program.terminate()
            _, told = program.communicate()
        host.command("stop")
        assert program.returncode == 0, told
        until(lambda: host.told("house") == before, "the house as it was")


def test_that_nothing_is_sampled_is_told_while_it_is_recorded(python: Python, tmp_path: Path) -> None:
    with SampledTarget(python.executable, None, None) as target:
        target.command("trace", "on")
        with recorder(target.pid, tmp_path / "run.mdr", "--agent", "--sample", "32KiB") as program:
            assert program.stderr is not None
            assert any("allocations are not sampled: it traces" in line for line in program.stderr)


def test_what_is_allocated_while_it_is_pushed_is_sent(python: Python, serve: Serve, tmp_path: Path) -> None:
    """It drops what it holds again and again, so that there may be nothing of it in any one profile."""
    server = serve(answer(b""))

    def is_sent() -> bool:
        sent = [decode(request.partition(b"\r\n\r\n")[2]) for request in server.requests]
        lines = (line for one in sent for place in one.locations.values() for line in place.lines)
        return "target.churn" in {line.function.name for line in lines}

    with Host(python.executable, None) as host:
        host.told("malloc")
        before = host.told("house")
        host.command("churn", 1)
        to = ("--pyroscope", f"http://{server.address.server}", "--app", "tests", "--every", "5s")
        with Headless(tmp_path, "push", host.pid, *to, "--agent", "--sample", "32KiB") as program:
            until(is_sent, "the function that allocates")
            host.command("stop")
            assert program.end() == 0, program.err.read_text()
        until(lambda: host.told("house") == before, "the house as it was")


@pytest.mark.matrix
def test_what_is_no_python_is_pushed_as_it_is_and_ends_nothing(run: Run, python: Python, serve: Serve) -> None:
    server = serve(answer(b""))
    with ended(subprocess.Popen(["sleep", "600"])) as other, Host(python.executable, None) as host:
        host.told("malloc")
        host.command("churn", 1)
        to = ("--pyroscope", f"http://{server.address.server}", "--agent", "--sample", "32KiB", "-d", "100ms")
        code, _, told = run("push", other.pid, host.pid, *to)
        host.command("stop")
    assert code == 5
    assert f"sleep (pid {other.pid}) is no Python: only" in told
    assert "; it is pushed as without --agent" in told
    assert "profiles: 1 sent" in told


LEAKING = """
import time
kept = []
for _ in range(160):
    kept.append(bytearray(200_000))
    time.sleep(0.05)
"""


@pytest.mark.matrix
def test_a_gate_names_the_line_that_grew(run: Run, python: Python, tmp_path: Path) -> None:
    program = tmp_path / "leaking.py"
    program.write_text(LEAKING)
    budget = ("--max-growth", "1MiB", "--warm-up", "1s", "-i", "100ms")
    code, told, _ = run("check", *budget, "--", python.executable, program)
    assert code == 1
    assert "leaking.py:5" in told, told


def test_who_traces_is_told_of_the_sites_that_there_are(run: Run, python: Python, tmp_path: Path) -> None:
    with SampledTarget(python.executable, None, None) as target:
        target.command("trace", "on")
        code, _, told = run("profile", target.pid, "--agent", "--for", "1s", "-o", tmp_path / "heap.pb.gz")
    assert code != 0
    assert "traces its allocations with tracemalloc" in told


def test_where_no_agent_can_come_that_is_told_at_once(
    run: Run, python: Python, start: Callable[..., subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memdash.session.inside._PATIENCE_S", 1e6)
    program = "import sys; sys.setprofile(lambda *_: None); print(flush=True); sys.stdin.read()"
    other = start(python.executable, "-c", program)
    assert other.stdout is not None
    other.stdout.readline()
    code, _, told = run("profile", other.pid, "--agent", "--for", "1s")
    assert code != 0
    assert "profile function is set in it" in told


def test_what_is_ended_elsewhere_is_no_profile(python: Python, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memdash.session.sampled._LAST_READING_S", 3.0)
    with SampledTarget(python.executable, None, None) as target:
        target.act(Action.LOAD_AGENT)
        target.offered(Action.SAMPLE)
        target.act(Action.SAMPLE)
        with pytest.raises(AgentUnreachable, match="ended elsewhere"):
            sampled(identify(target.pid), sampling_with(PROBES, Sampling()), 1.0, lambda _: target.act(Action.UNSAMPLE))


def test_how_another_memdash_samples_it_is_told(run: Run, python: Python, tmp_path: Path) -> None:
    with SampledTarget(python.executable, None, Sampling(4096)) as target:
        target.act(Action.LOAD_AGENT)
        target.profile()
        path = tmp_path / "heap.pb.gz"
        code, _, told = run("profile", target.pid, "--agent", "--for", "1s", "--sample", "1MiB", "-o", path)
        assert (code, "one every 4.00 KiB" in told) == (0, True), told
        with recorder(target.pid, tmp_path / "run.mdr", "--agent", "--sample", "1MiB") as program:
            assert program.stderr is not None
            assert any(f"(pid {target.pid}): another memdash samples" in line for line in program.stderr)


def test_that_the_agent_has_to_wait_is_told(python: Python, tmp_path: Path) -> None:
    with Host(python.executable, None) as host:
        host.told("malloc")
        os.kill(host.pid, signal.SIGSTOP)
        try:
            with recorder(host.pid, tmp_path / "run.mdr", "--agent") as program:
                assert program.stderr is not None
                assert any(f"(pid {host.pid}): load agent, under way: " in line for line in program.stderr)
        finally:
            os.kill(host.pid, signal.SIGCONT)


def test_only_python_is_sampled(run: Run, start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    other = start("cat")
    code, _, told = run("profile", other.pid, "--agent", "--for", "1s", "-o", tmp_path / "heap.pb.gz")
    assert code != 0
    assert f"(pid {other.pid}) is no Python: only the allocations of a Python are sampled" in told


def test_the_debug_hooks_of_python_do_not_mind(python: Python) -> None:
    environment = {"PYTHONMALLOC": "debug"}
    with SampledTarget(python.executable, None, Sampling(4096), environment) as target:
        allocators = target.told("allocators")
        target.act(Action.LOAD_AGENT)
        target.profile()
        target.command("fill")
        assert "keep_middle" in by_function(target.profile())
        target.command("drop_half")
        target.act(Action.UNSAMPLE)
        assert target.told("allocators") == allocators
