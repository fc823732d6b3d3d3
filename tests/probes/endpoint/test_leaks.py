"""A server that searches itself for leaked goroutines, one that cannot, and ones that talk nonsense."""

from dataclasses import replace

import pytest

from memdash.errors import BadAnswer, EndpointUnreachable, UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.target import Target
from memdash.pprof.decode import decode
from memdash.pprof.document import ValueType
from memdash.pprof.encode import encode
from memdash.probes.endpoint import Endpoint
from memdash.probes.endpoint.actor import EndpointActor
from memdash.probes.endpoint.leaks import LeakSearch
from memdash.probes.profiles import tasks
from tests.served import GOROUTINES, HEAP, INDEX, goroutines, served
from tests.servers import Serve, Server, answer

WAITING = ("runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1", "main.worker")
ELSEWHERE = ("runtime.gopark", "runtime.selectgo", "main.worker")


def leaked(*groups: tuple[int, tuple[str, ...]]) -> bytes:
    document = decode(goroutines(*groups))
    return encode(replace(document, sample_types=(ValueType("goroutineleak", "count"),)))


def server(serve: Serve, profile: bytes) -> Server:
    index = INDEX.replace(b"</body>", b"<a href='goroutineleak?debug=1'>goroutineleak</a></body>")
    return serve(served(index=index) | {"/debug/pprof/goroutineleak": answer(profile)})


def search_of(served_by: Server) -> LeakSearch:
    return LeakSearch(served_by.address.at("/debug/pprof/"))


def test_those_that_were_found_are_told_from_then_on(serve: Serve) -> None:
    search = search_of(server(serve, leaked((8, WAITING), (5, ELSEWHERE))))
    now = tasks(decode(goroutines((20, WAITING), (1, ELSEWHERE))))
    assert search.marked(now) == now
    assert search.run() == 13
    assert [(task.state, task.is_leaked, task.count) for task in search.marked(now).groups] == [
        ("chan receive", True, 8), ("chan receive", False, 12), ("select", True, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ((), "found no leaked goroutine"),
        (((1, WAITING),), "found 1 leaked goroutine"),
        (((2000, WAITING),), "found 2 000 leaked goroutines"),
    ],
)
def test_it_is_offered_with_what_it_does_and_said_what_came_of_it(
    serve: Serve, groups: tuple[tuple[int, tuple[str, ...]], ...], words: str
) -> None:
    asked = server(serve, leaked(*groups))
    actor = EndpointActor(search_of(asked))
    offer = actor.offers()[Action.FIND_LEAKS]
    assert isinstance(offer, str)
    assert "/debug/pprof/goroutineleak" in offer
    assert "runtime.GC" in offer
    assert not asked.requests
    assert actor.act(Action.FIND_LEAKS) == words


def test_a_go_without_it_is_not_asked(serve: Serve) -> None:
    asked = serve(served())
    with pytest.raises(UnsupportedRuntime, match="no search") as caught:
        search_of(asked).run()
    assert caught.value.hint == "Go 1.27 and later have one"
    assert len(asked.requests) == 1


@pytest.mark.parametrize("profile", [GOROUTINES, HEAP, b"", b"\x1f\x8b\x08", b"ok", leaked((1, WAITING))[:-9]])
def test_what_is_no_such_profile_proves_nothing(serve: Serve, profile: bytes) -> None:
    search = search_of(server(serve, profile))
    with pytest.raises(BadAnswer):
        search.run()
    now = tasks(decode(GOROUTINES))
    assert search.marked(now) == now


def test_a_search_that_is_cancelled_fails(serve: Serve) -> None:
    actor = EndpointActor(search_of(server(serve, leaked((1, WAITING)))))
    actor.cancel()
    with pytest.raises(EndpointUnreachable):
        actor.act(Action.FIND_LEAKS)
    actor.close()


@pytest.mark.parametrize(("version", "can"), [("go1.19.13", False), ("go1.26.3", True), ("go1.27", True), ("", True)])
def test_a_go_that_is_known_to_have_no_search_is_not_asked_for_one(serve: Serve, version: str, can: bool) -> None:
    asked = server(serve, leaked((1, WAITING)))
    target = replace(Target.at_url(asked.address.url, asked.address.server), runtime_version=version)
    (actor,) = Endpoint(asked.address).attach(target).actors
    assert isinstance(actor.offers()[Action.FIND_LEAKS], str) is can
    actor.close()
