"""The bottom line: the keys worth knowing, as many as fit; each can be clicked."""

from __future__ import annotations

from collections.abc import Collection

from textual.strip import Strip

from memdash.model.action import Action
from memdash.ui.commands import APP, COMMANDS, DASHBOARD, TABLE
from memdash.ui.widgets.cut import width_of
from memdash.ui.widgets.paint import Painted

__all__ = ["KeyLine"]

_RANKED = sorted((command for command in COMMANDS if command.footer), key=lambda command: command.footer)
_NAMESPACES = {APP: "app", DASHBOARD: "screen", TABLE: "focused"}


class KeyLine(Painted):
    """Help and quit are always there; what ranks lower goes first, and what this target does not offer."""

    _offered: Collection[Action] = ()

    def offer(self, actions: Collection[Action]) -> None:
        """Show the keys of these actions too."""
        if set(actions) != set(self._offered):
            self._offered = tuple(actions)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The only line."""
        del y
        width = self.inner.width
        shown, room = [], width
        ranked = [command for command in _RANKED if command.needs is None or command.needs in self._offered]
        for command in (ranked[0], ranked[-1], *ranked[1:-1]):
            need = width_of(command.shown) + width_of(command.label) + 3
            if need > room:
                break
            room -= need
            shown.append(command)
        line = self.line()
        for command in sorted(shown, key=lambda command: command.footer):
            click = f"{_NAMESPACES[command.scope]}.{command.action}"
            line.write(f" {command.shown} ", "key", click=click)
            line.write(f"{command.label} ", "faint", click=click)
        return line.strip(width)
