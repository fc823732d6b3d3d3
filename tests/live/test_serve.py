"""What Prometheus is told of real programs is what they say of themselves, through restarts and to a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from memdash.cli import main
from memdash.model.snapshot import State
from memdash.recording.moment import Moment
from memdash.recording.writer import Writer
from memdash.units import MIB
from tests.fakes import FakeClock, a_gc, a_sample, a_system, a_target, memstats
from tests.live import prometheus
from tests.live.conftest import StartGo
from tests.live.headless import Headless, fetched
from tests.live.prometheus import queried, traced
from tests.waiting import until

pytestmark = pytest.mark.live

Told = dict[tuple[str, str], float]


def told(url: str) -> Told:
    """By name and pid; of summaries the median."""
    status, text = fetched(url)
    assert status == 200
    return {
        (sample.name, sample.labels.get("pid", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("quantile", "0.5") == "0.5"
    }


def told_with(url: str, name: str, pid: int | str, value: float | None = None) -> Told:
    """The same, once that is among it."""

    def look() -> Told | None:
        found = told(url)
        return found if found.get((name, str(pid)), -1) >= 0 and value in (None, found[name, str(pid)]) else None

    return until(look, name)


def test_figures_are_those_of_the_program_itself(start_go: StartGo, tmp_path: Path) -> None:
    target = start_go()
    target.command("gc")
    with Headless(tmp_path, "serve", target.pid, os.getpid(), "-i", "100ms", "--listen", "0") as memdash:
        url = memdash.said(r"http://\S+")
        pid = str(target.pid)
        found = told_with(url, "go_goroutines", pid)
        stats = target.stats()  # last: to tell of its heap makes it larger
        for name, field in (
            ("go_memstats_sys_bytes", "Sys"),
            ("go_memstats_next_gc_bytes", "NextGC"),
            ("go_gc_total", "NumGC"),
        ):
            assert found[name, pid] == stats[field], name
        # A stack that grows meanwhile, be it that of who answers us, takes its memory from the heap's.
        assert found["go_memstats_heap_sys_bytes", pid] == pytest.approx(stats["HeapSys"], abs=256 << 10)
        assert found["go_memstats_heap_alloc_bytes", pid] == pytest.approx(stats["HeapAlloc"], rel=0.05)
        assert found["go_gc_duration_seconds_sum", pid] == pytest.approx(stats["PauseTotalNs"] / 1e9)
        assert told_with(url, "process_resident_memory_bytes", os.getpid())
        target.kill()
        gone = told_with(url, "memdash_up", pid, 0.0)
        assert [name for name, of in gone if of == pid] == ["memdash_up"]
        memdash.said(rf"\(pid {pid}\) \w+")
        assert memdash.end() == 0


@contextmanager
def sleeping(program: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([program, "1000"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.matrix
def test_a_program_is_found_again_after_a_restart(tmp_path: Path) -> None:
    program = tmp_path / f"naps{os.getpid()}"
    shutil.copy("/bin/sleep", program)
    with Headless(tmp_path, "serve", "--wait-for", program.name, "--listen", "0") as memdash:
        url = memdash.said(r"http://\S+")
        told_with(url, "memdash_up", "", 0.0)
        for _ in range(2):
            with sleeping(program) as process:
                up = told_with(url, "memdash_up", process.pid, 1.0)
                assert len([name for name, _ in up if name == "memdash_up"]) == 1
            told_with(url, "memdash_up", process.pid, 0.0)


@pytest.mark.matrix
def test_a_token_is_asked_for(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    with Headless(tmp_path, "serve", os.getpid(), "--listen", "0", "--token-file", token) as memdash:
        url = memdash.said(r"http://\S+")
        assert fetched(url)[0] == 401
        assert fetched(url, "s3cret")[0] == 200


@pytest.mark.matrix
def test_a_real_prometheus_keeps_what_it_is_told(start_go: StartGo, tmp_path: Path) -> None:
    prometheus.program("prometheus")
    target = start_go()
    with Headless(tmp_path, "serve", target.pid, "-i", "200ms", "--listen", "0") as memdash:
        place = memdash.said(r"http://\S+").removeprefix("http://").partition("/")[0]
        job = {"job_name": "memdash", "static_configs": [{"targets": [place]}]}
        with prometheus.serving(tmp_path, {"global": {"scrape_interval": "200ms"}, "scrape_configs": [job]}) as api:
            heap = until(lambda: queried(api, "go_memstats_heap_sys_bytes"), "the heap in Prometheus")
            assert heap == [(str(target.pid), float(target.stats()["HeapSys"]))]
            until(lambda: queried(api, "rate(go_memstats_alloc_bytes_total[5s]) >= 0"), "a rate")
            target.kill()
            until(lambda: [value for _, value in queried(api, "memdash_up")] == [0.0], "its end in Prometheus")
            assert until(lambda: not queried(api, "go_memstats_heap_sys_bytes"), "the end of its series")
            assert queried(api, "up") == [("", 1.0)]


@pytest.mark.matrix
def test_an_hour_that_was_recorded_is_on_a_graph(tmp_path: Path) -> None:
    prometheus.program("prometheus")
    clock, path, out = FakeClock(), tmp_path / "run.mdr", tmp_path / "run.om"
    writer, target = Writer(path), a_target()
    run = writer.begin(target, clock.now(), 5.0)
    since, heaps = clock.now(), list[int]()
    for number in range(3600 // 5):
        at, heap = clock.now(), 300 * MIB + number * MIB // 4
        heaps.append(heap)
        writer.write(run, [Moment(at=at, state=State.LIVE, sample=a_sample(at, memstats(heap), a_gc(), a_system()))])
        clock.advance(5.0)
    writer.end(run)
    writer.close()
    assert main(["serve", str(path), "-o", str(out)]) == 0
    prometheus.taken_in(out, tmp_path)
    with prometheus.serving(tmp_path, {}) as api:
        query = partial(traced, api, "go_memstats_heap_alloc_bytes", since.wall_s, since.wall_s + 3585, 15)
        found = until(query, "the hour in Prometheus")
        assert found == {str(target.pid): [(since.wall_s + 15 * at, heap) for at, heap in enumerate(heaps[::3])]}
        assert queried(api, "go_memstats_heap_alloc_bytes") == []
