"""Works that need packages: how the code that people run asks for memory, and switches stacks.

Runs in the target, as ``works`` does; each imports what it needs in the thread that does it.
"""

from __future__ import annotations

import os
import random
import threading
from io import StringIO
from pathlib import Path
from typing import Any

__all__ = ["arrays", "celery_tasks", "flask_requests", "frames", "greenlets", "uv_tasks"]


def greenlets(rng: random.Random) -> object:
    """gevent's, whose stacks are switched under the interpreter."""
    import gevent  # type: ignore[import-not-found,import-untyped,unused-ignore]  # in the environment of who asks for this, as all that follow

    def climb(level: int, number: int) -> list[int]:
        gevent.sleep(0)
        return [number] if not level else [*climb(level - 1, number), level]

    jobs = [gevent.spawn(climb, rng.randrange(12), number) for number in range(100)]
    gevent.joinall(jobs)
    return [job.value for job in jobs]


def uv_tasks(_: random.Random) -> object:
    """A server and its clients in a loop of uvloop's, which asks for memory from C."""
    import asyncio

    import uvloop  # type: ignore[import-not-found]

    path = f"/tmp/memdash-stress-{os.getpid()}-{threading.get_ident()}"  # noqa: S108 - gone in a moment

    async def echo(reader: Any, writer: Any) -> None:
        writer.write(await reader.readline())
        writer.close()

    async def talk() -> bytes:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"x" * 2000 + b"\n")
        line: bytes = await reader.readline()
        writer.close()
        return line

    async def all_of_them() -> int:
        server = await asyncio.start_unix_server(echo, path)
        lines = await asyncio.gather(*[talk() for _ in range(20)])
        server.close()
        return sum(map(len, lines))

    loop = uvloop.new_event_loop()
    try:
        return loop.run_until_complete(all_of_them())
    finally:
        loop.close()
        if Path(path).exists():
            Path(path).unlink()


def arrays(rng: random.Random) -> object:
    import numpy as np  # type: ignore[import-not-found]

    size = rng.randrange(1000, 60_000)
    numbers = np.arange(size, dtype=float)
    kept = [numbers * factor + numbers[::-1] for factor in range(10)]
    chosen = kept[3][kept[3] > size / 2]
    grown = np.zeros(10)
    for step in range(20):
        grown.resize(10 + step * 500, refcheck=False)
    return size, float(sum(part.sum() for part in kept)), len(chosen), grown.nbytes


def frames(rng: random.Random) -> object:
    import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]

    rows = 3000
    table = pd.DataFrame(
        {
            "key": [rng.randrange(50) for _ in range(rows)],
            "name": [f"n{rng.randrange(200)}" for _ in range(rows)],
            "value": [rng.random() for _ in range(rows)],
        }
    )
    sums = table.groupby("key")["value"].sum().round(6)
    merged = table.merge(table.drop_duplicates("name"), on="name", how="left")
    again = pd.read_csv(StringIO(table.to_csv(index=False)))
    return sums.to_dict(), len(merged), again["name"].str.upper().value_counts().sort_index().to_dict()


def flask_requests(rng: random.Random) -> object:
    import flask  # type: ignore[import-not-found]

    app = flask.Flask("stress")

    @app.post("/total")  # type: ignore[untyped-decorator]
    def total() -> Any:
        values = flask.request.get_json()["values"]
        return flask.jsonify(
            total=sum(values), text=flask.render_template_string("{% for v in v %}{{v}},{% endfor %}", v=values)
        )

    client = app.test_client()
    answers = []
    for _ in range(5):
        answer = client.post("/total", json={"values": [rng.randrange(1000) for _ in range(200)]})
        answers.append((answer.status_code, answer.get_json()))
    return answers


_celery = threading.Lock()


def celery_tasks(rng: random.Random) -> object:
    """A worker in a thread of this process, by a broker in its memory."""
    from celery import Celery  # type: ignore[import-not-found]
    from celery.contrib.testing.worker import start_worker  # type: ignore[import-not-found]

    with _celery:
        app = Celery("stress", broker="memory://", backend="cache+memory://")
        app.conf.worker_hijack_root_logger = False

        @app.task  # type: ignore[untyped-decorator]
        def add(numbers: list[int]) -> int:
            return sum(numbers)

        with start_worker(app, perform_ping_check=False, loglevel="CRITICAL", shutdown_timeout=60):
            results = [add.delay([rng.randrange(100) for _ in range(50)]) for _ in range(20)]
            return [result.get(timeout=60) for result in results]
