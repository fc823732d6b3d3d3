"""The bottom line: the keys worth knowing, as many as fit; each can be clicked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.strip import Strip

from memdash.ui.command import ALERTS, APP, CODE, ICICLE, TABLE, Command
from memdash.ui.commands import COMMANDS
from memdash.ui.widgets.cut import width_of
from memdash.ui.widgets.paint import Painted

__all__ = ["KeyLine"]

_NAMESPACES = {ALERTS: "focused", APP: "app", TABLE: "focused", CODE: "focused", ICICLE: "focused"}
"""Where the action of a scope is, if not on the screen."""


_BACK, _QUIT = "leave", "quit"


class KeyLine(Painted):
    """Help and the way out are always there; what ranks lower goes first, and what this target does not offer.

    Where esc leads back, q does too: only there is it no way out of memdash.
    """

    def __init__(self, *scopes: str) -> None:
        """The keys of these scopes, and of APP."""
        super().__init__(id="keys")
        chosen = [command for command in COMMANDS if command.footer and command.scope in (APP, *scopes)]
        self._ranked = sorted(chosen, key=lambda command: command.footer)
        self._offered: Sequence[Command] = _with_one_way_out(self._ranked)

    def follow(self, offers: Callable[[Command], bool]) -> None:
        """Show the keys of what the target now ``offers``; paints only if they are others than before."""
        offered = _with_one_way_out([command for command in self._ranked if offers(command)])
        if offered != self._offered:
            self._offered = offered
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The only line."""
        del y
        width = self.inner.width
        shown, room = [], width
        for command in (self._offered[0], self._offered[-1], *self._offered[1:-1]):
            need = width_of(command.shown) + width_of(command.label) + 3
            if need > room:
                break
            room -= need
            shown.append(command)
        line = self.line()
        for command in sorted(shown, key=lambda command: command.footer):
            click = f"{_NAMESPACES.get(command.scope, 'screen')}.{command.action}"
            line.write(f" {command.shown} ", "key", click=click)
            line.write(f"{command.label} ", "faint", click=click)
        return line.strip(width)


def _with_one_way_out(ranked: Sequence[Command]) -> Sequence[Command]:
    if not any(command.action == _BACK for command in ranked):
        return ranked
    return [command for command in ranked if command.action != _QUIT]
