"""The dashboard around a session, and what it needs of the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memdash.analysis.rules import Rule
from memdash.commands.limits import muted_for, rules_for
from memdash.commands.opening import Opening
from memdash.commands.options import gathered
from memdash.commands.recorded import Keeping, recorders
from memdash.config import AlertText, Growth, Limit, SourcePath
from memdash.errors import UsageError
from memdash.model.action import Action
from memdash.model.target import Target
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.probes.survey import survey
from memdash.session import Live, Session, Watches
from memdash.spelling import meant

if TYPE_CHECKING:
    from memdash.recording.recorder import Recorder
    from memdash.ui.app import Options

__all__ = ["Screen", "check_terminal", "check_theme", "screen_options"]

_SURVEY_S = 10.0
"""Judging processes for the picker stops after this long; the list fills while it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """How the dashboard samples, alerts and looks."""

    interval: float
    max: Sequence[Limit]
    max_growth: Sequence[Growth]
    alert: Sequence[AlertText]
    mute: Sequence[str]
    agent: bool
    read_only: bool
    theme: str | None
    no_color: bool
    ascii: bool
    source_path: str | None
    trim_path: str | None
    record: str | None
    max_size: int
    max_age: float | None

    def check(self) -> None:
        """Refuse before anything is started what could not be shown. Raises UsageError."""
        self.check_values()
        self.check_terminal()

    def check_values(self) -> None:
        """Refuse limits and themes that do not exist. Raises UsageError."""
        muted_for(self.mute, self._rules)
        if self.agent and self.read_only:
            raise UsageError("--agent and --read-only exclude each other", "leave one of them away")
        check_theme(self.theme)

    def check_terminal(self) -> None:
        """Refuse to draw where there is no terminal. Raises UsageError."""
        check_terminal("memdash report PID writes a report, memdash report --json PID one for programs")

    @property
    def _rules(self) -> tuple[Rule, ...]:
        return rules_for(self.max, self.max_growth, self.alert)

    def watch(self, target: Target, entries: Sequence[ProbeEntry] = PROBES) -> None:
        """Show the dashboard until the user leaves it."""
        # Code is loaded only into what was asked for, and run only there, not because < and > came by.
        others = [entry for entry in entries if not entry.wanted_for]

        def opened(member: Target) -> Session:
            if member == target:
                return session
            return self._session(member, others, with_agent=False, keeps_past=True)

        session = self._session(target, entries, with_agent=self.agent, keeps_past=self.record is None)
        watches = Watches(opened)
        watches.open(target)
        with self._recording(session) as recorder:
            if recorder is not None:
                session.remember(recorder)
            opening = Opening(session)
            session.start()
            try:
                with opening:
                    from memdash.ui.app import run

                    run(session, watches, self._options())
            finally:
                watches.close()

    @contextmanager
    def _recording(self, session: Session) -> Iterator[Recorder | None]:
        """Around a watch that may be to be written down. Raises RecordingError."""
        if self.record is None:
            yield None
            return
        keeping = Keeping(max_size=self.max_size, max_age=self.max_age)
        with recorders(Path(self.record), [session], keeping) as started:
            yield started[0]

    def _session(self, target: Target, entries: Sequence[ProbeEntry], *, with_agent: bool, keeps_past: bool) -> Live:
        """A watch over the target, or over another process of its tree."""
        return Live(
            target,
            interval_s=self.interval,
            rules=self._rules,
            muted=self.mute,
            asked=(Action.LOAD_AGENT,) if with_agent else (),
            read_only=self.read_only,
            keeps_past=keeps_past,
            entries=entries,
        )

    def pick(self) -> Target | None:
        """Let the user choose a process; None when they choose to leave."""
        from memdash.ui.app import run_picker

        return run_picker(lambda: survey(PROBES, _SURVEY_S), self._options())

    def _options(self) -> Options:
        from memdash.ui.app import Options
        from memdash.ui.theme import DEFAULT_THEME

        sources = SourcePath.of(self.source_path, self.trim_path)
        return Options(theme=self.theme or DEFAULT_THEME, ascii=self.ascii, no_color=self.no_color, sources=sources)


def check_terminal(hint: str) -> None:
    """Refuse to draw where there is no terminal; ``hint`` says what does without. Raises UsageError."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or not stream.isatty():
            raise UsageError(f"the dashboard needs a terminal, and {name} is none", hint)


def check_theme(name: str | None) -> None:
    """Refuse a theme that does not exist. Raises UsageError."""
    if name is None:
        return
    from memdash.ui.theme import theme_names

    names = theme_names()
    if name not in names:
        raise UsageError(f"--theme: there is no theme {name!r}", meant(name, names, "the themes are"))


screen_options = gathered(Screen, "screen")
"""Give a command the dashboard's options; it gets one ``screen`` instead."""
