import pytest

from memdash.ui.shape import Shape, shape_of


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (200, 60, Shape.THREE), (150, 30, Shape.THREE), (149, 30, Shape.TWO), (120, 40, Shape.TWO),
        (200, 29, Shape.STACKED), (80, 24, Shape.STACKED), (76, 20, Shape.STACKED), (75, 50, Shape.STRIP),
        (60, 12, Shape.STRIP), (50, 10, Shape.STRIP), (49, 40, Shape.LINE), (20, 5, Shape.LINE), (0, 0, Shape.LINE),
    ],
)  # fmt: skip
def test_each_size_has_its_shape(width: int, height: int, shape: Shape) -> None:
    assert shape_of(width, height) is shape
