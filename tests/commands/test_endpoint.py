"""A program's own endpoints on the command line: what they are asked, what is said of them, how each trouble ends."""

import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.network import wire
from memdash.pprof.decode import decode
from tests.served import GOROUTINES, HEAP, MEMSTATS, collecting, goroutines, served
from tests.servers import IMPATIENT, Serve, Server, answer

Start = Callable[..., "subprocess.Popen[bytes]"]
Run = Callable[..., tuple[int, str, str]]
OURSELVES = str(os.getpid())


@pytest.fixture
def server(serve: Serve) -> Server:
    return serve(served())


def test_a_server_is_reported_by_its_url_alone(run: Run, server: Server) -> None:
    code, out, err = run("report", "--url", server.address.url)
    assert (code, err) == (0, "")
    assert out.startswith(f"{server.address.server}, go, asked over HTTP, live\nasked at: {server.address.url}\n")
    assert "HeapAlloc" in out
    assert "shop/store" in out or "store.go" in out
    assert "main.worker" in out
    assert "pid 0" not in out
    assert "each reading" in out


def test_a_server_is_watched_for_a_while(run: Run, server: Server) -> None:
    code, out, _ = run("report", server.address.url, "-d", "300ms", "-i", "50ms")
    assert code == 0
    assert "asked over HTTP, live" in out
    assert "main.worker" in out


def test_the_json_document_says_what_is_not_known_of_a_server(run: Run, server: Server) -> None:
    code, out, _ = run("report", "--json", server.address.url)
    document = json.loads(out)
    assert code == 0
    assert document["target"] | {"url": ""} == {
        "pid": None, "start_time": None, "name": server.address.server, "argv": None, "exe": None, "uid": None,
        "runtime": "go", "runtime_version": None, "uptime_s": None, "url": "",
    }  # fmt: skip
    assert document["sources"] == dict.fromkeys(("memstats", "gc", "sites", "tasks"), "endpoint")
    assert document["memstats"]["TotalAlloc"] == MEMSTATS.TotalAlloc
    assert "tells nothing of its process" in document["missing"]["system"]


def test_doctor_says_what_was_found(run: Run, server: Server) -> None:
    code, out, _ = run("doctor", "--url", server.address.url)
    assert code == 0
    assert f"net/http/pprof at {server.address.url}debug/pprof/ and expvar at" in out
    assert "endpoint.heap_profile: read in" in out


def test_doctor_fails_where_a_server_cannot_be_read(run: Run) -> None:
    code, out, _ = run("doctor", "http://127.0.0.1:1/")
    assert code == 5
    assert "nothing answers at 127.0.0.1:1" in out


def test_doctor_says_of_a_process_why_none_was_found(run: Run, serve: Serve) -> None:
    code, out, _ = run("doctor", OURSELVES, "--endpoint", serve({}).address.url)
    assert code == 0
    assert "endpoint: no\n  there is neither net/http/pprof nor expvar" in out


def test_garbage_is_collected_through_a_url(run: Run, serve: Serve) -> None:
    server = serve(collecting())
    code, out, _ = run("gc", server.address.url, "--yes")
    assert code == 0
    assert out.startswith("force GC: the program collected its garbage in ")
    assert "HeapAlloc" in out
    assert [request for request in server.requests if b"gc=1" in request]


@pytest.mark.parametrize("verb", [["top"], ["tree"], ["flame"], ["peek", "Add"], ["list", "Add"]], ids=str)
def test_every_view_takes_a_url(run: Run, server: Server, tmp_path: Path, verb: list[str]) -> None:
    file = tmp_path / "heap.pb.gz"
    file.write_bytes(HEAP)
    code, out, err = run(*verb, server.address.url)
    assert (code, out) == (0, run(*verb, file)[1])
    assert "Traceback" not in err


def test_a_profile_is_saved_as_it_is_served(run: Run, server: Server, tmp_path: Path) -> None:
    for kind, body in {"heap": HEAP, "goroutine": GOROUTINES}.items():
        file = tmp_path / kind
        assert run("profile", server.address.url, "--type", kind, "-o", file)[0] == 0
        assert decode(file.read_bytes()) == decode(body)


def test_a_change_is_taken_with_words_on_how_long_it_takes(run: Run, serve: Serve, tmp_path: Path) -> None:
    server = serve(served() | {"/debug/pprof/allocs?seconds=1": answer(HEAP)})
    file = tmp_path / "delta"
    code, _, err = run("profile", server.address.url, "--type", "allocs", "--seconds", "1s", "-o", file)
    assert code == 0
    assert "what changes in 1.0 s" in err
    assert decode(file.read_bytes()) == decode(HEAP)


def test_a_profile_that_is_not_served_is_said_so(run: Run, server: Server, tmp_path: Path) -> None:
    code, _, err = run("profile", server.address.url, "--type", "goroutineleak", "-o", tmp_path / "x")
    assert code == 2
    assert "collects its garbage for this" in err
    assert "/debug/pprof/goroutineleak answers 404 Not Found" in err
    assert not (tmp_path / "x").exists()


def test_leaks_are_searched_for_through_a_url(
    run: Run, serve: Serve, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memdash.commands.leaks._WATCH_S", 0.02)
    code, out, _ = run("leaks", server.address.url)
    assert code == 0  # so many may be the workers of a pool, and their ids are not told
    assert "    20  chan receive  " in out
    assert "  (fewer than 100)\n" in out
    main_alone = serve(served(goroutine=goroutines((1, ("runtime.gopark", "main.main", "runtime.main")))))
    assert run("leaks", main_alone.address.url)[:2] == (0, "no leaked goroutines\n")
    code, _, err = run("leaks", server.address.url, "--ignore-created-by", "main.start")
    assert code == 2
    assert "--ignore-created-by cannot be obeyed" in err


USAGE = [
    (["report", "--url", "localhost:6060"], "--url: 'localhost:6060' is not a URL that begins with http://"),
    (["report", "--url", "http://me:x@h/"], "--url: a URL with a user or password"),
    (["report", "--url", "http://h/?gc=1"], "holds a question"),
    (["report", "--url", "http://h/", OURSELVES], "named in more than one way"),
    (["report", "http://h/", "--pid", OURSELVES], "named in more than one way"),
    (["report", "http://h/", "--endpoint", "auto"], "--endpoint is for a process, and --url names a server"),
    (["report", OURSELVES, "--endpoint", "automatic"], "--endpoint: 'automatic' is not a URL"),
    (["profile", OURSELVES, "-o", "x", "--type", "mutex"], "--type mutex is for a program's own endpoint"),
    (["profile", OURSELVES, "-o", "x", "--seconds", "5"], "--seconds is for a program's own endpoint"),
    (["profile", "http://h/", "-o", "x", "--type", "cpu"], "there is no type 'cpu'"),
    (["profile", "http://h/", "-o", "x", "--seconds", "0.5"], "not a number of whole seconds"),
    (["top", "http://"], "names no server"),
]


@pytest.mark.parametrize(
    ("argv", "words"), USAGE, ids=[" ".join(argv[:3]).replace(OURSELVES, "PID") for argv, _ in USAGE]
)
def test_what_makes_no_sense_is_refused(run: Run, argv: list[str], words: str) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert words in err
    assert "try: " in err


TROUBLE = {
    "hangs": (lambda connection, _: connection.recv(1) and None, 5),
    "closes early": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", 5),
    "redirects": (b"HTTP/1.1 302 Found\r\nLocation: /debug/pprof/heap\r\nContent-Length: 0\r\n\r\n", 2),
    "has nothing": ({}, 2),
    "fails": (answer(b"", status="500 Internal Server Error"), 2),
    "answers a page to everything": (answer(b"<html>hello", "text/html"), 2),
    "answers a profile that is cut off": (answer(HEAP[:100]), 2),
    "floods": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000, 2),
}


@pytest.mark.parametrize(("behaviour", "code"), TROUBLE.values(), ids=TROUBLE)
@pytest.mark.parametrize("verb", ["top", "report", "leaks", "gc --yes"])
def test_each_trouble_is_one_clear_error(
    run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch, behaviour: object, code: int, verb: str
) -> None:
    if code == 5:  # what never comes; the others are waited for, however busy the machine is
        monkeypatch.setattr(wire.Patience, "longer", lambda _patience, _seconds: IMPATIENT)
    told, out, err = run(*verb.split(), serve(behaviour).address.url)
    assert (told, out) == (code, "")
    assert len([line for line in err.splitlines() if line.startswith("memdash: ")]) == 1
    assert "Traceback" not in err


NO_GC = {
    "hangs": (lambda connection: connection.recv(1), 5),
    "answers with text": (lambda connection: connection.sendall(answer(b"ok", "text/plain")), 2),
    "breaks off": (lambda connection: connection.sendall(answer(HEAP)[:-20]), 5),
}


@pytest.mark.parametrize(("behaviour", "code"), NO_GC.values(), ids=NO_GC)
def test_a_collection_that_fails_exits_as_any_question_would(
    run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch, behaviour: Callable[[object], object], code: int
) -> None:
    monkeypatch.setattr(wire.Patience, "longer", lambda patience, seconds: IMPATIENT if seconds else patience)
    pages = served()

    def behave(connection: socket.socket, path: str) -> None:
        behaviour(connection) if path.endswith("gc=1") else connection.sendall(pages[path])

    assert run("gc", "--yes", serve(behave).address.url)[0] == code


def test_nobody_there_is_said_so(run: Run, server: Server) -> None:
    server.close()
    for verb in ("report", "top", "leaks"):
        code, _, err = run(verb, server.address.url)
        assert code == 5
        assert f"nothing answers at {server.address.server}: connection refused" in err
