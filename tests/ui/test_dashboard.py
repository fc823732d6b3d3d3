from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.ui.conftest import Show


@pytest.mark.parametrize(("width", "height"), [(200, 60), (160, 45), (120, 40), (80, 24), (60, 12), (40, 8), (20, 5)])
async def test_looks_right_at_every_size(show: Show, width: int, height: int, snapshot: SnapshotAssertion) -> None:
    async with show(width=width, height=height) as shown:
        assert shown.text == snapshot
