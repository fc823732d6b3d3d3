"""A session over a server that is known by its URL alone."""

from __future__ import annotations

import queue

from memdash.model.memstats import MemStats
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Target
from memdash.network.address import Address
from memdash.probes.endpoint import Endpoint
from memdash.session import Live
from tests.served import MEMSTATS, served
from tests.servers import answer, serving
from tests.session.heard import wait_for


def test_a_server_is_watched_by_whether_it_answers() -> None:
    asked = Endpoint(Address(host="127.0.0.1", port=9))
    live = Live(Target.at_url("http://127.0.0.1:9/", "127.0.0.1:9"), entries=(asked,), interval_s=0.02)
    heard = queue.Queue[Snapshot]()
    live.subscribe(heard.put)
    live.start()
    try:
        shown = wait_for(heard, lambda snapshot: snapshot.state is not State.ATTACHING)
    finally:
        live.close()
    assert shown.state is State.REFUSED
    assert "nothing answers at 127.0.0.1:9" in shown.findings[0].summary


def test_what_stands_after_a_restart_is_the_program_before() -> None:
    pages = served()
    with serving() as serve:
        server = serve(lambda connection, path: connection.sendall(pages[path]))
        target = Target.at_url(server.address.url, server.address.server)
        live = Live(target, entries=(Endpoint(server.address),), interval_s=0.02)
        heard = queue.Queue[Snapshot]()
        live.subscribe(heard.put)
        live.start()
        try:
            wait_for(heard, lambda shown: isinstance(shown.sample.memstats, MemStats))
            pages["/debug/vars"] = answer(b'{"memstats": {"HeapAlloc": 5, "TotalAlloc": 5}}')
            shown = wait_for(heard, lambda shown: shown.state is State.ENDED)
        finally:
            live.close()
    assert shown.ending is not None
    assert "another process" in shown.ending.words
    assert shown.sample.memstats == MEMSTATS
    assert {value for _, value in shown.history.series("HeapAlloc", 60.0).known} == {MEMSTATS.HeapAlloc}
