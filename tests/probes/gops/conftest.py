"""This very process with a gops agent in it, which answers as a test wants it to."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memdash.model.target import Target
from memdash.probes.gops import port_file
from memdash.process.identity import identify

Answerer = Callable[[socket.socket, bytes], object]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the port file of this process is looked for."""
    variables = {"GOPS_CONFIG_DIR": str(tmp_path), "HOME": str(tmp_path / "home")}
    monkeypatch.setattr(port_file, "environment", lambda _: variables)
    return tmp_path


@pytest.fixture
def target() -> Target:
    return identify(os.getpid())


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[[Answerer], list[bytes]]]:
    """Have connections answered in a thread; returned are the questions, in the order in which they came."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []
    threads: list[threading.Thread] = []

    def answer_all(answer: Answerer) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(20)
                try:
                    asked.append(connection.recv(8))
                    answer(connection, asked[-1])
                except OSError:
                    continue

    def begin(answer: Answerer) -> list[bytes]:
        (folder / str(os.getpid())).write_text(str(listening.getsockname()[1]))
        threads.append(threading.Thread(target=answer_all, args=(answer,)))
        threads[-1].start()
        return asked

    yield begin
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    for thread in threads:
        thread.join()
