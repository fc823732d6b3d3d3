"""Processes as trees, the largest first."""

from __future__ import annotations

import random

import pytest

from memdash.process.forest import Planted, forest
from memdash.process.listing import Candidate
from memdash.units import MIB
from tests.fakes import a_target


def listed(pid: int, parent: int, mib: int, name: str = "app", **changes: object) -> Candidate:
    return Candidate(a_target(pid=pid, start_ticks=pid, name=name, exe=f"/srv/{name}", **changes), mib * MIB, parent)


def drawn(*candidates: Candidate) -> list[str]:
    """Pid, indented by its depth."""
    return ["  " * len(row.above) + str(row.candidate.target.pid) for row in forest(candidates)]


MASTER = (listed(10, 2, 20), listed(11, 10, 30), listed(12, 10, 60), listed(13, 10, 40), listed(14, 12, 5))
OTHER = listed(20, 2, 100, "other")


def test_a_tree_stands_by_its_total_and_branches_by_theirs() -> None:
    assert drawn(OTHER, *MASTER) == ["10", "  12", "    14", "  13", "  11", "20"]
    assert drawn(listed(20, 2, 300, "other"), *MASTER)[0] == "20"


def test_the_root_carries_the_total() -> None:
    rows = {row.candidate.target.pid: row for row in forest(MASTER)}
    assert (rows[10].below, rows[10].tree_rss_bytes) == (4, 155 * MIB)
    assert (rows[12].below, rows[12].tree_rss_bytes) == (1, 65 * MIB)
    assert rows[14] == Planted(MASTER[4], (10, 12), 0, 5 * MIB)


@pytest.mark.parametrize("name", ["bash", "systemd", "sshd", "supervisord", "tmux"])
def test_what_only_starts_others_holds_none(name: str) -> None:
    assert drawn(listed(9, 1, 1, name), listed(10, 9, 20)) == ["10", "9"]


def test_a_shell_that_runs_a_script_is_known_by_its_executable() -> None:
    script = Candidate(a_target(pid=9, start_ticks=9, name="start.sh", exe="/usr/bin/bash"), MIB, 1)
    assert drawn(script, listed(10, 9, 20)) == ["10", "9"]


def test_the_first_process_holds_only_its_own_kind() -> None:
    """It takes over what others left behind."""
    first = listed(1, 0, 5, "app", exe_id=(1, 7))
    assert drawn(first, listed(30, 1, 9, "app", exe_id=(1, 7)), listed(31, 1, 8, "app", exe_id=(1, 8))) == [
        "1", "  30", "31",
    ]  # fmt: skip


def test_a_pid_that_went_to_another_process_is_no_parent() -> None:
    """The list is not made in one instant: a parent that is younger than its child is somebody else."""
    assert drawn(listed(50, 40, 9), listed(40, 50, 8)) == ["40", "  50"]


def test_every_process_comes_once_whatever_the_list_says() -> None:
    chance = random.Random(3)
    for _ in range(50):
        some = [listed(pid, chance.randrange(40), chance.randrange(100)) for pid in range(1, 40)]
        rows = list(forest(some))
        assert sorted(row.candidate.target.pid for row in rows) == list(range(1, 40))
        seen: set[int] = set()
        for row in rows:
            assert set(row.above) <= seen
            seen.add(row.candidate.target.pid)
        assert sum(row.tree_rss_bytes for row in rows if not row.above) == sum(each.rss_bytes for each in some)


def test_a_long_chain_is_no_trouble() -> None:
    rows = list(forest(listed(pid, pid - 1, 1) for pid in range(2, 3000)))
    assert len(rows[-1].above) == 2997
    assert rows[0].below == 2997


def test_nothing_gives_nothing() -> None:
    assert list(forest(())) == []
