"""What Prometheus is told of real programs is what they say of themselves, through restarts and to a real server."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.live.conftest import StartGo
from tests.live.headless import Headless, fetched
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
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        pytest.skip("there is no prometheus: Debian has it as a package of that name")
    target = start_go()
    with Headless(tmp_path, "serve", target.pid, "-i", "200ms", "--listen", "0") as memdash:
        place = memdash.said(r"http://\S+").removeprefix("http://").partition("/")[0]
        job = {"job_name": "memdash", "static_configs": [{"targets": [place]}]}
        config = tmp_path / "prometheus.json"
        config.write_text(json.dumps({"global": {"scrape_interval": "200ms"}, "scrape_configs": [job]}))
        with scraping(prometheus, config, tmp_path) as api:
            heap = until(lambda: queried(api, "go_memstats_heap_sys_bytes"), "the heap in Prometheus")
            assert heap == [(str(target.pid), float(target.stats()["HeapSys"]))]
            until(lambda: queried(api, "rate(go_memstats_alloc_bytes_total[5s]) >= 0"), "a rate")
            target.kill()
            until(lambda: [value for _, value in queried(api, "memdash_up")] == [0.0], "its end in Prometheus")
            assert until(lambda: not queried(api, "go_memstats_heap_sys_bytes"), "the end of its series")
            assert queried(api, "up") == [("", 1.0)]


@contextmanager
def scraping(prometheus: str, config: Path, folder: Path) -> Iterator[str]:
    """A Prometheus of our own, on a port that was free a moment ago."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                prometheus,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}/api/v1/query"
    finally:
        process.kill()
        process.wait()


def queried(api: str, query: str) -> list[tuple[str, float]]:
    """Pid and value of each series; none as long as nobody answers."""
    try:
        status, answer = fetched(f"{api}?{urlencode({'query': query, 'time': time.time()})}")
        found = json.loads(answer)["data"]["result"] if status == 200 else []
    except OSError:
        return []
    return [(row["metric"].get("pid", ""), float(row["value"][1])) for row in found]
