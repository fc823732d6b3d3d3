"""Profiles that a server sends, as facts, and what is no profile."""

import gzip
from dataclasses import replace

import pytest

from memdash.errors import BadAnswer
from memdash.model.profile import Frame, Usage
from memdash.model.tasks import TaskKind
from memdash.network.client import Answer, Client
from memdash.pprof.convert import sites_document
from memdash.pprof.decode import decode
from memdash.pprof.document import Document
from memdash.probes.endpoint.profiles import decoded, fetched, fetched_from
from memdash.probes.profiles import sites, tasks
from tests.fakes import a_profile
from tests.served import GOROUTINES, HEAP, goroutines, served
from tests.servers import Serve, answer

BINARY = "application/octet-stream"


def answered(body: bytes, content_type: str = BINARY) -> Answer:
    return Answer(body, content_type, "http://h:1/debug/pprof/heap")


def held(document: Document) -> tuple[Document, list[tuple[object, ...]]]:
    """All of it but the numbers that its locations go by."""
    samples: list[tuple[object, ...]] = [
        (*(document.locations[key] for key in sample.stack), sample.values) for sample in document.samples
    ]
    return replace(document, samples=(), locations={}), samples


def test_a_heap_profile_is_the_same_as_if_it_had_been_read_from_memory() -> None:
    profile = sites(decoded(answered(HEAP)))
    assert profile.total == a_profile().total
    assert profile.sample_rate_bytes == a_profile().sample_rate_bytes
    assert held(sites_document(profile, (), 1_767_000_000_000_000_000)) == held(decode(HEAP))
    assert {site.leaf.function for site in profile.sites} == {site.leaf.function for site in a_profile().sites}


def test_goroutines_come_in_groups_without_those_that_only_answer() -> None:
    found = tasks(decoded(answered(GOROUTINES)))
    assert found.hidden == 2
    waiting, main = found.groups
    assert (waiting.kind, waiting.count, waiting.state, waiting.name) == (
        TaskKind.GOROUTINE, 20, "chan receive", "main.worker",
    )  # fmt: skip
    assert waiting.own == Frame("main.worker", "/src/main.worker.go", waiting.own.line)
    assert (main.state, main.name) == ("sleep", "runtime.main")


def test_the_same_stack_under_other_labels_is_one_group() -> None:
    stack = ("runtime.gopark", "main.worker")
    (group,) = tasks(decoded(answered(goroutines((2, stack), (3, stack))))).groups
    assert (group.count, group.state) == (5, "waiting")


def test_what_waits_for_nothing_is_busy() -> None:
    (group,) = tasks(decoded(answered(goroutines((1, ("main.spin", "main.main")))))).groups
    assert group.is_busy


def test_an_address_without_a_name_is_shown_as_a_number() -> None:
    document = decode(HEAP)
    key, location = next(iter(document.locations.items()))
    bare = location._replace(lines=())
    changed = sites(replace(document, locations={**document.locations, key: bare}))
    assert any(frame.function == f"{bare.address:#x}" for site in changed.sites for frame in site.stack)


BAD = {
    "a web page": (b"<html>hello</html>", "text/html"),
    "a web page that says it is binary": (b"<html>hello</html>", BINARY),
    "nothing": (b"", BINARY),
    "text": (b"heap profile: 1: 2 [3: 4] @ heap/1048576\n", "text/plain"),
    "noise": (bytes(range(256)) * 4, BINARY),
    "a profile that is cut off": (HEAP[: len(HEAP) // 2], BINARY),
    "a profile that is damaged": (HEAP[:-20] + b"\0" * 20, BINARY),
    "a bomb": (gzip.compress(b"\0" * (65 << 20)), BINARY),
}


@pytest.mark.parametrize(("body", "content_type"), BAD.values(), ids=BAD)
def test_what_is_no_profile_is_one_clear_error(body: bytes, content_type: str) -> None:
    with pytest.raises(BadAnswer, match="http://h:1/debug/pprof/heap"):
        decoded(answered(body, content_type))


def test_a_profile_of_something_else_is_refused() -> None:
    with pytest.raises(BadAnswer, match="it measures goroutine"):
        sites(decode(GOROUTINES))
    with pytest.raises(BadAnswer, match="no goroutine profile"):
        tasks(decode(HEAP))


def test_a_change_is_asked_of_the_server(serve: Serve) -> None:
    server = serve({"/debug/pprof/heap?seconds=3": answer(HEAP)})
    client = Client(server.address.at("/debug/pprof/"))
    assert fetched(client, "heap", 3) == decode(HEAP)


def test_what_is_asked_for_is_what_is_taken(serve: Serve) -> None:
    client = Client(serve(served(heap=GOROUTINES, goroutine=HEAP)).address.at("/debug/pprof/"))
    with pytest.raises(BadAnswer, match="it measures goroutine"):
        fetched(client, "heap")
    with pytest.raises(BadAnswer, match="it measures alloc_objects"):
        fetched(client, "goroutine")


@pytest.mark.parametrize("path", ["/", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap"])
def test_a_url_means_the_heap_unless_it_names_something_else(serve: Serve, path: str) -> None:
    assert fetched_from(serve(served()).address.at(path)) == decode(HEAP)


def test_any_file_that_is_a_profile_will_do(serve: Serve) -> None:
    server = serve({"/files/g.pb.gz?x=1": answer(GOROUTINES)})
    assert fetched_from(server.address.at("/files/g.pb.gz", "x=1")) == decode(GOROUTINES)


def test_usage_is_never_negative_and_what_has_none_is_no_site() -> None:
    document = decode(HEAP)
    samples = [document.samples[0]._replace(values=values) for values in ((-1, -2, 3, 4), (0, 0, 0, 0))]
    (site,) = sites(replace(document, samples=tuple(samples))).sites
    assert site.usage == Usage(4, 3, 0, 0)
