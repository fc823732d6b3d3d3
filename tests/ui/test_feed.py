"""From the sampler to the screen: never flooded, never behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.ui.feed import Feed
from memdash.ui.messages import Sampled
from tests.sessions import FakeSession
from tests.ui.conftest import Show, a_watch


def test_a_hundred_samples_are_announced_once_until_the_newest_is_taken() -> None:
    session = FakeSession(a_watch(2))
    posted: list[Sampled] = []
    feed = Feed(session, posted.append)
    for number in range(100):
        session.publish(replace(session.snapshot(), interval_s=float(number + 1)))
    assert len(posted) == 1
    assert feed.take().interval_s == 100
    session.publish(session.snapshot())
    assert len(posted) == 2


def test_what_is_published_just_before_it_listens_is_not_missed() -> None:
    """It may be the last there is: that the target has ended."""

    class Hasty(FakeSession):
        def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
            self.publish(replace(self.snapshot(), state=State.ENDED))
            return super().subscribe(listener)

    posted: list[Sampled] = []
    feed = Feed(Hasty(a_watch(2)), posted.append)
    assert feed.newest.state is State.ENDED
    assert feed.take().state is State.ENDED


async def test_another_thread_may_publish(show: Show) -> None:
    async with show() as shown:
        newer = replace(shown.session.snapshot(), target=replace(shown.session.snapshot().target, name="another-name"))
        thread = threading.Thread(target=shown.session.publish, args=(newer,))
        thread.start()
        thread.join()
        await shown.pilot.pause(0.7)
        await shown.settle()
        assert "another-name" in shown.lines[0]


async def test_ten_samples_a_second_are_painted_at_most_twice_a_second(show: Show) -> None:
    async with show() as shown:
        painted: list[float] = []
        original = shown.dashboard._paint

        def counted() -> None:
            painted.append(shown.session.snapshot().at.mono_s)
            original()

        shown.dashboard._paint = counted  # type: ignore[method-assign]  # counting is all it adds
        base = shown.session.snapshot()
        for number in range(12):
            at = Instant(base.at.wall_s + number / 10, base.at.mono_s + number / 10)
            shown.session.publish(replace(base, at=at))
            await shown.pilot.pause(0.1)
        assert 2 <= len(painted) <= 4
        await shown.pilot.pause(0.6)
        assert painted[-1] == base.at.mono_s + 1.1
