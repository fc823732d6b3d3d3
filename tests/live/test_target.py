"""The target program itself: what the truth tests rely on."""

import pytest

from tests.live.conftest import StartGo

pytestmark = pytest.mark.live


def test_it_answers_with_its_own_memstats(start_go: StartGo) -> None:
    target = start_go()
    before = target.stats()
    assert target.command("alloc", 100) == "ok"
    after = target.stats()
    assert after["TotalAlloc"] - before["TotalAlloc"] >= 100 << 16
    assert after["Mallocs"] > before["Mallocs"]
    assert len(after["PauseNs"]) == 256
    assert target.command("gc") == "ok"
    assert target.stats()["NumForcedGC"] == before["NumForcedGC"] + 1


def test_churn_runs_until_stopped(start_go: StartGo) -> None:
    target = start_go()
    target.command("churn", 2)
    while int(target.command("ops")) < 100:
        pass
    target.command("stop")
    done = target.command("ops")
    assert target.command("ops") == done


def test_goroutines_are_parked_when_it_answers(start_go: StartGo) -> None:
    target = start_go()
    for kind in ("chan", "sleep", "select"):
        target.command(kind, 10)
    assert int(target.command("ng")) == 31


def test_an_unknown_command_is_an_error(start_go: StartGo) -> None:
    with pytest.raises(ValueError, match="does not know"):
        start_go().command("dance")
