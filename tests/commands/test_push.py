"""Profiles to a server that is none of Pyroscope's, but takes and refuses them as that does."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from memdash.commands.push import _Looked, _once, _Pusher, _watched
from memdash.commands.sinks import Sink
from memdash.commands.watching import by_pid
from memdash.errors import EndpointUnreachable
from memdash.exports.otlp import metrics_of
from memdash.exports.pyroscope import series_name, upload_of
from memdash.model.capability import Capability
from memdash.model.sample import Instant
from memdash.network.delivery import Tally
from memdash.pprof.convert import sites_document
from memdash.pprof.decode import decode
from tests.fakes import a_profile, a_snapshot, memstats
from tests.programs import ended
from tests.servers import Serve, Server, answer
from tests.waiting import until

Run = Callable[..., tuple[int, str, str]]
Start = Callable[..., subprocess.Popen[bytes]]


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


def test_a_process_is_pushed_with_its_name_and_the_password(
    run: Run, small: subprocess.Popen[bytes], serve: Serve, tmp_path: Path
) -> None:
    server = serve(answer(b""))
    secret = tmp_path / "secret"
    secret.write_text("me:pass\n")
    argv = ("push", small.pid, "--pyroscope", _url(server), "-d", "0.1", "--every", "5s", "--app", "tests")
    code, out, err = run(*argv, "--label", "env=ci", "--auth-file", secret, "--tenant", "us")
    assert (code, out) == (0, "")
    assert "profiles: 1 sent" in err
    head = server.requests[0].partition(b"\r\n\r\n")[0].decode()
    asked = parse_qs(head.split(" ")[1].partition("?")[2])
    assert head.startswith("POST /ingest?")
    assert asked["name"][0].startswith("tests{env=ci,host=")
    assert asked["name"][0].endswith(f",pid={small.pid}}}")
    assert f"\r\nAuthorization: Basic {base64.b64encode(b'me:pass').decode()}" in head
    assert "\r\nX-Scope-OrgID: us" in head
    assert "goes over http" in err


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("401 Unauthorized", "--auth-file"),
        ("404 Not Found", "that the server itself answers at"),
        ("403 Forbidden", "may write"),
    ],
)
def test_a_server_that_would_refuse_everything_ends_it(
    run: Run, small: subprocess.Popen[bytes], serve: Serve, status: str, hint: str
) -> None:
    server = serve(answer(b"", status=status))
    code, _, err = run("push", small.pid, "--pyroscope", _url(server))
    assert code == 2
    assert f"{_url(server)}/ingest answers {status}" in err
    assert hint in err
    assert len(server.requests) == 1


def test_metrics_go_to_a_collector(run: Run, small: subprocess.Popen[bytes], serve: Serve) -> None:
    server = serve(answer(b""))
    code, _, err = run("push", small.pid, "--otlp", _url(server), "-d", "0.1", "--label", "env=ci")
    assert code == 0
    assert "metrics: 1 sent" in err
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/metrics HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/x-protobuf" in head
    (sent,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    about = {pair.key: pair.value.string_value or pair.value.int_value for pair in sent.resource.attributes}
    assert (about["process.pid"], about["env"]) == (small.pid, "ci")
    names = {metric.name for metric in sent.scope_metrics[0].metrics}
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "memdash_up"} <= names


def test_a_snapshot_makes_gauges_and_counters() -> None:
    shown = a_snapshot(seconds=5)
    shown = replace(shown, sample=replace(shown.sample, memstats=memstats(heap_bytes=12345)))
    (sent,) = ExportMetricsServiceRequest.FromString(metrics_of(shown, {"service.name": "shop"})).resource_metrics
    metrics = {metric.name: metric for metric in sent.scope_metrics[0].metrics}
    assert metrics["go_memstats_heap_alloc_bytes"].gauge.data_points[0].as_double == 12345
    counted = metrics["go_memstats_mallocs_total"].sum
    assert counted.is_monotonic
    assert counted.data_points[0].start_time_unix_nano > 0
    assert metrics["go_gc_duration_seconds_count"].gauge.data_points
    assert len(metrics) == len(sent.scope_metrics[0].metrics)  # each name once: of two types one would be lost


def test_without_the_extra_it_is_one_line(
    run: Run, small: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "memdash.exports.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.metrics.export", None)
    code, _, err = run("push", small.pid, "--otlp", "http://localhost:4318")
    assert code == 2
    assert "--otlp takes OpenTelemetry" in err
    assert "memdash[otlp]" in err


def test_a_server_that_is_down_is_told_once_and_what_it_never_took_is_no_success(
    run: Run, small: subprocess.Popen[bytes], serve: Serve
) -> None:
    server = serve(answer(b"", status="500 Internal Server Error"))
    code, _, err = run("push", small.pid, "--pyroscope", _url(server), "-d", "0.1")
    assert code == 5
    assert err.count("it is tried again") == 1
    assert "profiles: 0 sent, 1 not sent" in err
    assert f"none of the profiles were delivered, 1 lost: {_url(server)}/ingest answers 500" in err


def test_a_signal_ends_it_once_what_was_read_is_sent(serve: Serve, small: subprocess.Popen[bytes]) -> None:
    server = serve(answer(b""))
    argv = (sys.executable, "-m", "memdash", "push", str(small.pid), "--pyroscope", _url(server))
    with ended(subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)) as push:
        until(lambda: server.requests, "the first profile")
        push.send_signal(signal.SIGTERM)
        _, err = push.communicate(timeout=30)
    assert push.returncode == 0
    assert "profiles: 1 sent" in err


def test_a_process_that_has_ended_is_left_out(
    small: subprocess.Popen[bytes], start: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    taken: list[float] = []
    sink = SimpleNamespace(take=lambda _, since_s: taken.append(since_s), delivery=SimpleNamespace(failure=None))
    child = start("sleep", "600")
    pusher = _Pusher(_once(by_pid([str(small.pid), str(child.pid)])), [cast(Sink, sink)])
    pusher.push(60.0)
    assert len(taken) == 2
    child.kill()
    child.wait()
    for _ in range(2):
        pusher.push(60.0)
    assert len(taken) == 4
    assert pusher.has_lost
    assert not pusher.is_over
    assert capfd.readouterr().err.count(f"process {child.pid} has ended") == 1


def test_one_of_which_there_is_no_profile_costs_the_others_nothing(
    run: Run, small: subprocess.Popen[bytes], start: Start, serve: Serve
) -> None:
    server = serve(answer(b""))
    child = start("sleep", "600")
    code, _, err = run("push", child.pid, small.pid, "--pyroscope", _url(server), "-d", "0.1")
    assert code == 5
    assert f"sleep (pid {child.pid}): there is no profile to be had" in err
    assert "profiles: 1 sent" in err
    assert "memdash: less was pushed than was to be" in err


def test_a_span_begins_where_sampling_did() -> None:
    taken: list[float] = []
    sink = SimpleNamespace(take=lambda _, since_s: taken.append(since_s), delivery=SimpleNamespace(failure=None))
    shown = a_snapshot(30)
    begun = Instant(shown.at.wall_s - 3.0, shown.at.mono_s - 3.0)
    shown = replace(shown, since={**shown.since, Capability.SITES: begun})
    for is_sampled in (True, False):
        _Pusher([_Looked(shown.target, lambda: shown, is_sampled)], [cast(Sink, sink)]).push(60.0)
    assert taken == [begun.wall_s, shown.at.wall_s - 60.0]


def test_a_span_that_has_just_begun_is_no_empty_one() -> None:
    asked = parse_qs(upload_of(sites_document(a_profile(), (), 5), "shop", 1060.1, 1060.2).query)
    assert (asked["from"], asked["until"]) == (["1060"], ["1061"])


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        (["--pyroscope", "localhost:4040"], "--pyroscope: "),
        (["--pyroscope", "http://u:p@h"], "--pyroscope: a URL with a user or password"),
        (["--pyroscope", "http://h", "--every", "1s"], "--every: "),
        (["--pyroscope", "http://h", "--label", "x"], "--label: 'x' is no label"),
        (["--pyroscope", "http://h", "--tenant", "a\nb"], "--tenant: "),
        (["--pyroscope", "http://h", "--auth-file", "/no/such"], "--auth-file: /no/such"),
        (["--otlp", "ftp://h"], "--otlp: "),
        ([], "nobody is named to push to"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, argv: list[str], what: str) -> None:
    code, _, err = run("push", str(os.getpid()), *argv)
    assert code == 2
    assert what in err


def test_it_is_pushed_again_whenever_it_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memdash.commands.watching._EVERY_S", 0.001)
    pushed: list[float] = []
    pusher = SimpleNamespace(is_over=False)

    def push(every_s: float) -> None:
        pushed.append(every_s)
        pusher.is_over = len(pushed) == 3

    pusher.push = push
    _watched(cast(_Pusher, pusher), 0.01, 30.0)
    assert pushed == [0.01] * 3


def test_what_was_lost_of_what_arrived_is_no_failure() -> None:
    delivery = SimpleNamespace(failure=None, tally=Tally(sent=1, dropped=2), waiting=1, trouble="it hangs")
    sink = Sink("profiles", cast(Any, delivery), lambda *_: pytest.fail("nothing is taken"))
    sink.require_accepted()
    delivery.tally = Tally(dropped=2)
    with pytest.raises(EndpointUnreachable, match="3 lost: it hangs"):
        sink.require_accepted()
