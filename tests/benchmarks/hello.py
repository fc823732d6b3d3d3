"""The baseline: a Textual page that says hello."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Hello(App[None]):
    """Nothing but one line."""

    def compose(self) -> ComposeResult:
        """One Static."""
        yield Static("hello world")


if __name__ == "__main__":
    Hello().run()
