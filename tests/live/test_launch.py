"""Programs started with memdash's agent do what they do without it: on every interpreter, the way users start them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from memdash.errors import ProbeError
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.launch import environment_for
from tests.live.hosts import claimed
from tests.live.pythons import Python, each, pythons, readable

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).parent / "programs/python/launched.py"
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
STRICT = ("-W", "error", "-X", "dev")

Start = Callable[..., "subprocess.Popen[bytes]"]


every_python = each()
python = each((8, 12, 15))


@pytest.fixture(autouse=True)
def no_path_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents are added to it, and ``PLAIN`` has none."""
    monkeypatch.delenv("PYTHONPATH", raising=False)


def with_agent(agents: Agents) -> dict[str, str]:
    return {**PLAIN, **environment_for(agents)}


def outcome(argv: Sequence[object], environment: dict[str, str]) -> tuple[int, str, str]:
    done = subprocess.run(
        list(map(str, argv)),
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd=PROGRAM.parent,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_program_sees_nothing_of_it(every_python: Python, agents: Agents) -> None:
    argv = [every_python.executable, *STRICT, PROGRAM, "portrait"]
    assert outcome(argv, with_agent(agents)) == outcome(argv, PLAIN)


@pytest.mark.parametrize(
    "arguments",
    [("-s", "-m", "launched", "portrait"), ("-c", "import launched; launched.portrait()")],
    ids=["module", "command"],
)
def test_however_it_is_started(python: Python, agents: Agents, arguments: Sequence[str]) -> None:
    argv = [python.executable, *arguments]
    assert outcome(argv, with_agent(agents)) == outcome(argv, PLAIN)


def test_who_ignores_the_environment_has_no_agent(python: Python, agents: Agents) -> None:
    for switch in ("-I", "-E", "-S"):
        tasks = "import os; print(len(os.listdir('/proc/self/task')))"
        assert outcome([python.executable, switch, "-c", tasks], with_agent(agents)) == (0, "1\n", "")
    assert outcome([python.executable, "-c", tasks], with_agent(agents)) == (0, "2\n", "")


@pytest.mark.parametrize("content", ["print('mine', __file__)", "1 / 0", "raise SystemExit(4)"])
def test_another_sitecustomize_gets_its_turn(
    python: Python, agents: Agents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(content)
    argv = [python.executable, "-c", "import sys; print(sys.modules.get('sitecustomize'))"]
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code, said, errors = outcome(argv, with_agent(agents))
    plain_code, plainly_said, plain_errors = outcome(argv, {**PLAIN, "PYTHONPATH": str(tmp_path)})
    assert (code, said, errors.splitlines()[-1:]) == (plain_code, plainly_said, plain_errors.splitlines()[-1:])


def test_every_child_brings_its_own(every_python: Python, agents: Agents, start: Start, tmp_path: Path) -> None:
    child = start(every_python.executable, *STRICT, PROGRAM, "family", tmp_path, env=with_agent(agents))
    assert child.stdout is not None
    pids = []
    for _ in range(8):
        pids.append(int(child.stdout.readline()))
        peer = claimed(agents, pids[-1])
        assert peer.ask("collect", 10.0).keys() == {"collected"}
        agents.give_back(peer)
        (tmp_path / str(pids[-1])).touch()
    assert child.wait() == 0
    assert pids[0] == pids[-1] == child.pid
    assert len(set(pids)) == 7


def test_in_a_virtual_environment(python: Python, agents: Agents, tmp_path: Path) -> None:
    subprocess.run([python.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    argv = [tmp_path / "venv/bin/python", PROGRAM, "portrait"]
    assert outcome(argv, with_agent(agents)) == outcome(argv, PLAIN)


def test_who_closes_descriptors_that_are_ours_keeps_its_own(
    python: Python, agents: Agents, start: Start, tmp_path: Path
) -> None:
    child = start(python.executable, PROGRAM, "daemon", tmp_path, env=with_agent(agents))
    assert child.stdout is not None
    child.stdout.readline()
    peer = claimed(agents, child.pid)
    (tmp_path / str(child.pid)).touch()
    child.stdout.readline()
    with pytest.raises(ProbeError):
        peer.ask("collect", 0.2)
    peer.close()
    (tmp_path / str(child.pid)).touch()
    assert child.wait() == 5


def test_signals_are_for_those_who_wait_for_them(python: Python, agents: Agents, start: Start) -> None:
    child = start(python.executable, PROGRAM, "signal", env=with_agent(agents))
    assert child.stdout is not None
    child.stdout.readline()
    agents.give_back(claimed(agents, child.pid))
    child.send_signal(signal.SIGTERM)
    assert child.wait() == 6


def test_sub_interpreters_end_in_peace(python: Python, agents: Agents) -> None:
    assert outcome([python.executable, PROGRAM, "interpreters"], with_agent(agents)) == (8, "", "")


def test_odd_surroundings(python: Python, agents: Agents, tmp_path: Path) -> None:
    """Closed standard streams, a working directory that is gone, a low limit of descriptors, signals as exit codes."""
    quoted = f"{python.executable} -X dev"
    for script, code in (
        (f"{quoted} -c 'import sys; sys.exit(3)' <&- >&- 2>&-", 3),
        (f"mkdir gone; cd gone; rmdir ../gone; {quoted} -c 'import sys; sys.exit(3)'", 3),
        (f"ulimit -n 64; {quoted} -c 'import sys; sys.exit(3)'", 3),
        (f"{quoted} -c 'import os; os.kill(os.getpid(), 15)'", 128 + 15),
        (f"{quoted} -c 'import os; os.abort()'", 128 + 6),
    ):
        done = subprocess.run(["bash", "-c", f"{script}; exit $?"], env=with_agent(agents), cwd=tmp_path, check=False)
        assert done.returncode == code, script


def old_pythons() -> list[object]:
    old = [python.executable for python in pythons() if python not in [param.values[0] for param in readable()]]  # type: ignore[attr-defined]  # pytest.param
    pypy = shutil.which("pypy3")
    found = [*old, *([Path(pypy)] if pypy else [])]
    if found:
        return [pytest.param(path, id=str(path)) for path in found]
    return [pytest.param(None, marks=pytest.mark.skip("there is no Python that memdash does not read"))]


@pytest.mark.parametrize("executable", old_pythons())
def test_pythons_that_have_no_agent_only_pass_through(executable: Path, agents: Agents) -> None:
    argv = [executable, "-c", "import sys; print(sys.path, sorted(sys.modules))"]
    assert outcome(argv, with_agent(agents)) == outcome(argv, PLAIN)
