from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.events import Resize
from textual.geometry import Size

from tests.ui.conftest import Show


@pytest.mark.parametrize(("width", "height"), [(200, 60), (160, 45), (120, 40), (80, 24), (60, 12), (40, 8), (20, 5)])
async def test_looks_right_at_every_size(show: Show, width: int, height: int, snapshot: SnapshotAssertion) -> None:
    async with show(width=width, height=height) as shown:
        assert shown.text == snapshot


async def test_a_size_that_is_past_already_changes_nothing(show: Show) -> None:
    async with show(width=120, height=40) as shown:
        before = shown.text
        shown.dashboard.post_message(Resize(Size(80, 24), Size(80, 24)))
        await shown.settle()
        assert shown.text == before
