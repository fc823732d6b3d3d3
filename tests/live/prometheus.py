"""A real Prometheus of our own, on loopback, and what it answers. Debian's package has it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.live.headless import fetched
from tests.servers import free_port

__all__ = ["program", "queried", "serving", "taken_in", "traced"]


def program(name: str) -> str:
    """Where ``prometheus`` or ``promtool`` is; else the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name}: it comes with Debian's prometheus")
    return found


@contextmanager
def serving(folder: Path, config: Mapping[str, object]) -> Iterator[str]:
    """The URL of the API of one whose data is in ``folder``/tsdb."""
    port = free_port()
    (folder / "prometheus.json").write_text(json.dumps(config))
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={folder / 'prometheus.json'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.kill()
        process.wait()


def taken_in(metrics: Path, folder: Path) -> None:
    """Have promtool make blocks of OpenMetrics, where ``serving`` will find them."""
    done = subprocess.run(
        [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", metrics, folder / "tsdb"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def queried(api: str, query: str) -> list[tuple[str, float]]:
    """Pid and value of each series now; none as long as nobody answers."""
    return [
        (row["metric"].get("pid", ""), float(row["value"][1]))
        for row in _asked(f"{api}/query?{urlencode({'query': query, 'time': time.time()})}")
    ]


def traced(api: str, query: str, since_s: float, until_s: float, step_s: float) -> dict[str, list[tuple[float, float]]]:
    """When and what, by pid; nothing as long as nobody answers."""
    asked = {"query": query, "start": since_s, "end": until_s, "step": step_s}
    return {
        row["metric"].get("pid", ""): [(at_s, float(value)) for at_s, value in row["values"]]
        for row in _asked(f"{api}/query_range?{urlencode(asked)}")
    }


def _asked(url: str) -> list[Any]:
    try:
        status, answer = fetched(url)
        found: list[Any] = json.loads(answer)["data"]["result"] if status == 200 else []
    except OSError:
        return []
    return found
