import io
import re
from dataclasses import replace
from typing import cast

import pytest

from memdash.commands.strip import Strip
from memdash.model.finding import Finding, Severity
from memdash.model.snapshot import Snapshot
from memdash.session import Session
from tests.fakes import NOON_S, a_snapshot

pytestmark = pytest.mark.usefixtures("utc")


class _Session:
    """Shows whatever it is given."""

    def __init__(self, shown: Snapshot) -> None:
        self.shown = shown

    def snapshot(self) -> Snapshot:
        return self.shown


def _strip(shown: Snapshot) -> tuple[_Session, Strip, io.StringIO]:
    session, out = _Session(shown), io.StringIO()
    return session, Strip(cast(Session, session), out), out


def _newly(out: io.StringIO) -> str:
    written = out.getvalue()
    out.seek(0)
    out.truncate()
    return written


def test_lines_are_drawn_over_those_before() -> None:
    _, strip, out = _strip(a_snapshot(seconds=2))
    strip.draw()
    first = _newly(out)
    strip.draw()
    assert first.startswith("\r\x1b[J")
    assert _newly(out).startswith(f"\x1b[{first.count(chr(10))}A\r\x1b[J")


def test_after_it_was_stopped_it_draws_over_nothing() -> None:
    _, strip, out = _strip(a_snapshot(seconds=2))
    strip.draw()
    _newly(out)
    strip.leave()
    strip.draw()
    assert _newly(out).startswith("\r\x1b[J")


def test_an_alert_is_written_once_above_them_and_again_when_it_comes_again() -> None:
    alert = Finding(rule="rss", severity=Severity.WARNING, at_s=NOON_S, summary="RSS 2 GiB over 1 GiB")
    session, strip, out = _strip(a_snapshot(seconds=2, findings=[alert]))
    strip.draw()
    first = _newly(out).removeprefix("\r").partition("\n")[0]
    assert re.fullmatch(r"\x1b\[J12:07:41 . WARN RSS 2 GiB over 1 GiB", first)
    strip.draw()
    assert "12:07:41" not in _newly(out)
    session.shown = replace(session.shown, findings=(replace(alert, at_s=NOON_S + 5),))
    strip.draw()
    assert "12:07:46" in _newly(out)
