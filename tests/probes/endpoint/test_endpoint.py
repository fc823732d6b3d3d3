"""What is read through an endpoint, at what pace, at what cost for the program, and what becomes of a silent one."""

import os
import threading
from collections.abc import Callable

import pytest

from memdash.errors import BadAnswer, EndpointUnreachable
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.profile import Profile
from memdash.model.target import Target
from memdash.model.tasks import Tasks
from memdash.network.client import Answer, Client
from memdash.probes.asking import OFTEN, Asking, Pace
from memdash.probes.endpoint import Endpoint
from memdash.probes.endpoint.actor import EndpointActor
from memdash.probes.endpoint.leaks import LeakSearch
from memdash.probes.endpoint.probes import Question, asked
from memdash.probes.endpoint.pulse import Pulse, PulseWatch
from memdash.probes.probe import Fit, Refusal
from memdash.process.identity import identify
from tests.fakes import a_profile
from tests.served import GOROUTINES, MEMSTATS, VARS, collecting, served
from tests.servers import IMPATIENT, Serve, Server, answer
from tests.waiting import until, whole_reading

PATIENCE_S = 10.0


def of(server: Server) -> tuple[Endpoint, Target]:
    return Endpoint(server.address), Target.at_url(server.address.url, server.address.server)


def test_all_that_is_served_is_read_and_says_what_it_costs(serve: Serve) -> None:
    endpoint, target = of(serve(served()))
    attachment = endpoint.attach(target)
    readings = [whole_reading(probe) for probe in attachment.probes]
    facts = [fact for reading in readings for fact in reading.facts]
    assert {type(fact) for fact in facts} >= {MemStats, Profile, Tasks}
    assert facts[0] == MEMSTATS
    for reading in readings:
        assert reading.source is Source.ENDPOINT
        assert "each reading" in reading.caveats[0]
    for probe in attachment.probes:
        assert probe.cadence_s >= 1.0
        probe.close()
        probe.close()
    assert attachment.log == (
        f"answers over HTTP: net/http/pprof at {target.url}debug/pprof/ and expvar at {target.url}debug/vars",
    )
    assert set(attachment.missing) == set(Capability) - endpoint.capabilities
    assert frozenset[Capability]().union(*(probe.capabilities for probe in attachment.probes)) == endpoint.capabilities
    assert not endpoint.find(target).missing


def test_without_expvar_memstats_come_with_the_heap_seldom(serve: Serve) -> None:
    pages = {path: page for path, page in served().items() if path != "/debug/vars"}
    endpoint, target = of(serve(pages))
    probe = endpoint.attach(target).probes[0]
    assert probe.cadence_s >= 10.0
    (stats, _) = whole_reading(probe).facts
    assert isinstance(stats, MemStats)
    assert isinstance(stats.BySize, Missing)


@pytest.mark.parametrize("broken", ["heap", "goroutine", "vars"])
def test_one_endpoint_that_breaks_costs_no_other(serve: Serve, broken: str) -> None:
    pages = served()
    server = serve(lambda connection, path: connection.sendall(pages[path]))
    endpoint, target = of(server)
    probes = endpoint.attach(target).probes
    pages[f"/debug/{'' if broken == 'vars' else 'pprof/'}{broken}"] = answer(
        b"oops", status="500 Internal Server Error"
    )
    failed = []
    for probe in probes:
        try:
            assert whole_reading(probe).facts
        except BadAnswer:
            failed.append(probe.name)
    assert len(failed) == 1


def test_the_sampler_never_waits_for_an_answer(serve: Serve) -> None:
    go = threading.Event()

    def behave(connection: object, path: str) -> None:
        go.wait(PATIENCE_S)
        connection.sendall(answer(VARS))  # type: ignore[attr-defined]

    asking = asked(Client(serve(behave).address), QUESTION, Pulse(), bytes_of)
    assert asking.answer() is None
    assert asking.answer() is None
    go.set()
    assert awaited(asking)


QUESTION = Question("x", "", 1 << 20, Pace(least_s=2.0, share=0.01), "each reading costs nothing")


def bytes_of(told: Answer) -> bytes:
    return told.body


def awaited(asking: Asking[bytes]) -> object:
    return until(asking.answer, "an answer")


def test_what_takes_long_is_asked_seldom_but_not_never() -> None:
    clock, took_s = Clock(), 0.5

    def ask() -> bytes:
        clock.now_s += took_s
        return b"x"

    asking = Asking(ask, lambda: None, QUESTION.pace, clock)
    assert asking.cadence_s == 2.0
    awaited(asking)
    assert asking.cadence_s == 50.0
    took_s = 1000.0
    awaited(asking)
    assert asking.cadence_s == 50.0
    awaited(asking)
    assert asking.cadence_s == 300.0


def test_one_answer_that_a_busy_machine_held_up_is_forgiven() -> None:
    clock, took_s = Clock(), [0.01, 0.4, 0.01]

    def ask() -> bytes:
        clock.now_s += took_s.pop()
        return b"x"

    asking = Asking(ask, lambda: None, OFTEN, clock)
    cadences = [awaited(asking) and asking.cadence_s for _ in range(3)]
    assert cadences == [1.0, 1.0, 1.0]


def test_an_answer_is_understood_where_it_was_asked_for(serve: Serve) -> None:
    threads: list[threading.Thread] = []

    def facts(told: Answer) -> bytes:
        threads.append(threading.current_thread())
        return told.body

    awaited(asked(Client(serve(answer(b"x")).address), QUESTION, Pulse(), facts))
    assert threads
    assert threading.current_thread() not in threads


def test_a_probe_that_is_closed_ends_its_request(serve: Serve) -> None:
    begun = threading.Event()

    def behave(connection: object, path: str) -> None:
        begun.set()
        connection.recv(1)  # type: ignore[attr-defined]

    asking = asked(Client(serve(behave).address), QUESTION, Pulse(), bytes_of)
    assert asking.answer() is None
    assert begun.wait(PATIENCE_S)
    asking.close()
    with pytest.raises(EndpointUnreachable):
        awaited(asking)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_server_is_lost_after_ten_seconds_of_silence_and_several_attempts() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    watch = PulseWatch(pulse, "shop:6060")
    for _ in range(5):
        pulse.failed("connection refused")
    assert watch.check() is None
    clock.now_s = 10.0
    pulse.answered()
    assert watch.check() is None
    pulse.failed("connection refused")
    clock.now_s = 25.0
    assert watch.check() is None
    pulse.failed("connection refused")
    pulse.failed("connection refused")
    ending = watch.check()
    assert ending is not None
    assert ending.words == "does not answer any more"
    pulse.answered()
    assert watch.check() is ending
    assert watch.fileno() == -1
    watch.close()


def test_another_process_is_not_taken_for_the_same(serve: Serve) -> None:
    pages = served()
    endpoint, target = of(serve(lambda connection, path: connection.sendall(pages[path])))
    probe = endpoint.attach(target).probes[0]
    watch = PulseWatch(endpoint.pulse, target.name)
    for _ in range(2):
        whole_reading(probe)
        assert watch.check() is None
    pages["/debug/vars"] = ANOTHERS
    with pytest.raises(BadAnswer, match="another process"):
        whole_reading(probe)
    ending = watch.check()
    assert ending is not None
    assert ending.words == f"{target.name} is served by another process now"


ANOTHERS = answer(b'{"memstats": {"HeapAlloc": 5, "TotalAlloc": 5}}')


def test_nothing_that_another_process_tells_is_taken_in(serve: Serve) -> None:
    pages = served()
    endpoint, target = of(serve(lambda connection, path: connection.sendall(pages[path])))
    memstats, *profiles = endpoint.attach(target).probes
    for probe in (memstats, *profiles):
        assert whole_reading(probe).facts
    pages["/debug/vars"] = ANOTHERS
    for probe in (*profiles, memstats):  # a profile alone does not tell whose it is
        with pytest.raises(BadAnswer, match="another process"):
            whole_reading(probe)


def test_without_expvar_a_profile_after_a_silence_waits_for_memstats(serve: Serve) -> None:
    pages = {path: page for path, page in served().items() if path != "/debug/vars"}
    endpoint, target = of(serve(pages))
    memstats, heap, _ = endpoint.attach(target).probes
    assert whole_reading(memstats).facts
    assert whole_reading(heap).facts
    endpoint.pulse.failed("connection refused")
    with pytest.raises(BadAnswer, match="may be another"):
        whole_reading(heap)
    assert whole_reading(memstats).facts
    assert whole_reading(heap).facts


def test_a_silence_says_since_when_and_why(serve: Serve) -> None:
    server = serve(served())
    endpoint, target = of(server)
    probe = endpoint.attach(target).probes[0]
    watch = PulseWatch(endpoint.pulse, target.name)
    whole_reading(probe)
    assert watch.silence() is None
    server.close()
    for _ in range(2):
        with pytest.raises(EndpointUnreachable):
            whole_reading(probe)
    silence = watch.silence()
    assert silence is not None
    assert silence.why == "connection refused"
    assert watch.check() is None
    endpoint.pulse.answered()
    assert watch.silence() is None


def test_answers_of_any_kind_are_a_sign_of_life(serve: Serve) -> None:
    clock = Clock()
    pulse = Pulse(clock)
    asking = asked(Client(serve({}).address), QUESTION, pulse, bytes_of)
    for _ in range(3):
        with pytest.raises(BadAnswer):
            awaited(asking)
    clock.now_s = 60.0
    assert not pulse.is_lost


def test_silence_is_noticed(serve: Serve) -> None:
    clock = Clock()
    pulse = Pulse(clock)
    asking = asked(
        Client(serve(lambda connection, _: connection.recv(1) and None).address, IMPATIENT), QUESTION, pulse, bytes_of
    )
    for _ in range(3):
        with pytest.raises(EndpointUnreachable):
            awaited(asking)
    clock.now_s = 60.0
    assert pulse.is_lost


def test_a_collection_is_asked_for_and_said_what_it_does(serve: Serve) -> None:
    server = serve(served())
    actor = EndpointActor(LeakSearch(server.address.at("/debug/pprof/")))
    offer = actor.offers()[Action.FORCE_GC]
    assert isinstance(offer, str)
    assert "/debug/pprof/heap?gc=1" in offer
    assert "runtime.GC" in offer
    assert not server.requests
    assert "collected" in actor.act(Action.FORCE_GC)
    assert server.requests[0].startswith(b"GET /debug/pprof/heap?gc=1 ")
    assert actor.news() == ()


def test_a_server_that_says_yes_to_everything_has_collected_nothing(serve: Serve) -> None:
    actor = EndpointActor(LeakSearch(serve(answer(b"ok", "text/html")).address.at("/debug/pprof/")))
    with pytest.raises(BadAnswer):
        actor.act(Action.FORCE_GC)


def test_a_collection_is_believed_only_when_it_is_counted(serve: Serve) -> None:
    server = serve(served())
    pprof, vars_ = server.address.at("/debug/pprof/"), server.address.at("/debug/vars")
    with pytest.raises(BadAnswer, match="forced no collection"):
        EndpointActor(LeakSearch(pprof), vars_).act(Action.FORCE_GC)
    server = serve(collecting())
    pprof, vars_ = server.address.at("/debug/pprof/"), server.address.at("/debug/vars")
    assert "collected" in EndpointActor(LeakSearch(pprof), vars_).act(Action.FORCE_GC)


def test_a_profile_of_something_else_is_no_collection(serve: Serve) -> None:
    pprof = serve(served(gc=GOROUTINES)).address.at("/debug/pprof/")
    with pytest.raises(BadAnswer, match="it measures goroutine"):
        EndpointActor(LeakSearch(pprof)).act(Action.FORCE_GC)


def test_an_action_that_is_cancelled_fails(serve: Serve) -> None:
    actor = EndpointActor(LeakSearch(serve(served()).address.at("/debug/pprof/")))
    actor.cancel()
    with pytest.raises(EndpointUnreachable):
        actor.act(Action.FORCE_GC)
    actor.close()


def test_doctor_hears_why_a_process_has_none(serve: Serve) -> None:
    verdict = Endpoint(serve({}).address).fitness(identify(os.getpid()))
    assert isinstance(verdict, Refusal)
    assert "neither net/http/pprof nor expvar" in verdict.why


def test_what_was_found_is_not_looked_for_again(serve: Serve) -> None:
    server = serve(served())
    endpoint, target = of(server)
    endpoint.attach(target)
    before = len(server.requests)
    assert isinstance(endpoint.fitness(target), Fit)
    endpoint.attach(target)
    assert len(server.requests) == before


def test_the_heap_is_the_one_that_memory_would_show(serve: Serve, read_sites: Callable[[Server], Profile]) -> None:
    assert read_sites(serve(served())).total == a_profile().total


@pytest.fixture
def read_sites() -> Callable[[Server], Profile]:
    def find(server: Server) -> Profile:
        endpoint, target = of(server)
        for probe in endpoint.attach(target).probes:
            if Capability.SITES in probe.capabilities:
                (profile,) = whole_reading(probe).facts
                assert isinstance(profile, Profile)
                return profile
        raise AssertionError("nobody reads sites")

    return find
