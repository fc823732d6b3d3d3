"""``--theme``, ``--no-color``, ``--ascii``: how what is drawn looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memdash.commands.options import place
from memdash.errors import UsageError
from memdash.spelling import meant

if TYPE_CHECKING:
    from memdash.ui.app import Options

__all__ = ["Look"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the user said of it. The fields are settings."""

    theme: str | None
    no_color: bool
    ascii: bool

    def check(self) -> None:
        """Refuse a theme that does not exist. Raises UsageError."""
        if self.theme is None:
            return
        from memdash.ui.theme import theme_names

        names = theme_names()
        if self.theme not in names:
            raise UsageError(
                f"{place('theme')}: there is no theme {self.theme!r}", meant(self.theme, names, "the themes are")
            )

    def options(self) -> Options:
        """The same as the dashboard takes it."""
        from memdash.ui.app import Options
        from memdash.ui.theme import DEFAULT_THEME

        return Options(theme=self.theme or DEFAULT_THEME, ascii=self.ascii, no_color=self.no_color)
