"""Places in a program, and how sure it is what they hold."""

from __future__ import annotations

import pytest

from memdash.model.profile import Frame, sampling_error


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


def test_bytes_of_no_object_are_those_of_one() -> None:
    assert sampling_error(5000, 0, 65_536) == sampling_error(5000, 1, 65_536) > 1
