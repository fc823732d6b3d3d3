from memdash.tables.table import Column
from memdash.ui.widgets.fit import fitted

COLUMNS = (
    Column("figure", "", 10),
    Column("bar", "", 12, least=5),
    Column("trend", "", 12, least=6, drop=2),
    Column("function", "", 0, least=20),
    Column("where", "", 26, least=16, drop=1),
)


def shown(width: int) -> dict[str, int]:
    return {COLUMNS[index].key: cells for index, cells in fitted(COLUMNS, width)[0]}


def test_a_wide_line_gives_the_rest_to_the_open_column() -> None:
    assert shown(160) == {"figure": 10, "bar": 12, "trend": 12, "function": 92, "where": 26}
    assert fitted(COLUMNS, 160)[1] == 2


def test_columns_shrink_before_one_goes() -> None:
    cells = shown(70)
    assert set(cells) == {"figure", "bar", "trend", "function", "where"}
    assert cells["bar"] == 5
    assert cells["figure"] == 10
    assert sum(cells.values()) + 4 == 70


def test_the_most_dispensable_goes_first() -> None:
    assert "trend" not in shown(56)
    assert "where" in shown(56)
    assert set(shown(37)) == {"figure", "bar", "function"}


def test_figures_keep_their_width_to_the_last() -> None:
    assert shown(30)["figure"] == 10


def test_no_columns_and_no_room_are_no_error() -> None:
    assert fitted((), 80)[0] == ()
    assert fitted(COLUMNS, 0)[0] is not None
