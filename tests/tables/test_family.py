"""The process tree as rows and words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.model.family import Family
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.tables.family import family_table, place_words, totals_words, watched_row
from memdash.tables.memstats import memstats_table
from tests.fakes import a_family, a_snapshot

CLOSED = Missing("the kernel shows it only to its owner", "run memdash as that user")


def test_a_row_a_member_with_the_target_marked() -> None:
    rows = [[cell.text for cell in row.cells] for row in family_table(a_family(2, 41302)).rows]
    assert rows == [
        ["", "41287", "533.0 MiB", "400.0 MiB", "sleeping", "shop-server --port 8080"],
        ["", "41301", "600.0 MiB", "300.0 MiB", "sleeping", "  shop-server --worker 0"],
        ["●", "41302", "599.0 MiB", "299.0 MiB", "sleeping", "  shop-server --worker 1"],
    ]
    assert watched_row(a_family(2, 41302)) == 2


def test_what_cannot_be_read_says_why() -> None:
    family = a_family(1)
    closed = Family((family.members[0], replace(family.members[1], pss_bytes=CLOSED)), 41287)
    cell = family_table(closed).rows[1].cells[3]
    assert (cell.text, cell.note) == ("–", CLOSED.words)
    assert totals_words(closed) == "2 processes · PSS – · RSS 1.11 GiB"
    assert family_table(CLOSED).empty == CLOSED.words
    assert totals_words(CLOSED) == "–"
    assert watched_row(CLOSED) == 0


def test_totals() -> None:
    assert totals_words(a_family(4)) == "5 processes · PSS 1.56 GiB · RSS 2.86 GiB"
    assert totals_words(a_family(0)) == "1 process · PSS 400.0 MiB · RSS 533.0 MiB"


@pytest.mark.parametrize(
    ("family", "words", "short"),
    [
        (a_family(4, 41302), "process 3 of 5", "3/5"),
        (a_family(4, 7), "process – of 5", "–/5"),
        (a_family(0), "", ""),
        (CLOSED, "", ""),
        (Family((), 7), "", ""),
    ],
)
def test_the_place_in_the_tree(family: Family, words: str, short: str) -> None:
    assert place_words(family) == words
    assert place_words(family, short=True) == short


def with_family(family: Family) -> Snapshot:
    snapshot = a_snapshot(3)
    return replace(snapshot, sample=replace(snapshot.sample, family=family))


def test_the_totals_are_rows_of_memstats_where_there_is_a_tree() -> None:
    rows = {row.key: row for row in memstats_table(with_family(a_family(4))).rows}
    texts = {key: rows[key].cells[1].text for key in ("family.pss_bytes", "family.rss_bytes", "family.members")}
    assert texts == {"family.pss_bytes": "1.56 GiB", "family.rss_bytes": "2.86 GiB", "family.members": "5"}
    assert list(rows).index("family.pss_bytes") == list(rows).index("system.rss_bytes") + 1


def test_a_process_that_is_alone_has_no_such_rows() -> None:
    assert not [row for row in memstats_table(with_family(a_family(0))).rows if row.key.startswith("family.")]


# Who comes next


@pytest.mark.parametrize(
    ("own", "step", "pid"),
    [(41287, 1, 41301), (41301, 1, 41302), (41302, 1, 41287), (41287, -1, 41302), (7, 1, 41302), (7, -1, 41287)],
)
def test_the_member_beside(own: int, step: int, pid: int) -> None:
    member = a_family(2, own).beside(step)
    assert member is not None
    assert member.pid == pid


def test_nobody_is_beside_who_is_alone() -> None:
    assert a_family(0).beside(1) is None
    assert Family((), 7).beside(-1) is None
