"""Any document as a view."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from textual.screen import Screen

from memdash.pprof.document import Document
from memdash.pprof.taken import TakenProfile
from memdash.ui.app import MemdashApp, Options
from memdash.ui.screens.profile import view_of
from memdash.ui.screens.profile.study import Lens, Moment, Study
from memdash.units import MIB
from tests.pprof.documents import of_stacks
from tests.sessions import FakeSession
from tests.ui.conftest import Shown, attaching

__all__ = ["NOW", "THEN", "ShowView", "a_study"]

NOW = {
    "main.main > main.handle > main.grow": 300 * MIB, "main.main > main.handle": 50 * MIB,
    "main.main > main.log": 150 * MIB, "main.main > main.fresh": 7 * MIB,
}  # fmt: skip
THEN = {
    "main.main > main.handle > main.grow": 100 * MIB, "main.main > main.log": 190 * MIB,
    "main.main > main.old": 30 * MIB,
}  # fmt: skip

ShowView = Callable[..., AbstractAsyncContextManager[Shown]]


def a_study(
    now: Document | dict[str, int] = NOW,
    then: Document | dict[str, int] | None = None,
    *,
    notes: tuple[str, ...] = (),
    lens: Lens | None = None,
) -> Study:
    """A study of documents, or of stacks."""

    def taken(document: Document | dict[str, int]) -> Callable[[], TakenProfile]:
        held = document if isinstance(document, Document) else of_stacks(document)
        return lambda: TakenProfile(held, notes)

    moment = Moment(
        taken(now), None if then is None else taken(then), "shop 42", "at 12:07:41", "since the baseline at 12:04:04"
    )
    return Study(lambda: moment, lens or Lens())


@pytest.fixture
def show_view() -> ShowView:
    """``async with show_view(name, study, width, height) as shown``: a view, built and painted, over nothing."""

    @asynccontextmanager
    async def showing(
        name: str, study: Study, width: int = 120, height: int = 40, options: Options | None = None
    ) -> AsyncIterator[Shown]:
        app = MemdashApp(Screen, options or Options())
        async with app.run_test(size=(width, height)) as pilot:
            shown = Shown(pilot, FakeSession(attaching()), [0.0])
            app.push_screen(view_of(name, study))
            await shown.built()
            yield shown

    return showing
