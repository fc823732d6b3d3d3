"""The first frame stands before Textual does, and leaves no trace when Textual fails."""

from __future__ import annotations

import os
from collections.abc import Callable

import pyte
import pytest

from memdash.commands.opening import Opening, frame
from memdash.model.snapshot import Snapshot, State
from tests.fakes import a_snapshot, a_target
from tests.sessions import FakeSession

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Told(FakeSession):
    """A session that has its first sample by the time it is asked."""

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        listener(self.shown)
        return super().subscribe(listener)


@pytest.fixture
def size(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Say how large the terminal is."""

    def set_size(columns: int, lines: int) -> None:
        monkeypatch.setattr("sys.stderr.fileno", lambda: 2, raising=False)
        monkeypatch.setattr(os, "get_terminal_size", lambda _fd: os.terminal_size((columns, lines)))

    return set_size


def display(text: str, columns: int, lines: int) -> list[str]:
    screen = pyte.Screen(columns, lines)
    pyte.Stream(screen).feed(text)
    return list(screen.display)


@pytest.mark.parametrize(("columns", "lines"), [(50, 10), (80, 24), (200, 60)])
def test_the_figures_stand_on_the_screen(columns: int, lines: int) -> None:
    drawn = display(frame(a_snapshot(5), os.terminal_size((columns, lines))), columns, lines)
    assert drawn[0].startswith(" live  shop-server  pid 41287")
    assert drawn[3].split() == ["HeapAlloc", "345.5", "MiB"]
    assert not drawn[-1].strip()


def test_a_hostile_name_is_shown_as_text() -> None:
    snapshot = a_snapshot(5, target=a_target(name="\x1b[2J\nboom"))
    drawn = display(frame(snapshot, os.terminal_size((120, 30))), 120, 30)
    assert "\\e[2J\\nboom" in drawn[0]


def test_success_leaves_the_screen_to_the_dashboard(
    size: Callable[[int, int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    size(80, 24)
    with Opening(Told(a_snapshot(5))):
        assert ENTER in capsys.readouterr().err
    assert capsys.readouterr().err == ""


def test_a_failure_gives_the_terminal_back(
    size: Callable[[int, int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    size(80, 24)
    with pytest.raises(ImportError), Opening(Told(a_snapshot(5))):
        raise ImportError
    assert capsys.readouterr().err.endswith(LEAVE)


def test_nothing_is_drawn_too_small_or_before_there_are_figures(
    size: Callable[[int, int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    size(40, 5)
    with Opening(Told(a_snapshot(5))):
        pass
    size(80, 24)
    for state in (State.ATTACHING, State.REFUSED, State.ENDED):
        with Opening(Told(a_snapshot(5, state=state))):
            pass
    assert capsys.readouterr().err == ""
