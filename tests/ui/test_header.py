"""What the top lines say in each state."""

from dataclasses import replace

import pytest

from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Ending, Silence, Target
from memdash.model.verdict import VerdictKind
from memdash.ui.header import head_parts, standing, verdict_parts
from memdash.ui.travel import Whereabouts
from tests.fakes import NOON_S, a_relief, a_system
from tests.ui.conftest import MONO_S, a_watch, attaching, refused
from tests.verdicts import a_leak


@pytest.fixture(scope="module")
def watch() -> Snapshot:
    return a_watch(30)


def said(snapshot: Snapshot, *, after_s: float = 0.4, frozen: bool = False) -> tuple[str, str]:
    stand = standing(snapshot, now_s=snapshot.at.wall_s + after_s, frozen=frozen)
    return f"{stand.glyph} {stand.word}", stand.notice


def test_live(watch: Snapshot) -> None:
    assert said(watch) == ("● live", "")


def test_a_replay_says_why_no_more_comes(watch: Snapshot) -> None:
    words = "Nobody records into run.mdr any more: this run goes no further."
    where = Whereabouts(watch.history.since, watch.at, is_replay=True, cut_off=words)
    assert standing(watch, now_s=0.0, frozen=False, where=where).notice == words
    ended = replace(watch, ending=Ending(at_s=NOON_S, exit_code=0))
    assert "exited" in standing(ended, now_s=0.0, frozen=False, where=where).notice


def test_attaching() -> None:
    assert said(attaching()) == ("◌ attaching", "Looking into shop-server: figures follow as soon as they are sure.")


def test_paused_says_for_how_long(watch: Snapshot) -> None:
    word, notice = said(watch, after_s=12, frozen=True)
    assert word == "‖ paused 12 s"
    assert notice == "Frozen at 12:07:41 while collection goes on; press space to go live."


def test_stale_when_no_sample_came_for_three_intervals(watch: Snapshot) -> None:
    assert said(watch, after_s=3.0)[0] == "● live"
    word, notice = said(watch, after_s=9)
    assert word == "◐ stale 9.0 s"
    assert notice == "No new sample since 12:07:41: reading takes longer than it should, as on a busy machine."
    assert said(replace(watch, interval_s=60.0), after_s=100)[0] == "● live"


def test_late_names_the_source_and_its_reason(watch: Snapshot) -> None:
    late = Origin(Source.MEMORY, Instant(NOON_S - 42, MONO_S - 42), (), "the heap profile kept changing")
    sample = replace(watch.sample, origins={**watch.sample.origins, Capability.SITES: late})
    word, notice = said(replace(watch, sample=sample))
    assert word == "◐ late: sites"
    assert notice == "sites 42 s old: the heap profile kept changing. The rest is live."


def test_a_server_that_does_not_answer_is_not_called_live(watch: Snapshot) -> None:
    late = Origin(Source.ENDPOINT, Instant(NOON_S - 11, MONO_S - 11), (), "connection refused")
    sample = replace(watch.sample, origins={Capability.MEMSTATS: late})
    target = Target.at_url("http://shop:6060/", "shop:6060")
    silence = Silence(watch.at.wall_s - 11, "connection refused")
    word, notice = said(replace(watch, target=target, sample=sample, silence=silence))
    assert word == "◐ no answer"
    assert notice == ("shop:6060 has not answered for 11 s: connection refused. What stands here is from before.")


def test_partial_says_what_is_shown_and_what_would_help(watch: Snapshot) -> None:
    why = Missing("its memory is closed to us", "run memdash with sudo")
    word, notice = said(replace(watch, missing={Capability.MEMSTATS: why}))
    assert word == "● live"
    assert notice == "Only what the kernel knows is shown. Its memory is closed to us. Run memdash with sudo"
    assert said(replace(watch, missing={Capability.SITES: why})) == ("● live", "")


def test_refused_gives_the_reason_and_the_way_out() -> None:
    word, notice = said(refused())
    assert word == "✕ cannot be read"
    assert notice == "Its memory is closed to us. Run memdash with sudo"


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Ending(at_s=NOON_S, signal_number=15), "killed by SIGTERM"),
        (Ending(at_s=NOON_S, exit_code=2), "exited with code 2"),
        (Ending(at_s=NOON_S), "ended; how is known only to its parent"),
    ],
)
def test_ended_says_how_and_when(watch: Snapshot, ending: Ending, words: str) -> None:
    word, notice = said(replace(watch, state=State.ENDED, ending=ending), frozen=True)
    assert word == "■ ended"
    assert notice == (
        f"shop-server {words} at 12:07:41. Everything stays here to look through; "
        "memdash --wait-for shop-server watches its successor."
    )


def test_a_server_that_is_silent_says_how_to_watch_it_again(watch: Snapshot) -> None:
    shown = replace(watch, target=Target.at_url("http://shop:6060/", "shop:6060"), state=State.ENDED)
    _, notice = said(replace(shown, ending=Ending(at_s=NOON_S, is_silent=True)), frozen=True)
    assert notice == (
        "shop:6060 does not answer any more at 12:07:41. Everything stays here to look through; "
        "memdash http://shop:6060/ watches its successor."
    )


def test_a_stopped_target_is_told_from_a_quiet_one(watch: Snapshot) -> None:
    word, notice = said(replace(watch, sample=replace(watch.sample, system=a_system(is_stopped=True))))
    assert word == "◐ target stopped"
    assert "until it is continued" in notice


def test_killed_for_memory_says_so(watch: Snapshot) -> None:
    ending = Ending(at_s=NOON_S, signal_number=9, oom_killed=True)
    assert "out of memory" in said(replace(watch, state=State.ENDED, ending=ending))[1]


def test_replaced_is_never_taken_for_the_same_program(watch: Snapshot) -> None:
    ending = Ending(at_s=NOON_S, replaced="pid 41287 now runs /usr/bin/python3.11")
    word, notice = said(replace(watch, state=State.ENDED, ending=ending))
    assert word == "■ replaced"
    assert notice.startswith(
        "pid 41287 now runs /usr/bin/python3.11 at 12:07:41. What stands here is the program before"
    )


@pytest.mark.parametrize("width", [200, 160, 120, 80, 60, 40])
def test_a_narrow_line_drops_the_least_telling_parts(watch: Snapshot, width: int) -> None:
    left, right = head_parts(watch, standing(watch, now_s=NOON_S, frozen=False), width)
    words = "".join(part.text for part in left)
    assert "● live" in words
    assert "shop-server" in words
    assert ("read from memory" in words) is (width >= 160)
    assert ("go1.27.3" in words) is (width >= 80)
    assert "▲ CRIT" in right[0].text
    if width >= 80:
        assert len(words) + len(right[0].text) <= width


@pytest.mark.parametrize(("width", "is_told"), [(200, True), (160, True), (120, True), (60, False)])
def test_what_memdash_does_by_itself_is_told_before_what_is_of_less_weight(
    watch: Snapshot, width: int, is_told: bool
) -> None:
    armed = replace(watch, relief=a_relief())
    left, _ = head_parts(armed, standing(armed, now_s=NOON_S, frozen=False), width)
    assert ("gc-at 80 %" in "".join(part.text for part in left)) is is_told


def test_the_verdict_leaves_its_evidence_to_the_log(watch: Snapshot) -> None:
    _, right = head_parts(watch, standing(watch, now_s=NOON_S, frozen=False), 160)
    assert right[0].text == " ▲ CRIT live heap grows +6.02 MiB/min "
    assert "301.2 MiB" in "".join(part.text for part in verdict_parts(watch))
    calm = replace(watch, findings=())
    assert head_parts(calm, standing(calm, now_s=NOON_S, frozen=False), 160)[1] == []
    assert verdict_parts(calm)[0].text.strip() == "nothing to report"


def test_without_an_alert_the_verdict_is_told_quietly(watch: Snapshot) -> None:
    plateau = a_leak(kind=VerdictKind.PLATEAU, why="holds its level")
    calm = replace(watch, findings=(), verdict=plateau)
    assert [part.text for part in head_parts(calm, standing(calm, now_s=NOON_S, frozen=False), 160)[1]] == [
        " ✓ plateau "
    ]
    assert "".join(part.text for part in verdict_parts(calm)).endswith(plateau.summary)
    assert "LIVE HEAP" not in "".join(part.text for part in verdict_parts(replace(watch, verdict=plateau)))
