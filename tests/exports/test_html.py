from __future__ import annotations

import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from memdash.analysis.sites import grouped, usage_by_leaf
from memdash.exports.html import HTML
from memdash.model.capability import Capability
from memdash.model.finding import Finding, Severity
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Usage
from memdash.model.snapshot import Snapshot
from tests.exports.hostile import watch_with
from tests.fakes import NOON_S, a_snapshot, memstats

pytestmark = pytest.mark.usefixtures("utc")

_VOID = frozenset({"meta", "br"})
_LIMIT_BYTES = 300_000


class Page(HTMLParser):
    """What a browser makes of it: elements, their attributes, texts by the element they stand in."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str) -> list[str]:
        return [text for where, text in self.texts if where == tag]

    def classes(self, tag: str) -> list[str]:
        return [attributes.get("class", "") for name, attributes in self.tags if name == tag]


def page(*snapshots: Snapshot) -> Page:
    return Page(source(*snapshots))


def source(*snapshots: Snapshot) -> str:
    out = io.BytesIO()
    HTML.write(snapshots, out)
    return out.getvalue().decode()


def test_it_tells_what_the_others_tell() -> None:
    growth = Finding(rule="heap growth", severity=Severity.WARNING, at_s=NOON_S - 30, summary="live heap grows")
    shown = page(a_snapshot(seconds=60, findings=[growth]))
    assert shown.of("h1") == ["shop-server"]
    assert {"Heap · 1m", "MemStats", "GC", "Top allocation sites", "Alerts"} <= {*shown.of("h2")}
    assert "● WARN: live heap grows" in shown.of("p")
    cells = shown.of("td")
    assert {"cart.(*Store).Add", "cart/store.go:118", "188.2 MiB", "Mallocs", "pause mean"} <= {*cells}


def test_it_asks_nobody_for_anything_and_runs_nothing() -> None:
    text = source(watch_with(lambda text: f"{text} http://evil.example"))
    shown = Page(text)
    names = {name for _, attributes in shown.tags for name in attributes}
    assert not names & {"src", "href", "srcset", "data", "action", "background"}
    assert not [name for name in names if name.startswith("on")]
    assert not {tag for tag, _ in shown.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "a",
        "base",
    }
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    assert not re.search(r"url\(|@import|expression", style[1])
    assert "default-src 'none'" in text


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</title></style></svg><h1>x",
        "\x1b[2J\u202e\0<!--",
        "&lt;b&gt;",
    ],
)
def test_what_the_target_says_is_only_text(evil: str) -> None:
    meek, hostile = page(watch_with(lambda text: text)), page(watch_with(lambda text: f"{text}{evil}"))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in meek.tags]
    assert [set(attributes) for _, attributes in hostile.tags] == [set(attributes) for _, attributes in meek.tags]
    assert "\x1b" not in source(watch_with(lambda text: f"{text}{evil}"))


def test_the_chart_has_its_lines_limits_and_collections() -> None:
    shown = page(a_snapshot(seconds=120))
    assert {"line heap", "line live", "line rss", "line sys"} <= {*shown.classes("path")}
    assert len([look for look in shown.classes("path") if look == "mark"]) == 9
    texts = shown.of("text")
    assert {"HeapAlloc", "live after GC", "RSS", "Sys", "12:06:00", "12:07:00", "GOMEMLIMIT 900.0 MiB"} <= {*texts}
    hovers = shown.of("title")[1:]
    assert len(hovers) == 60
    assert re.fullmatch(r"12:0\d:\d\d\n(HeapAlloc|live after GC) [\d.]+ MiB\n.*\nRSS .*\nSys .*", hovers[-1])
    assert "cgroup limit 1.00 GiB, above the picture" in shown.of("figcaption")[0]


def test_five_hundred_sites_are_less_than_300_kb() -> None:
    shown = a_snapshot(seconds=300)
    assert not isinstance(shown.groups, Missing)
    group = shown.groups[0]
    groups = tuple(
        replace(
            group,
            frame=Frame(
                f"github.com/acme/shop/internal/catalogue.(*Index).insert{n}",
                f"/srv/shop/internal/catalogue/index{n}.go",
                n,
            ),
        )
        for n in range(500)
    )
    text = source(replace(shown, groups=groups))
    assert text.count("catalogue.(*Index).insert") == 500
    assert len(text.encode()) < _LIMIT_BYTES


def test_a_name_of_ten_megabytes_does_not_make_it_large() -> None:
    long = a_snapshot(seconds=2)
    assert not isinstance(long.groups, Missing)
    groups = (replace(long.groups[0], frame=Frame("f" * 10_000_000, "/x/" + "y" * 10_000_000, 1)),)
    assert len(source(replace(long, groups=groups))) < _LIMIT_BYTES


def test_stacks_are_folded_behind_the_first_rows() -> None:
    shown = page(watch_with(lambda text: text))
    assert [words for words in shown.of("code") if "Store" in words][:1] == ["cart.(*Store).Add"]
    assert "61.0 MiB cart.(*Store).Add" in shown.of("code")
    assert "412 in futex main.main" in shown.of("code")
    assert shown.of("span").count("/srv/shop/main.go:7") == 2


def test_a_stack_holds_its_objects_of_all_sizes() -> None:
    shown = a_snapshot(seconds=2)
    profile = shown.sample.sites
    assert isinstance(profile, Profile)
    site = profile.sites[0]._replace(usage=Usage(100 << 20, 10, 0, 0))
    both = replace(profile, sites=(site, site._replace(usage=Usage(28 << 20, 1, 0, 0))))
    found = page(replace(shown, sample=replace(shown.sample, sites=both)))
    assert f"128.0 MiB {site.leaf.function}" in found.of("code")


def test_what_holds_nothing_any_more_has_no_stack() -> None:
    shown = a_snapshot(seconds=2)
    profile = shown.sample.sites
    assert isinstance(profile, Profile)
    one, other = profile.sites[:2]
    sites = (one, other._replace(usage=Usage(0, 0, 5, 5)))
    groups = grouped(usage_by_leaf(replace(profile, sites=sites)), {}, {})
    found = page(replace(shown, groups=groups, sample=replace(shown.sample, sites=replace(profile, sites=sites))))
    assert any(text.endswith(one.leaf.function) for text in found.of("code"))
    assert not any(text.startswith("0 B") for text in found.of("code"))


def test_a_stack_without_end_is_cut_in_its_middle() -> None:
    shown = a_snapshot(seconds=2)
    profile = shown.sample.sites
    assert isinstance(profile, Profile)
    site = profile.sites[0]
    deep = (*site.stack, *(Frame(f"deep{n}", "/x.go", n) for n in range(1000)))
    only = replace(profile, sites=(site._replace(stack=deep),))
    found = page(replace(shown, sample=replace(shown.sample, sites=only)))
    frames = [words for words in found.of("code") if words.startswith("deep")]
    assert 20 < len(frames) < 30
    assert frames[-1] == "deep999"
    assert f"… {1000 + len(site.stack) - 30} more …" in found.of("li")


def test_what_is_missing_says_why() -> None:
    shown = a_snapshot(seconds=2)
    shown = replace(
        shown,
        sample=replace(shown.sample, memstats=memstats(Lookups=Missing("not kept by this Go"))),
        groups=Missing("it has no profiler", "set GODEBUG"),
        missing={Capability.SITES: Missing("it has no profiler", "set GODEBUG")},
    )
    found = page(shown)
    assert "Lookups: Not kept by this Go" in found.of("p")
    assert "It has no profiler. Set GODEBUG" in found.of("p")
    assert "try: set GODEBUG" in found.of("span")


def test_a_process_of_which_little_is_known_has_a_page_too() -> None:
    shown = a_snapshot(seconds=2)
    why = Missing("not a Go program")
    bare = replace(shown.sample, memstats=why, gc=why, system=why)
    found = page(replace(shown, sample=bare, groups=why))
    assert "Not a Go program" in found.of("p")


def test_several_moments_are_one_page() -> None:
    assert page(a_snapshot(seconds=2), a_snapshot(seconds=3)).of("h1") == ["shop-server"] * 2
