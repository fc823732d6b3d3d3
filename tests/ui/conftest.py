"""A session that says what a test tells it to, and the dashboard around it."""

from __future__ import annotations

import math
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
import textual._wait
import textual.screen
from textual.pilot import Pilot

from memdash.analysis.sites import grouped, usage_by_leaf
from memdash.config import USUAL_SOURCES, SourcePath
from memdash.model.capability import Capability
from memdash.model.finding import Finding, Severity
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.sample import Instant, Sample
from memdash.model.snapshot import Baseline, Before, OwnCost, Snapshot, State
from memdash.model.target import Runtime
from memdash.sampling.history import History
from memdash.session import Watches
from memdash.ui.app import MemdashApp, Options
from memdash.ui.saving import Reporter
from memdash.ui.screens.dashboard import Dashboard
from memdash.ui.screens.drill.screen import DrillScreen
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_sample, a_system, a_target, memstats
from tests.sessions import FakeSession

MONO_S = 10_000.0
_PATIENCE_S = 30.0
_STEP_S = 0.004

FINDINGS = (
    Finding(
        rule="heap growth",
        severity=Severity.CRITICAL,
        at_s=NOON_S - 5,
        mono_s=MONO_S - 5,
        summary="live heap grows +6.02 MiB/min: its low rose from 301.2 MiB to 313.5 MiB in 2m00s",
        lasted_s=5.0,
    ),
    Finding(
        rule="gc pause",
        severity=Severity.WARNING,
        at_s=NOON_S - 65,
        mono_s=MONO_S - 65,
        ended_at_s=NOON_S - 40,
        summary="pause p99 12.4 ms over 10.0 ms",
        lasted_s=25.0,
    ),
    Finding(rule="memdash", severity=Severity.INFO, at_s=NOON_S - 220, ended_at_s=NOON_S - 220, summary="baseline set"),
    Finding(
        rule="memdash",
        severity=Severity.OK,
        at_s=NOON_S - 300,
        ended_at_s=NOON_S - 300,
        summary="read from memory in 12 ms · stripped · 14 of 14 invariants hold",
    ),
)

LONG = (
    "github.com/acme/shop/internal/catalogue/search.(*Index[go.shape.string,go.shape.struct { ID int64 }]).insert.func1"
)
SITES: tuple[tuple[str, str, int, float, int, float], ...] = (
    ("cart.(*Store).Add", "/src/shop/cart/store.go", 118, 188.2, 1_200_000, 0.67),
    ("session.New", "/src/shop/session/session.go", 52, 74.9, 402_000, 0.94),
    ("bufio.NewReaderSize", "/usr/local/go/src/bufio/bufio.go", 57, 51.0, 51, 1.0),
    ("encoding/json.(*decodeState).object", "/usr/local/go/src/encoding/json/decode.go", 712, 22.7, 119_000, 0.99),
    ("net/http.(*Request).Clone", "/usr/local/go/src/net/http/request.go", 391, 18.3, 9_000, 1.06),
    ("compress/flate.NewWriter", "/usr/local/go/src/compress/flate/deflate.go", 666, 12.0, 3_000, 1.0),
    ("regexp/syntax.(*parser).newRegexp", "/usr/local/go/src/regexp/syntax/parse.go", 178, 9.1, 88_000, 1.0),
    (LONG, "/home/ci/go/pkg/mod/github.com/acme/shop@v1.4.2/internal/search/index.go", 1234, 6.6, 1_000, 1.0),
    ("database/sql.(*DB).addDepLocked", "/usr/local/go/src/database/sql/sql.go", 681, 5.9, 12_000, 0.98),
    ("strings.(*Builder).grow", "/usr/local/go/src/strings/builder.go", 67, 4.4, 41_000, 1.0),
    ("time.Time.MarshalJSON", "/usr/local/go/src/time/time.go", 1360, 2.2, 31_000, 1.0),
)
"""(function, file, line, MiB now, objects, share of them that was there at the baseline)."""


def a_profile_of(sites: tuple[tuple[str, str, int, float, int, float], ...] = SITES) -> Profile:
    """Each site reached over one to three stacks."""
    held = []
    for number, (function, file, line, mib, objects, _) in enumerate(sites):
        stacks = 1 + number % 3
        for path in range(stacks):
            stack = (
                Frame("runtime.mallocgc", "/usr/local/go/src/runtime/malloc.go", 1060),
                Frame(function, file, line),
                Frame(f"main.handle{path}", "/src/shop/main.go", 40 + path),
                Frame("net/http.(*conn).serve", "/usr/local/go/src/net/http/server.go", 2102),
            )
            size, number_of = round(mib * MIB / stacks), objects // stacks
            held.append(Site(stack, Usage(size, number_of, 5 * size, 5 * number_of), (number, path), leaf_at=1))
    return Profile(tuple(held), 524_288, True)


def a_watch(seconds: int = 300, profile: Profile | None = None, **changes: Any) -> Snapshot:
    """A watch over a server whose sawtooth heap rises, as it looks after ``seconds``."""
    watch = _a_watch(seconds) if profile is None else _made(seconds, profile)
    return replace(watch, **changes)


@lru_cache(maxsize=8)
def _a_watch(seconds: int) -> Snapshot:
    return _made(seconds, a_profile_of())


def _made(seconds: int, profile: Profile) -> Snapshot:
    chance = random.Random(7)
    history = History(1.0)
    total, mallocs, live, numgc, sys_bytes = 81 << 30, 912_000_000, 300.0 * MIB, 4100, 520 * MIB
    heap = live
    for second in range(seconds + 1):
        rate = (9 + 3 * math.sin(second / 17)) * MIB * (0.8 + 0.4 * chance.random())
        total, mallocs, heap = total + int(rate), mallocs + int(rate / 180), heap + rate
        live += 120_000 * (0.5 + chance.random())
        if heap > live * 1.45:
            heap, numgc = live + rate, numgc + 1
        sys_bytes = 618 * MIB if second > 110 else sys_bytes
        sample = a_sample(
            Instant(NOON_S - seconds + second, MONO_S - seconds + second),
            memstats(
                int(heap),
                NumGC=numgc,
                TotalAlloc=total,
                Sys=sys_bytes,
                Mallocs=mallocs,
                HeapIdle=int(600 * MIB - heap),
                HeapObjects=int(heap / 130),
                NextGC=int(live * 1.45),
            ),
            a_gc(live_after_gc_bytes=int(live), count=numgc, next_target_bytes=int(live * 1.45)),
            a_system(rss_bytes=int(0.2 * heap + live + 130 * MIB)),
        )
        history.append(sample)
    now = usage_by_leaf(profile)
    share = {function: then for function, _, _, _, _, then in SITES}
    then = {
        f: (Usage(*(int(v * share.get(f.function, 1.0)) for v in usage)), stacks) for f, (usage, stacks) in now.items()
    }
    trends = {
        frame: tuple(
            round(then[frame][0].inuse_bytes + (usage.inuse_bytes - then[frame][0].inuse_bytes) * step / 29)
            for step in range(30)
        )
        for frame, (usage, _) in now.items()
    }
    began = Instant(NOON_S - 217, MONO_S - 217)
    return Snapshot(
        target=a_target(),
        state=State.LIVE,
        at=sample.at,
        interval_s=1.0,
        sample=replace(sample, sites=profile),
        history=history.view(),
        groups=grouped(now, then, trends),
        baseline=Baseline(began, True),
        before=Before(_as_it_was(profile)),
        since={Capability.SITES: began},
        findings=FINDINGS,
        cost=OwnCost(0.4, 40 * MIB),
    )


def _as_it_was(profile: Profile) -> Profile:
    """The profile at the baseline: each site had its share of what it has now."""
    share = {function: then for function, _, _, _, _, then in SITES}
    sites = [
        site._replace(usage=Usage(*(int(value * share.get(site.leaf.function, 1.0)) for value in site.usage)))
        for site in profile.sites
    ]
    return replace(profile, sites=tuple(sites))


def attaching() -> Snapshot:
    """Before anything is known."""
    at, waiting = Instant(NOON_S, MONO_S), Missing("attaching")
    empty = Sample.empty(at, waiting)
    return Snapshot(
        target=a_target(runtime=Runtime.NATIVE, runtime_version=""),
        state=State.ATTACHING,
        at=at,
        interval_s=1.0,
        sample=empty,
        history=History(1.0).view(),
        groups=waiting,
        baseline=Baseline(at, False),
    )


def refused() -> Snapshot:
    """When nothing at all can be read."""
    why = Missing("its memory is closed to us", "run memdash with sudo")
    waiting = attaching()
    return replace(
        waiting,
        state=State.REFUSED,
        groups=why,
        sample=Sample.empty(waiting.at, why),
        missing=dict.fromkeys(Capability, why),
    )


def text_of(pilot: Pilot[Any]) -> str:
    """What stands on the screen, line by line, without colours."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def awaited(pilot: Pilot[Any], holds: Callable[[], object]) -> None:
    """Wait for it; fails with the screen as it stands then."""
    until_s = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s, text_of(pilot)
        await pilot.pause(0.01)


class Shown:
    """A running dashboard under test: its pilot, its session, and its screen as text."""

    def __init__(self, pilot: Pilot[Any], session: FakeSession, clock: list[float]) -> None:
        self.pilot = pilot
        self.session = session
        self._clock = clock

    @property
    def app(self) -> MemdashApp:
        assert isinstance(self.pilot.app, MemdashApp)
        return self.pilot.app

    @property
    def dashboard(self) -> Dashboard:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, Dashboard)
        return screen

    @property
    def text(self) -> str:
        return text_of(self.pilot)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)  # waits for idleness after each key
        await self.pilot.pause()

    async def settle(self) -> None:
        """Until everything asked for has been painted."""
        for _ in range(2):
            await self.pilot.pause()

    async def built(self) -> None:
        """Until a view of a profile has been made and painted."""
        await self.app.workers.wait_for_complete()
        await self.settle()

    async def follow(self) -> None:
        """Until all about a row has looked at the newest moment."""
        assert isinstance(self.app.screen, DrillScreen)
        self.app.screen.follow()
        await self.built()

    async def publish(self, snapshot: Snapshot) -> None:
        """A new moment, and what it looks like."""
        self.session.publish(snapshot)
        await self.pilot.pause()
        self.dashboard._paint()  # the pace of painting is tested by itself
        await self.settle()

    def let_pass(self, seconds: float) -> None:
        """Move the wall clock on."""
        self._clock[0] += seconds
        self.dashboard._look_at_clock()


@pytest.fixture(autouse=True)
def quickly_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paint at once and wait in small steps: a pilot takes a screen for idle when nothing ran for one of its steps.

    With those of Textual, a 50th of a second, two fifths of the time of these tests were waits.
    """
    monkeypatch.setattr(textual.screen, "UPDATE_PERIOD", _STEP_S / 2)
    monkeypatch.setattr(textual._wait, "SLEEP_GRANULARITY", _STEP_S)
    monkeypatch.setattr(textual._wait, "SLEEP_IDLE", _STEP_S / 20)


@pytest.fixture(autouse=True)
def in_utc(utc: None) -> None: ...


Show = Callable[..., AbstractAsyncContextManager[Shown]]


@pytest.fixture
def show() -> Show:
    """``async with show(snapshot, width, height) as shown``: the dashboard around ``snapshot``."""

    @asynccontextmanager
    async def showing(
        snapshot: Snapshot | None = None,
        width: int = 160,
        height: int = 45,
        options: Options | None = None,
        watches: Watches | None = None,
        sources: SourcePath = USUAL_SOURCES,
        report: Reporter | None = None,
    ) -> AsyncIterator[Shown]:
        session = FakeSession(snapshot or a_watch())
        clock = [NOON_S + 0.4]
        watches = watches or Watches(lambda _: session)
        app = MemdashApp(
            lambda: Dashboard(session, watches, wall_s=lambda: clock[0], sources=sources, report=report),
            options or Options(),
        )
        async with app.run_test(size=(width, height)) as pilot:
            shown = Shown(pilot, session, clock)
            await shown.settle()
            yield shown

    return showing
