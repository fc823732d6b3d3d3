from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt  # comes with Textual

from memdash.exports.markdown import MARKDOWN, lines
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from tests.exports.hostile import watch_with
from tests.fakes import a_gc, a_snapshot, memstats

pytestmark = pytest.mark.usefixtures("utc")


def tables(snapshot: Snapshot) -> dict[str, list[list[str]]]:
    """The cells of each table, by the heading above it, as GitHub parts them."""
    found: dict[str, list[list[str]]] = {}
    title = ""
    for line in lines(snapshot):
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif line.startswith("|"):
            found.setdefault(title, []).append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def test_tables_have_a_head_and_as_many_cells_in_every_row() -> None:
    found = tables(watch_with(lambda text: f"{text}|`x`|"))
    assert {"MemStats", "GC", "Top allocation sites", "Live objects by type", "Where RSS comes from", "Alerts"} <= {
        *found
    }
    for rows in found.values():
        assert len({len(row) for row in rows}) == 1
        assert all(re.fullmatch(r":---|---:", cell) for cell in rows[1])
        assert len(rows) > 2
    site = found["Top allocation sites"][2]
    assert site[0] == "61.0 MiB"
    assert site[-2] == "`cart.(*Store).Add`"


def test_nothing_that_the_target_says_is_markup_a_link_or_a_mention() -> None:
    meek = "\n".join(lines(watch_with(lambda text: text)))
    evil = "<img src=x> [a](http://evil.example) ![b](c) @octocat #1 **b** ~~c~~ \n# d :smile: ` www.evil.example\\|"
    hostile = "\n".join(lines(watch_with(lambda text: f"{text}{evil}")))
    assert outline(hostile) == outline(meek)
    for text in texts(hostile):
        assert not re.search(r"@\w|#\d|://|www\.|:smile:", text), text


GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def outline(text: str) -> list[str]:
    """The elements, those of code apart: whether a name is code depends on nothing that it says."""
    apart = {"text", "code_inline", "html_inline", "text_special"}
    flat = [part for token in GITHUB.parse(text) for part in (token, *(token.children or ()))]
    return [token.type for token in flat if token.type not in apart]


def texts(text: str) -> list[str]:
    """What GitHub looks through for calls: each text between two elements, but not code."""
    found = [part for token in GITHUB.parse(text) for part in token.children or ()]
    assert {part.content for part in found if part.type == "html_inline"} <= {"<!-- -->"}
    joined = "".join(part.content if part.type in ("text", "text_special") else "\0" for part in found)
    return joined.split("\0")


def test_a_backtick_in_a_name_does_not_end_the_code() -> None:
    shown = a_snapshot(seconds=2)
    assert not isinstance(shown.groups, Missing)
    groups = (replace(shown.groups[0], frame=Frame("a``b`|c", "/srv/shop/x`.go", 1)),)
    row = tables(replace(shown, groups=groups))["Top allocation sites"][2]
    assert row[-2:] == [r"``` a``b`\|c ```", "`` shop/x`.go:1 ``"]


def test_a_missing_figure_says_why_below_its_table() -> None:
    shown = a_snapshot(seconds=2)
    shown = replace(shown, sample=replace(shown.sample, memstats=memstats(Lookups=Missing("not kept by this Go"))))
    assert "Lookups: Not kept by this Go" in [*lines(shown)]


def test_before_the_first_collection_there_is_no_mean_pause() -> None:
    shown = a_snapshot(seconds=2)
    none = Missing("there has been no collection yet")
    gc = a_gc(count=0, pause_total_ns=0, live_after_gc_bytes=none, last_at_s=none, pause_p50_ns=none)
    rows = dict(row[:2] for row in tables(replace(shown, sample=replace(shown.sample, gc=gc)))["GC"])
    assert rows["pause mean"] == "–"
    assert rows["pause total"] == "0 ns"
    assert rows["NumGC"].startswith("0")


def test_reports_are_parted_by_a_rule() -> None:
    out = io.BytesIO()
    MARKDOWN.write([a_snapshot(seconds=2)] * 2, out)
    assert out.getvalue().decode().count("\n---\n\n# shop-server\n") == 1
