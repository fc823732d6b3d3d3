"""Profiles to a server that is none of Pyroscope's, but takes and refuses them as that does."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs

import pytest

from memdash.commands.push import _Pusher
from memdash.commands.watching import by_pid
from memdash.exports.pyroscope import Upload, series_name, upload_of
from memdash.network.delivery import Delivery
from memdash.pprof.convert import sites_document
from memdash.pprof.decode import decode
from tests.fakes import a_profile
from tests.servers import Serve, Server, answer

Run = Callable[..., tuple[int, str, str]]
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def small(start: Start) -> str:
    """The pid of a Python that is read in no time."""
    child = start(sys.executable, "-S", "-c", "import time; print(flush=True); time.sleep(600)")
    assert child.stdout is not None
    child.stdout.readline()
    return str(child.pid)


def _url(server: Server) -> str:
    return f"http://{server.address.server}"


def test_an_upload_is_the_profile_of_what_is_held() -> None:
    upload = upload_of(sites_document(a_profile(), (), 5), "shop{host=a}", 1000.9, 1060.2)
    asked = {key: value for key, (value,) in parse_qs(upload.query).items()}
    assert asked == {
        "name": "shop{host=a}", "format": "pprof", "spyName": "memdash", "from": "1000", "until": "1060",
    }  # fmt: skip
    sent = decode(upload.body)
    assert [held.kind for held in sent.sample_types] == ["inuse_objects", "inuse_space"]
    assert sum(sample.values[1] for sample in sent.samples) == sum(site.usage.inuse_bytes for site in a_profile().sites)


def test_a_name_cannot_say_more_than_a_name() -> None:
    assert series_name("a b{x=1},\n", {"k}": "v,w=é"}) == "a_b_x_1_{k_=v_w_}"
    assert series_name("", {}) == "_{}"


def test_a_process_is_pushed_with_its_name_and_the_password(run: Run, small: str, serve: Serve, tmp_path: Path) -> None:
    server = serve(answer(b""))
    secret = tmp_path / "secret"
    secret.write_text("me:pass\n")
    argv = ("push", small, "--pyroscope", _url(server), "-d", "0.1", "--every", "5s", "--app", "tests")
    code, out, err = run(*argv, "--label", "env=ci", "--auth-file", secret, "--tenant", "us")
    assert (code, out) == (0, "")
    assert "1 profile sent" in err
    head = server.requests[0].partition(b"\r\n\r\n")[0].decode()
    asked = parse_qs(head.split(" ")[1].partition("?")[2])
    assert head.startswith("POST /ingest?")
    assert asked["name"][0].startswith("tests{env=ci,host=")
    assert asked["name"][0].endswith(f",pid={small}}}")
    assert f"\r\nAuthorization: Basic {base64.b64encode(b'me:pass').decode()}" in head
    assert "\r\nX-Scope-OrgID: us" in head
    assert "goes over http" in err


@pytest.mark.parametrize(
    ("status", "hint"),
    [("401 Unauthorized", "--auth-file"), ("404 Not Found", "without /ingest"), ("403 Forbidden", "may write")],
)
def test_a_server_that_would_refuse_everything_ends_it(
    run: Run, small: str, serve: Serve, status: str, hint: str
) -> None:
    server = serve(answer(b"", status=status))
    code, _, err = run("push", small, "--pyroscope", _url(server))
    assert code == 2
    assert f"{_url(server)}/ingest answers {status}" in err
    assert hint in err
    assert len(server.requests) == 1


def test_a_server_that_is_down_is_told_once_and_no_reason_to_end(run: Run, small: str, serve: Serve) -> None:
    server = serve(answer(b"", status="500 Internal Server Error"))
    code, _, err = run("push", small, "--pyroscope", _url(server), "-d", "0.1")
    assert code == 0
    assert err.count("answers 500") == 1
    assert "0 profiles sent" in err


def test_a_signal_ends_it_once_what_was_read_is_sent(serve: Serve, start: Start) -> None:
    server = serve(answer(b""))
    target = start(sys.executable, "-S", "-c", "import time; time.sleep(600)")
    argv = (sys.executable, "-m", "memdash", "push", str(target.pid), "--pyroscope", _url(server))
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as push:
        deadline = time.monotonic() + 30
        while not server.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        push.send_signal(signal.SIGTERM)
        _, err = push.communicate(timeout=30)
    assert push.returncode == 0
    assert "1 profile sent" in err


def test_a_process_that_has_ended_is_left_out(small: str, start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    offered: list[Upload] = []
    delivery = SimpleNamespace(offer=offered.append, failure=None)
    child = start(sys.executable, "-S", "-c", "import time; print(flush=True); time.sleep(600)")
    assert child.stdout is not None
    child.stdout.readline()
    pusher = _Pusher(by_pid([small, str(child.pid)]), cast("Delivery[Any]", delivery), None, {})
    pusher.push(60.0)
    assert len(offered) == 2
    child.kill()
    child.wait()
    for _ in range(2):
        pusher.push(60.0)
    assert len(offered) == 4
    assert pusher.has_lost
    assert not pusher.is_over
    assert capfd.readouterr().err.count(f"process {child.pid} has ended") == 1


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        (["--pyroscope", "localhost:4040"], "--pyroscope: "),
        (["--pyroscope", "http://u:p@h"], "--pyroscope: a URL with a user or password"),
        (["--pyroscope", "http://h", "--every", "1s"], "--every: "),
        (["--pyroscope", "http://h", "--label", "x"], "--label: 'x' is no label"),
        (["--pyroscope", "http://h", "--tenant", "a\nb"], "--tenant: "),
        (["--pyroscope", "http://h", "--auth-file", "/no/such"], "--auth-file: /no/such"),
        ([], "pyroscope"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, argv: list[str], what: str) -> None:
    code, _, err = run("push", str(os.getpid()), *argv)
    assert code == 2
    assert what in err
