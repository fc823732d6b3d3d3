from memdash.model.metric import METRICS
from memdash.tables.gc import gc_table
from memdash.ui.screens.help import help_lines
from tests.ui.conftest import Show, a_watch


def words(wanted: str, width: int = 100) -> str:
    return "\n".join("".join(part.text for part in line) for line in help_lines(wanted, width))


def test_every_figure_is_explained() -> None:
    text = " ".join(words("").split())
    for metric in METRICS:
        assert " ".join(metric.explanation.split()) in text, metric.key


def test_every_row_of_a_go_collector_is_explained() -> None:
    text = words("")
    for row in gc_table(a_watch()).rows:
        assert f"\n  {row.key}" in text, row.key


def test_no_line_is_wider_than_the_screen() -> None:
    assert all(len(line) <= 60 for line in words("", 60).split("\n"))


def test_the_keys_of_the_alert_log_are_found_under_its_name() -> None:
    (section,) = (part for part in words("alert log").split("\n\n") if part.startswith("Keys: alert log"))
    assert [line.split()[0] for line in section.split("\n")[1:] if not line.startswith("     ")] == ["a", "x", "z", "v"]


def test_filtering_keeps_what_matches() -> None:
    assert "HeapReleased" in words("given back")
    assert "TotalAlloc" not in words("given back")
    assert words("no such word") == "nothing in help contains 'no such word'"


async def test_opens_scrolls_filters_and_closes(show: Show) -> None:
    async with show(None, 80, 24) as shown:
        await shown.press("question_mark")
        first = shown.lines[1]
        await shown.press("j", "pagedown", "G")
        assert shown.lines[1] != first
        await shown.press("g")
        assert shown.lines[1] == first
        await shown.press("slash", *"swapped")
        assert "Pages of the process that are swapped out." in shown.text
        assert "HeapIdle" not in shown.text
        await shown.press("escape")
        assert shown.lines[1] == first
        await shown.press("escape")
        assert "MemStats" in shown.text


async def test_question_mark_twice_does_not_pile_up(show: Show) -> None:
    async with show() as shown:
        await shown.press("f1", "f1")
        assert len(shown.app.screen_stack) == 1
