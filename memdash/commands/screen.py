"""The dashboard around a session, and what it needs of the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from memdash.commands.limits import Alerting
from memdash.commands.look import Look
from memdash.commands.opening import Opening
from memdash.commands.options import gathered, part
from memdash.commands.output import is_terminal, write_lines
from memdash.commands.recorded import Keeping, recorders
from memdash.commands.relief import Relieving
from memdash.commands.sampling import Sampled, refuse_agent
from memdash.commands.telling import Telling, Terminal
from memdash.config import SourcePath
from memdash.errors import UsageError
from memdash.model.action import Action
from memdash.model.snapshot import Snapshot
from memdash.model.target import Target
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.probes.survey import survey
from memdash.session import Live, Session, Watches, read_once
from memdash.signals import signals_raised

if TYPE_CHECKING:
    from memdash.recording.recorder import Recorder
    from memdash.ui.app import Options

__all__ = ["Screen", "check_terminal", "report_of", "screen_options"]

_SURVEY_S = 10.0
"""Judging processes for the picker stops after this long; the list fills while it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen(Alerting):
    """How the dashboard samples, alerts and looks."""

    interval: float
    agent: bool
    sampled: Sampled = field(metadata=part(Sampled))
    relieving: Relieving = field(metadata=part(Relieving))
    look: Look = field(metadata=part(Look))
    source_path: str | None
    trim_path: str | None
    record: str | None
    keeping: Keeping = field(metadata=part(Keeping))
    telling: Telling = field(metadata=part(Telling))

    @property
    def read_only(self) -> bool:
        """Whether nothing is to be done to the target."""
        return self.relieving.read_only

    def check(self) -> None:
        """Refuse before anything is started what could not be shown. Raises UsageError."""
        self.check_values()
        self.check_terminal()

    def check_values(self) -> None:
        """Refuse limits and themes that do not exist. Raises UsageError."""
        _ = self.muted
        self.telling.check(self.rules)
        refuse_agent(agent=self.agent, read_only=self.read_only)
        self.relieving.plan()
        self.look.check()

    def check_terminal(self) -> None:
        """Refuse to draw where there is no terminal. Raises UsageError."""
        check_terminal("memdash report PID writes a report, memdash report --json PID one for programs")

    def watch(self, target: Target, entries: Sequence[ProbeEntry] = PROBES) -> None:
        """Show the dashboard until the user leaves it."""
        # Code is loaded only into what was asked for, and run only there, not because < and > came by.
        others = [entry for entry in entries if not entry.wanted_for]

        terminal = Terminal()
        with self.telling.hooks(terminal) as follow:

            def opened(member: Target) -> Session:
                is_meant = member == target
                if is_meant and first:
                    return first.pop()
                session = self._session(member, entries if is_meant else others, is_meant=is_meant)
                follow(session)
                return session

            session = self._session(target, entries, is_meant=True)
            follow(session)
            first = [session]

            watches = Watches(opened)
            watches.open(target)
            with self._recording(session) as recorder:
                if recorder is not None:
                    session.remember(recorder)
                self._show(session, watches, terminal)

    def show_once(self, target: Target, entries: Sequence[ProbeEntry]) -> int:
        """Print a screenful of what can be read at once. Raises what ``read_once`` raises."""
        from memdash.exports.brief import screenful

        snapshot = read_once(target, rules=self.rules, muted=self.muted, entries=entries)
        size = shutil.get_terminal_size()
        write_lines(screenful(snapshot, size.columns, size.lines - 1))
        return 0

    def show_in_lines(self, choose: Callable[[], Target], entries: Sequence[ProbeEntry]) -> int:
        """Keep a few lines up to date until the target ends, or ctrl+c. Raises UsageError without a terminal."""
        from memdash.commands.strip import terminal_of_ours, watch_in_lines

        out = terminal_of_ours()
        with signals_raised():
            target = choose()
        with self.telling.hooks() as follow:
            session = self._session(target, entries, is_meant=True)
            follow(session)
            with self._recording(session):
                return watch_in_lines(session, out)

    def _show(self, session: Session, watches: Watches, terminal: Terminal) -> None:
        """Begin to watch, and draw what is seen; both are over when this returns."""
        opening = Opening(session)
        session.start()
        try:
            with opening:
                from memdash.ui.app import run

                run(session, watches, report_of, replace(self._options(), lend_terminal=terminal.use))
        finally:
            watches.close()

    @contextmanager
    def _recording(self, session: Session) -> Iterator[Recorder | None]:
        """Around a watch that may be to be written down. Raises RecordingError."""
        if self.record is None:
            yield None
            return
        with recorders(Path(self.record), [session], self.keeping) as started:
            yield started[0]

    def _session(self, target: Target, entries: Sequence[ProbeEntry], *, is_meant: bool) -> Live:
        """A watch over the target, or over another process of its tree: nothing is done to that unless asked there."""
        return Live(
            target,
            interval_s=self.interval,
            rules=self.rules,
            muted=self.muted,
            asked=(Action.LOAD_AGENT,) if self.agent and is_meant else (),
            gc_at=self.relieving.plan() if is_meant else None,
            read_only=self.read_only,
            keeps_past=self.record is None or not is_meant,
            entries=entries,
        )

    def pick(self) -> Target | None:
        """Let the user choose a process; None when they choose to leave."""
        from memdash.ui.app import run_picker

        return run_picker(lambda: survey(PROBES, _SURVEY_S), self._options())

    def _options(self) -> Options:
        return replace(self.look.options(), sources=SourcePath.of(self.source_path, self.trim_path))


def check_terminal(hint: str) -> None:
    """Refuse to draw where there is no terminal; ``hint`` says what does without. Raises UsageError."""
    for name in ("stdin", "stdout", "stderr"):
        if not is_terminal(getattr(sys, name)):
            raise UsageError(f"the dashboard needs a terminal, and {name} is none", hint)


def report_of(moment: Snapshot, path: Path) -> bytes:
    """A report in the format that the file's name asks for. Raises UsageError."""
    from memdash.exports.formats import exporter_for

    return exporter_for(path).bytes_of(moment)


screen_options = gathered(Screen, "screen")
"""Give a command the dashboard's options; it gets one ``screen`` instead."""
