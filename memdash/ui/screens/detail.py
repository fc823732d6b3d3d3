"""What there is to say about one row: a site's stacks, or any text in full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Usage
from memdash.model.snapshot import Snapshot
from memdash.tables.since import since_words
from memdash.tables.table import DASH
from memdash.ui.screens.lines import folded, stack_lines
from memdash.ui.widgets.spark import sparkline
from memdash.ui.widgets.words import Part, TextView
from memdash.units import Unit, byte_size, count, ratio, signed

__all__ = ["SiteScreen", "TextScreen", "folded"]

_STACKS_AT_MOST = 50


class TextScreen(Screen[None]):
    """A titled text over the whole screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", show=False)]

    def __init__(self, title: str, text: str = "") -> None:
        super().__init__()
        self._title = title
        self._words = text
        self._text = TextView(id="text")

    def compose(self) -> ComposeResult:
        """The text, framed."""
        yield self._text

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew."""
        self._text.entitle(self._title, "j k scroll · esc back")
        self._text.show_lines(self.lines(event.size.width - 4))

    def lines(self, width: int) -> Sequence[Sequence[Part]]:
        """The text in lines of at most ``width`` cells."""
        paragraphs = self._words.split("\n")
        return [[Part(line)] for paragraph in paragraphs for line in wrap(paragraph, max(width, 20)) or [""]]


class SiteScreen(TextScreen):
    """One allocation site: its figures, its course, and every stack that ends there."""

    def __init__(self, snapshot: Snapshot, frame: Frame) -> None:
        super().__init__("Allocation site")
        self._snapshot = snapshot
        self._frame = frame

    def lines(self, width: int) -> Sequence[Sequence[Part]]:
        """Figures first, then the stacks, largest first."""
        return [*self._figures(width), [], *self._stacks(width)]

    def _figures(self, width: int) -> list[list[Part]]:
        frame, groups = self._frame, self._snapshot.groups
        where = f"{frame.file}:{frame.line}" if frame.line else frame.file
        name = folded(frame.function, width, "strong") if frame.function else []
        lines = [*name, *folded(where, width, "faint"), []]
        group = None if isinstance(groups, Missing) else next((g for g in groups if g.frame == frame), None)
        if group is None:
            return [*lines, [Part("this site is no longer in the profile", "faint")]]
        word = since_words(self._snapshot, Capability.SITES)
        usage, change = group.usage, group.change
        look = "grows" if change.inuse_bytes > 0 else "faint"
        lines += [
            [
                Part("holds now        ", "faint"), Part(f"{byte_size(usage.inuse_bytes):>12}", "strong"),
                Part(f"  {count(usage.inuse_objects):>12} objects  "),
                Part(f"{signed(change.inuse_bytes, Unit.BYTES)} {word}", look),
            ],
            [Part("asked for so far ", "faint"), *self._alloc(usage, change, word)],
            [],
            [
                Part("course           ", "faint"),
                Part(sparkline([float(v) for v in group.trend], max(width - 20, 10)).lstrip(), "spark"),
            ],
        ]  # fmt: skip
        return lines

    def _alloc(self, usage: Usage, change: Usage, word: str) -> list[Part]:
        profile = self._snapshot.sample.sites
        if isinstance(profile, Profile) and profile.no_alloc is not None:
            return [Part(f"{DASH:>12}"), Part(f"  {profile.no_alloc.why}", "faint")]
        return [
            Part(f"{byte_size(usage.alloc_bytes):>12}"),
            Part(f"  {count(usage.alloc_objects):>12} objects  "),
            Part(f"{signed(change.alloc_bytes, Unit.BYTES)} {word}", "faint"),
        ]

    def _stacks(self, width: int) -> list[list[Part]]:
        profile = self._snapshot.sample.sites
        if isinstance(profile, Missing):
            return [[Part(profile.why, "faint")]]
        by_stack: dict[tuple[Frame, ...], Usage] = defaultdict(lambda: Usage(0, 0, 0, 0))
        for site in profile.sites:
            if site.leaf == self._frame:
                by_stack[site.stack] = Usage(*map(sum, zip(by_stack[site.stack], site.usage, strict=True)))
        total = sum(usage.inuse_bytes for usage in by_stack.values()) or 1
        ranked = sorted(by_stack.items(), key=lambda item: -item[1].inuse_bytes)
        lines: list[list[Part]] = []
        for number, (stack, usage) in enumerate(ranked[:_STACKS_AT_MOST], start=1):
            lines.append(
                [
                    Part(f"stack {number} of {len(ranked)}  ", "title"),
                    Part(f"{byte_size(usage.inuse_bytes)}  ", "strong"),
                    Part(
                        f"{ratio(usage.inuse_bytes / total)} of the site, {count(usage.inuse_objects)} objects", "faint"
                    ),
                ]
            )
            lines += stack_lines(stack, self._frame, width)
            lines.append([])
        if len(ranked) > _STACKS_AT_MOST:
            lines.append([Part(f"and {count(len(ranked) - _STACKS_AT_MOST)} smaller stacks", "faint")])
        return lines
