"""The Textual app: themes, the palette, quitting. What is on screen is the screens' business."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen

from memdash.config import USUAL_SOURCES, SourcePath
from memdash.model.target import Target
from memdash.signals import ENDING, Signalled
from memdash.ui.command import APP, Command, Offering
from memdash.ui.commands import COMMANDS, bindings
from memdash.ui.glyphs import ASCII, UNICODE
from memdash.ui.lean import settle
from memdash.ui.messages import Rung
from memdash.ui.screens.dashboard import Dashboard
from memdash.ui.theme import DEFAULT_THEME, THEMES, derived_tokens
from memdash.ui.turns import Turns
from memdash.ui.widgets.paint import Painted

if TYPE_CHECKING:
    from memdash.probes.survey import Surveyed
    from memdash.session import Session, Watches
    from memdash.ui.saving import Reporter

__all__ = ["MemdashApp", "Options", "run", "run_picker", "run_view"]

_SETTLED_AFTER_S = 3.0


@dataclass(frozen=True, slots=True)
class Options:
    """How it looks, where for source files, and the moment of the monotonic clock that a replay opens at.

    ``theme`` is one of ours or of Textual's; ``no_color`` adds to the NO_COLOR variable. Once it draws,
    ``lend_terminal`` is given what sends the terminal a sequence between two frames, from any thread.
    """

    theme: str = DEFAULT_THEME
    ascii: bool = False
    no_color: bool = False
    sources: SourcePath = USUAL_SOURCES
    at_s: float | None = None
    lend_terminal: Callable[[Callable[[str], object]], object] = lambda _: None


class MemdashApp(Turns[Target]):
    """Opens one screen and lets it work."""

    CSS_PATH = Path(__file__).with_name("memdash.tcss")
    TITLE = "memdash"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(APP),
        Binding("ctrl+c,ctrl+q", "quit", show=False, priority=True),
    ]
    ENABLE_SELECT_AUTO_SCROLL = False

    def __init__(self, first: Callable[[], Screen[Any]], options: Options = Options()) -> None:
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        if options.no_color:
            os.environ["NO_COLOR"] = "1"
        super().__init__()
        self._first = first
        self._defect: BaseException | None = None
        self._ended_by = 0
        self._alone = False
        self._lend_terminal = options.lend_terminal
        for theme in THEMES:
            self.register_theme(theme)
        self._start_with(options.theme)
        Painted.glyphs = ASCII if options.ascii else UNICODE
        self.set_class(options.ascii, "-ascii")

    def on_mount(self) -> None:
        """From here on signals wait for their turn in the event loop; one may have come on the way."""
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._end_by, number)
        if self._ended_by:
            self._end_by(self._ended_by)
        self.app_resume_signal.subscribe(self, self._draw_anew)

    def _draw_anew(self, _app: App[Any]) -> None:
        """The shell has given the terminal back, and it is empty: what has not changed must be sent again as well."""
        self.refresh(layout=True)

    def on_ready(self) -> None:
        """Once the first frames stand, make collections cheap; not in a process that others use too."""
        if self._alone:
            self.set_timer(_SETTLED_AFTER_S, settle)
        self._lend_terminal(lambda sequence: self.post_message(Rung(sequence)))

    def on_rung(self, message: Rung) -> None:
        """Send it: a frame is written whole, so this comes between two."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(message.sequence)

    def _end_by(self, number: int) -> None:
        self._ended_by = number
        self.exit()

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        self._ended_by = number

    def run_to_its_end(self) -> Target | None:
        """Run until the user leaves; what was chosen.

        Once the terminal is as it was, raises Signalled for the signal that ended it, or the defect that did. Raised at
        once, wherever the program stands, either would tear what is being drawn.
        """
        self._alone = True
        gc.freeze()  # what was imported stays: collections during the start need not look at it
        before = {number: signal.signal(number, self._remember) for number in ENDING}
        try:
            chosen = self.run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._defect is not None:
            raise self._defect
        if self._ended_by:
            raise Signalled(self._ended_by)
        return chosen

    def _fatal_error(self) -> None:
        """Leave quietly and let ``run_to_its_end`` raise: Textual 8.2 would print a traceback with all local values."""
        self._defect = self._defect or sys.exception()
        self.exit(return_code=1)

    def _start_with(self, theme: str) -> None:
        """Set the first theme before any style sheet is read: a change afterwards reads them all again."""
        if self.available_themes[theme].ansi:  # Textual has more to change for these
            self.theme = theme
        else:
            self.set_reactive(App.theme, theme)
            self.stylesheet.set_variables(self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our tokens, for themes that do not know them."""
        return derived_tokens(self.current_theme)

    def get_default_screen(self) -> Screen[Any]:
        """The first screen is the only one that lies below all others."""
        return self._first()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: our commands, then the choice of theme."""
        for command in COMMANDS:
            if command.palette and (command.scope == APP or _has(screen, command)):
                yield SystemCommand(
                    command.label,
                    f"{command.help}  {command.shown}",
                    self._runner(screen, command.scope, command.action),
                )
        yield SystemCommand("theme", "Choose the colours.", self.action_change_theme)

    def _runner(self, screen: Screen[Any], scope: str, action: str) -> Callable[[], Any]:
        async def run() -> None:
            await self.run_action(action, self if scope == APP else screen)

        return run

    def action_command_palette(self) -> None:
        """Open the palette."""
        from memdash.ui.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Open the choice of colours."""
        from textual.theme import ThemeProvider

        from memdash.ui.screens.palette import Palette

        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def action_explain(self) -> None:
        """Open the help screen."""
        from memdash.ui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Say it in passing, unless it stands there still: pressing a key again piles nothing up over the panes."""
        if all((told.title, told.message) != (title, message) for told in self._notifications):
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def action_suspend_process(self) -> None:
        """Stop until the shell continues it, with the terminal as it was; so are wrappers that it may run under.

        Where nobody is who could continue it nothing happens but words: as the first of its session it has no shell.
        """
        if os.getsid(0) == os.getpgrp():
            self.notify("There is no shell to go back to: memdash was not started from one.", markup=False)
        elif self._driver is not None and self._driver.can_suspend:
            self.app_suspend_signal.publish(self)
            os.kill(0, signal.SIGTSTP)  # Textual's driver gives the terminal back when it comes


def _has(screen: Screen[Any], command: Command) -> bool:
    """Whether a screen says that the command is one of its own, and that it can do anything there now."""
    return isinstance(screen, Offering) and command.scope in screen.scopes and screen.offers(command)


def run_picker(candidates: Callable[[], Iterable[Surveyed]], options: Options = Options()) -> Target | None:
    """Let the user choose one of the processes that ``candidates`` yields; None when they leave instead."""
    from memdash.ui.screens.picker import Picker

    return MemdashApp(lambda: Picker(candidates), options).run_to_its_end()


def run_view(view: Callable[[], Screen[Any]], options: Options = Options()) -> None:
    """Show a view of a profile, and those that are opened from it, until the user leaves."""
    from memdash.ui.screens.ground import Ground

    MemdashApp(lambda: Ground(view), options).run_to_its_end()


def run(session: Session, watches: Watches, report: Reporter, options: Options = Options()) -> None:
    """Show ``session``, and whichever of ``watches`` is turned to, until the user quits; then close them all.

    ``report`` makes the reports that are asked for meanwhile. A session may have been started already; it saves time.
    """
    try:
        MemdashApp(
            lambda: Dashboard(session, watches, sources=options.sources, at_s=options.at_s, report=report), options
        ).run_to_its_end()
    finally:
        watches.close()
