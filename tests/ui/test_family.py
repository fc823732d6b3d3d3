"""From one process of a tree to the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from memdash.errors import AccessDenied, NoSuchTarget, TargetError
from memdash.model.family import Family
from memdash.model.finding import Finding, Severity
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Ending, Target
from memdash.session import Session, Watches
from tests.fakes import NOON_S, a_family, a_target
from tests.sessions import FakeSession
from tests.ui.conftest import Show, Shown, a_watch, attaching, awaited

TREE = a_family(4)
CALM = (Finding(rule="memdash", severity=Severity.OK, at_s=NOON_S, ended_at_s=NOON_S, summary="read from memory"),)


def watch_of(pid: int, family: Family = TREE, name: str = "shop-server") -> Snapshot:
    """What is seen of one member."""
    watch = a_watch(60, findings=CALM)
    sample = replace(watch.sample, family=replace(family, own_pid=pid))
    return replace(watch, target=a_target(pid=pid, name=name), sample=sample)


class Tree:
    """A fake session for each member, opened as the dashboard asks."""

    def __init__(self, family: Family = TREE, refusal: TargetError | None = None) -> None:
        self.family = family
        self.refusal = refusal
        self.now = family
        self.sessions: dict[int, FakeSession] = {}
        self.watches = Watches(self.open, identified=self.identified, survivors=self.survivors)

    def open(self, target: Target) -> Session:
        self.sessions[target.pid] = FakeSession(watch_of(target.pid, self.now))
        return self.sessions[target.pid]

    def identified(self, pid: int) -> Target:
        if self.refusal is not None:
            raise self.refusal
        (member,) = (member for member in self.now.members if member.pid == pid)
        return a_target(pid=pid, start_ticks=member.start_ticks)

    def survivors(self, target: Target, before: Family) -> Callable[[], Family]:
        return lambda: replace(self.now, own_pid=target.pid)


async def seen(shown: Shown, words: str) -> None:
    """Wait until the first line says so."""
    await awaited(shown.pilot, lambda: words in shown.lines[0])


async def test_the_keys_go_round_the_tree(show: Show) -> None:
    tree = Tree()
    async with show(watch_of(41287), watches=tree.watches, width=110, height=30) as shown:
        await seen(shown, "pid 41287  process 1 of 5 < >")
        for key, pid, place in ((">", 41301, 2), (">", 41302, 3), ("<", 41301, 2), ("<", 41287, 1), ("<", 41304, 5)):
            await shown.press({">": "greater_than_sign", "<": "less_than_sign"}[key])
            await seen(shown, f"pid {pid}  process {place} of 5 < >")
        assert sorted(tree.sessions) == [41287, 41301, 41302, 41304]


async def test_only_the_watch_on_show_is_followed(show: Show) -> None:
    tree = Tree()
    async with show(watch_of(41287), watches=tree.watches, width=110, height=30) as shown:
        await shown.press("greater_than_sign")
        shown.session.publish(replace(watch_of(41287), state=State.ENDED, ending=Ending(at_s=NOON_S, exit_code=1)))
        await shown.settle()
        await seen(shown, "live  shop-server  pid 41301")
        tree.sessions[41301].publish(watch_of(41301, a_family(7)))
        shown.dashboard._paint()
        await seen(shown, "process 2 of 8")


async def test_a_view_keeps_its_arrangement(show: Show) -> None:
    """Who compares workers wants to see the same of each."""
    tree = Tree()
    async with show(watch_of(41287), watches=tree.watches, width=110, height=30) as shown:
        await shown.press("4", "o", "greater_than_sign")
        await seen(shown, "pid 41301")
        assert "inuse_objects" in shown.text
        assert "MemStats" not in shown.text


async def test_a_frozen_view_goes_live_with_the_next(show: Show) -> None:
    tree = Tree()
    async with show(watch_of(41287), watches=tree.watches, width=110, height=30) as shown:
        await shown.press("space")
        await seen(shown, "paused")
        await shown.press("greater_than_sign")
        await seen(shown, "● live")


async def test_while_it_attaches_the_frame_stands(show: Show) -> None:
    tree = Tree()
    async with show(watch_of(41287), watches=tree.watches, width=110, height=30) as shown:
        opened = FakeSession(replace(attaching(), target=a_target(pid=41301)))
        tree.watches._opener = lambda _: opened
        await shown.press("greater_than_sign")
        await seen(shown, "◌ attaching  shop-server  pid 41301")
        assert "MemStats" in shown.text
        opened.publish(watch_of(41301))
        await shown.settle()
        await seen(shown, "● live  shop-server  pid 41301  process 2 of 5")


@pytest.mark.parametrize(
    "refusal",
    [NoSuchTarget("no process has pid 41301"), AccessDenied("process 41301 belongs to [another] user", "use sudo")],
)
async def test_who_cannot_be_watched_is_told_and_the_view_stays(show: Show, refusal: TargetError) -> None:
    tree = Tree(refusal=refusal)
    async with show(watch_of(41287), watches=tree.watches, width=110, height=30) as shown:
        await shown.press("greater_than_sign")
        await seen(shown, "pid 41287")
        (notice,) = shown.app._notifications
        assert refusal.what[1:] in notice.message


async def test_a_process_that_is_alone_has_no_keys_for_it(show: Show) -> None:
    async with show(watch_of(41287, a_family(0)), 200, 50) as shown:
        assert "process 1 of" not in shown.lines[0]
        assert "next process" not in shown.lines[-1]
        assert "tree PSS" not in shown.text
        await shown.press("greater_than_sign")
        (notice,) = shown.app._notifications
        assert notice.message == "The process is the only one of its tree"


async def test_keys_and_rows_come_with_the_tree(show: Show) -> None:
    async with show(watch_of(41287, a_family(0)), 200, 50) as shown:
        await shown.publish(watch_of(41287))
        assert "> next process" in shown.lines[-1]
        assert "tree PSS" in shown.text
        assert "1.56 GiB" in shown.text


async def test_a_master_without_sites_says_that_its_workers_are_near_once_it_has_some(show: Show) -> None:
    async with show(replace(watch_of(41287, a_family(0)), groups=()), 120, 40) as shown:
        assert "no sites yet" in shown.text
        assert "< and >" not in shown.text
        await shown.publish(replace(watch_of(41287), groups=()))
        assert "no sites yet: < and > lead to the other processes of its tree" in shown.text


async def test_after_a_worker_died_the_way_leads_to_its_successor(show: Show) -> None:
    tree = Tree()
    async with show(watch_of(41302), watches=tree.watches, width=110, height=30) as shown:
        dead = replace(watch_of(41302), state=State.ENDED, ending=Ending(at_s=NOON_S, signal_number=9))
        workers = [member for member in TREE.members if member.pid != 41302]
        successor = replace(workers[-1], pid=50_000, start_ticks=900_000)
        tree.now = Family((*workers, successor), 41302)
        await shown.publish(dead)
        await awaited(shown.pilot, lambda: tree.watches.family(dead) is not dead.sample.family)  # by its first look
        shown.dashboard._paint()
        await seen(shown, "■ ended  shop-server  pid 41302  process – of 5 < >")
        await shown.press("greater_than_sign")
        await seen(shown, "● live  shop-server  pid 50000  process 5 of 5")


@pytest.mark.parametrize("width", [160, 120, 80, 60])
async def test_the_place_is_in_the_header_at_every_width(show: Show, width: int) -> None:
    loud = replace(watch_of(41301), findings=a_watch(60).findings)
    async with show(loud, width, 24 if width < 100 else 30) as shown:
        words = "process 2 of 5 < >" if width >= 104 else "2/5 < >"
        assert f"pid 41301  {words}" in shown.lines[0]
        assert len(shown.lines[0]) <= width


# The tree itself


async def open_tree(shown: Shown) -> list[str]:
    await shown.press("T")
    await shown.settle()
    return shown.lines


async def test_the_tree_is_shown_and_the_watched_one_marked(show: Show) -> None:
    async with show(watch_of(41302), 100, 20) as shown:
        lines = await open_tree(shown)
        assert "Process tree · 5 processes · PSS 1.56 GiB · RSS 2.86 GiB" in lines[0]
        assert [line.strip("│ ").split()[:2] for line in lines[2:7]] == [
            ["41287", "533.0"],
            ["41301", "600.0"],
            ["●", "41302"],
            ["41303", "598.0"],
            ["41304", "597.0"],
        ]
        assert "  shop-server --worker 1" in lines[4]


async def test_the_row_of_the_tree_opens_it(show: Show) -> None:
    async with show(watch_of(41287), 110, 30) as shown:
        await shown.press("1", *["down"] * 6, "enter")
        await shown.settle()
        assert "Process tree · 5 processes" in shown.lines[0]
        await shown.press("escape")
        assert "MemStats" in shown.text


async def test_enter_watches_the_one_under_the_cursor(show: Show) -> None:
    tree = Tree()
    async with show(watch_of(41302), watches=tree.watches, width=110, height=30) as shown:
        await open_tree(shown)
        await shown.press("down", "enter")
        await seen(shown, "pid 41303  process 4 of 5")


async def test_esc_leaves_everything_as_it_was(show: Show) -> None:
    tree = Tree()
    async with show(watch_of(41302), watches=tree.watches, width=110, height=30) as shown:
        await open_tree(shown)
        await shown.press("down", "escape")
        await seen(shown, "pid 41302")
        assert not tree.sessions


async def test_the_tree_follows_while_it_is_open(show: Show) -> None:
    async with show(watch_of(41287), 100, 20) as shown:
        await open_tree(shown)
        shown.session.publish(watch_of(41287, a_family(2)))
        shown.dashboard._paint()
        await seen(shown, "3 processes")


async def test_the_chosen_may_have_died_meanwhile(show: Show) -> None:
    tree = Tree(refusal=NoSuchTarget("no process has pid 41303"))
    async with show(watch_of(41302), watches=tree.watches, width=110, height=30) as shown:
        await open_tree(shown)
        await shown.press("down", "enter")
        await seen(shown, "pid 41302")
        assert [notice.message for notice in shown.app._notifications] == [
            "No process has pid 41303. memdash ps lists the processes that can be watched"
        ]


async def test_three_hundred_members_scroll(show: Show) -> None:
    family = a_family(300)
    async with show(watch_of(41287, family), 80, 24) as shown:
        await open_tree(shown)
        await shown.press("G")
        assert "41600" in shown.text
        assert "301 processes" in shown.lines[0]


async def test_hostile_titles_are_shown_as_text(show: Show) -> None:
    evil = replace(TREE.members[1], role="[red]\x1b[2J\u202ename")
    async with show(watch_of(41287, Family((TREE.members[0], evil), 41287)), 100, 20) as shown:
        await open_tree(shown)
        assert "[red]\\e[2J\\u202ename" in shown.text
