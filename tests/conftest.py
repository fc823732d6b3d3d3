"""Small processes and servers to look at, each ended by the test that started it, and memdash run on them."""

import gc
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memdash.cli import main
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.launch import agents_of_ours
from tests.programs import SMALL, asked_by_a_shell, offers
from tests.servers import Serve, serving


@pytest.fixture(autouse=True, scope="session")
def usual_signals() -> None:
    """Whoever runs the tests in the background may ignore these, and every program we start would inherit that."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def terminals_have_their_own_size() -> None:
    """Who runs tests in several processes may say how wide they may write: no program of ours shall go by that."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


@pytest.fixture(autouse=True, scope="session")
def rarely_collected() -> None:
    """Thousands of tests make a large heap: at Python's own pace collections are a third of a test of a screen.

    Nobody waits for one: tests that are about garbage collect it themselves.
    """
    gc.set_threshold(50_000, 10, 10)


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the file nor the variables of whoever runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in [name for name in os.environ if name.startswith("MEMDASH_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wall-clock times are shown in local time: the same on every machine."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line: its exit code, what it wrote, what it said."""

    def run(*argv: str | int | Path) -> tuple[int, str, str]:
        code = main([str(word) for word in argv])
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def offered(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], dict[str, str]]:
    """What a shell would offer in place of the last of the words: its kind by the word."""

    def offered(words: str) -> dict[str, str]:
        for name, value in asked_by_a_shell(words).items():
            monkeypatch.setenv(name, value)
        return offers(run()[1])

    return offered


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of a short path: it has to fit into the queue of a target that a script is brought into."""
    with tempfile.TemporaryDirectory(prefix="memdash-") as made:
        yield Path(made)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start


@pytest.fixture
def agents() -> Iterator[Agents]:
    """A place where agents meet memdash."""
    with agents_of_ours() as listening:
        yield listening


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a program; when this returns it has been exec'ed."""
    children = []

    def run(*argv: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        children.append(child)
        return child

    yield run
    for child in children:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def small(start: Callable[..., subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """A Python that does nothing, and of which less is to be read than of the tests' own."""
    child = start(*SMALL)
    assert child.stdout is not None
    child.stdout.readline()
    return child


@pytest.fixture
def zombie() -> Iterator[int]:
    """A pid whose process has ended and has not been waited for."""
    pid = os.posix_spawnp("true", ["true"], os.environ)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    yield pid
    os.waitpid(pid, 0)


@pytest.fixture
def as_nobody() -> Callable[[Callable[[], str]], str]:
    """Call a function as a user who owns nothing; what it returned, or the error it raised."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")

    def call(function: Callable[[], str]) -> str:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
                os.write(writer, function().encode())
            except BaseException as error:  # noqa: BLE001 - a forked child must not come back into pytest
                os.write(writer, f"{type(error).__name__}: {error}".encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader, encoding="utf-8") as answer:
            text = answer.read()
        os.waitpid(pid, 0)
        return text

    return call
