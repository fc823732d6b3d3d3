"""What the sampler is for: a worker of a service that runs already, found by its pid, and the line that leaks in it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Profile, sampling_error
from memdash.model.snapshot import Snapshot
from memdash.probes.cpython.sampler.sampling import Sampling
from memdash.probes.registry import PROBES, sampling_with
from tests.live.following import Following
from tests.live.packages import required
from tests.live.pythons import Python
from tests.live.samplers import SampledTarget, needs_a_sampler
from tests.servers import free_port
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.matrix, needs_a_sampler]

PROGRAMS = Path(__file__).parent / "programs/python"
OURS = Python(Path(sys.executable), *sys.version_info[:2])
REQUESTS, KEPT_BYTES = 400, 20_033


class Service:
    """Workers that answer at one port."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self._url + path, timeout=10) as answer:  # noqa: S310 - it is ours
            return json.load(answer)

    def is_up(self) -> bool:
        with suppress(OSError):
            return bool(self.ask("/work"))
        return False

    def of(self, pid: int, path: str) -> Any:
        """The answer of one worker."""

        def look() -> Any:
            told = self.ask(path)
            return told if told["pid"] == pid else None

        return until(look, f"an answer of worker {pid}")


@contextmanager
def running(argv: Sequence[object], port: int | None) -> Iterator[Service]:
    """A service that tells its port, unless that is given."""
    with subprocess.Popen(
        list(map(str, argv)), cwd=PROGRAMS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            service = Service(port or int(process.stdout.readline().split()[1]))
            until(service.is_up)
            yield service
        finally:
            process.terminate()
            process.wait(20)


def own() -> tuple[Sequence[object], int | None]:
    return [OURS, PROGRAMS / "leaky.py"], None


def gunicorn() -> tuple[Sequence[object], int | None]:
    folder, port = required(OURS, "gunicorn"), free_port()
    bound = ("--workers", "2", "--bind", f"127.0.0.1:{port}", "leaky:app")
    return ["env", f"PYTHONPATH={folder}", OURS, "-m", "gunicorn", *bound], port


@pytest.mark.parametrize("service", [own, gunicorn])
def test_the_line_that_leaks_in_a_worker_is_named(service: Callable[[], tuple[Sequence[object], int | None]]) -> None:
    with running(*service()) as workers:
        pid = workers.ask("/work")["pid"]
        before = workers.of(pid, "/allocators")
        entries = sampling_with(PROBES, Sampling())
        with Following(pid, entries) as watch:
            watch.until(lambda shown: isinstance(shown.actions.get(Action.LOAD_AGENT), str))
            watch.live.act(Action.LOAD_AGENT)
            watch.until(lambda shown: isinstance(shown.sample.sites, Profile))
            kept = sum(workers.ask("/keep")["pid"] == pid for _ in range(REQUESTS))
            at = watch.live.snapshot().at.mono_s
            shown = watch.until(lambda shown: read_after(shown, at))
        assert not isinstance(shown.groups, Missing)
        top = shown.groups[0]
        assert top.frame.function == "leaky.remember"
        line = Path(top.frame.file).read_text().splitlines()[top.frame.line - 1]
        assert line.strip() == "sessions.append(bytes(size))"
        error = sampling_error(KEPT_BYTES * kept, kept, Sampling().rate_bytes)
        assert top.usage.inuse_bytes == pytest.approx(KEPT_BYTES * kept, rel=5 * error + 0.02)
        until(lambda: workers.of(pid, "/allocators") == before)


def read_after(shown: Snapshot, mono_s: float) -> bool:
    origin = shown.sample.origins.get(Capability.SITES)
    return origin is not None and origin.at.mono_s > mono_s


def test_buffers_of_numpy_are_seen_once_it_is_imported() -> None:
    environment = {"PYTHONPATH": str(required(OURS, "numpy"))}
    with SampledTarget(OURS.executable, None, Sampling(), environment) as target:
        target.act(Action.LOAD_AGENT)
        target.profile()
        target.command("import_numpy")
        target.profile()
        target.command("arrays", 200)
        assert held_through(target.profile(), "sampled.keep_arrays") == pytest.approx(200 * 80_000, rel=0.25)
        target.command("drop_arrays")
        assert held_through(target.profile(), "sampled.keep_arrays") < 80_000 * 20


def held_through(profile: Profile, function: str) -> int:
    own = [site for site in profile.sites if any(frame.function == function for frame in site.stack)]
    return sum(site.usage.inuse_bytes for site in own)
