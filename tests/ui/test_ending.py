"""How the app ends: in order, whatever ends it."""

import functools
import os
import signal

import pytest
from textual.screen import Screen

from memdash.signals import Signalled, signals_raised
from memdash.ui.app import MemdashApp


class Defective(Screen[None]):
    def on_mount(self) -> None:
        raise ZeroDivisionError("a defect")


class Signalling(Screen[None]):
    def on_mount(self) -> None:
        self.set_timer(0.01, functools.partial(os.kill, os.getpid(), signal.SIGTERM))


class SignallingEarly(Screen[None]):
    def __init__(self) -> None:
        super().__init__()
        os.kill(os.getpid(), signal.SIGTERM)


def ended(screen: type[Screen[None]]) -> None:
    app = MemdashApp(screen)
    app.run = functools.partial(app.run, headless=True)  # type: ignore[method-assign]  # a screen without a terminal
    app.run_to_its_end()


def test_a_defect_is_raised_once_the_terminal_is_restored(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError, match="a defect"):
        ended(Defective)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("screen", [Signalling, SignallingEarly])
def test_a_signal_ends_it_and_is_told(screen: type[Screen[None]]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Signalled) as caught, signals_raised():
        ended(screen)
    assert caught.value.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
