"""The palette: Textual's, for terminals of any size."""

from __future__ import annotations

from textual.command import CommandList, CommandPalette

__all__ = ["Palette"]


class Palette(CommandPalette):
    """What is found with it are the commands of the app, unless it is given others to search."""

    def _action_command_list(self, action: str) -> None:
        """Textual 8.2 looks up lines of the list that it has not laid out, where there is no room for any."""
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)
