"""Places in a program."""

from __future__ import annotations

import pytest

from memdash.model.profile import Frame


@pytest.mark.parametrize(
    ("file", "line", "parts", "where"),
    [
        ("/srv/shop/cart.py", 40, 0, "/srv/shop/cart.py:40"),
        ("/srv/shop/cart.py", 40, 2, "shop/cart.py:40"),
        ("/srv/shop/cart.py", 0, 1, "cart.py"),
        ("<string>", 3, 2, "<string>:3"),
        ("", 0, 0, ""),
        ("", 7, 0, ""),
    ],
)
def test_a_frame_says_where_it_is_as_far_as_that_is_known(file: str, line: int, parts: int, where: str) -> None:
    assert Frame("f", file, line).where(parts) == where
