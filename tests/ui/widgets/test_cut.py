import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from memdash.ui.widgets.cut import Where, cut, fill, whole_parts, width_of


@pytest.mark.parametrize(
    ("text", "width", "where", "wanted"),
    [
        ("cart.(*Store).Add", 40, "end", "cart.(*Store).Add"),
        ("a sentence that is long", 10, "end", "a sentenc…"),
        ("/src/shop/cart/store.go:118", 14, "start", "…/store.go:118"),
        ("encoding/json.(*decodeState).object", 15, "middle", "encodin….object"),
        ("encoding/json.(*decodeState).object", 30, "function", "…json.(*decodeState).object"),
        ("github.com/acme/shop/cart.(*Store).Add", 17, "function", "cart.(*Store).Add"),
        ("github.com/acme/shop/cart.(*Store).Add", 14, "function", "cart.(*…e).Add"),
        ("github.com/acme/shop/cart.Map[go.shape.struct { a/b.T }]", 17, "function", "cart.Map…a/b.T }]"),
        ("main.(*catalogue).describe", 15, "function", "main.(*…escribe"),
        ("shop.cart.store.Line.__init__", 40, "function", "shop.cart.store.Line.__init__"),
        ("shop.cart.store.Line.__init__", 22, "function", "…store.Line.__init__"),
        ("shop.cart.store.Line.__init__", 14, "function", "…Line.__init__"),
        ("shop.cart.store.Line.__init__", 10, "function", "Line.…it__"),
        ("main.<locals>.<lambda>", 20, "function", "…<locals>.<lambda>"),
        ("数据库连接", 5, "end", "数据…"),
        ("数据库连接", 5, "start", "…连接"),
        ("abc", 1, "middle", "…"),
        ("abc", 0, "end", ""),
        ("", 0, "end", ""),
    ],
)
def test_cuts_where_it_hurts_least(text: str, width: int, where: Where, wanted: str) -> None:
    assert cut(text, width, where) == wanted


@given(st.text(), st.integers(0, 30), st.sampled_from(["start", "middle", "end", "function"]))
def test_never_takes_more_cells_than_it_may(text: str, width: int, where: Where) -> None:
    assert cell_len(cut(text, width, where)) <= width


@pytest.mark.parametrize(
    ("width", "wanted"),
    [
        (80, "1–8 of 61 · sampled since 12:48:43 · takes 0.2 % of a core"),
        (58, "1–8 of 61 · sampled since 12:48:43 · takes 0.2 % of a core"),
        (57, "1–8 of 61 · sampled since 12:48:43 · …"),
        (38, "1–8 of 61 · sampled since 12:48:43 · …"),
        (37, "1–8 of 61 · …"),
        (13, "1–8 of 61 · …"),
        (9, "1–8 of 61"),
        (5, "1–8 …"),
    ],
)
def test_a_caption_is_cut_between_its_parts(width: int, wanted: str) -> None:
    assert whole_parts("1–8 of 61 · sampled since 12:48:43 · takes 0.2 % of a core", width) == wanted


def test_a_long_name_makes_room_for_what_is_said_of_it() -> None:
    text = "memdash.commands.pyshop.store.Line.__init__ · flat 50.2 MiB · cum 50.2 MiB"
    assert whole_parts(text, 60) == "…pyshop.store.Line.__init__ · flat 50.2 MiB · cum 50.2 MiB"
    assert whole_parts(text, 49) == "memdash.commands.pyshop.store.Line.__init__ · …"


@given(st.text("ab ·数", max_size=40), st.integers(0, 50))
def test_a_caption_never_takes_more_cells_than_it_may(text: str, width: int) -> None:
    found = whole_parts(text, width)
    assert cell_len(found) <= width
    assert found == text or cell_len(text) > width


@given(st.text(st.characters(categories=["L", "N", "Zs"])), st.integers(0, 60), st.booleans())
def test_fill_takes_exactly_the_width_unless_the_text_is_longer(text: str, width: int, right: bool) -> None:
    assert cell_len(fill(text, width, right=right)) == max(width, width_of(text))
