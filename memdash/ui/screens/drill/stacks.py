"""Call stacks, the heaviest first, and who called what they end in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from memdash.model.profile import Frame, Site
from memdash.ui.screens.lines import folded, stack_lines
from memdash.ui.widgets.meter import meter
from memdash.ui.widgets.paint import Painted
from memdash.ui.widgets.words import Part
from memdash.units import byte_size, count, ratio

__all__ = ["Stack", "caller_lines", "stacks_lines", "stacks_of"]

_STACKS_AT_MOST = 50
_CALLERS_AT_MOST = 100
_BAR_CELLS = 8
_FIGURE_CELLS = 21
_WITH_BARS_FROM = 60
_NO_CALLER = Frame("(nobody: the stack ends here)", "", 0)


class Stack(NamedTuple):
    """Frames, innermost first, and words for the line above them."""

    frames: tuple[Frame, ...]
    words: Callable[[], Sequence[Part]]


def stacks_lines(stacks: Sequence[Stack], marked: Frame, width: int) -> list[list[Part]]:
    """All of the first of them; the ``marked`` frames bear an arrow."""
    lines: list[list[Part]] = []
    for number, stack in enumerate(stacks[:_STACKS_AT_MOST], start=1):
        lines.append([Part(f"stack {number} of {len(stacks)}  ", "title"), *stack.words()])
        lines += [*stack_lines(stack.frames, marked, width), []]
    if len(stacks) > _STACKS_AT_MOST:
        lines.append([Part(f"and {count(len(stacks) - _STACKS_AT_MOST)} smaller stacks", "faint")])
    return lines


def stacks_of(sites: Iterable[Site]) -> tuple[Stack, ...]:
    """The stacks of these sites, those that hold most first."""
    held: dict[tuple[Frame, ...], list[int]] = defaultdict(lambda: [0, 0])
    for site in sites:
        held[site.stack][0] += site.usage.inuse_bytes
        held[site.stack][1] += site.usage.inuse_objects
    total = sum(size for size, _ in held.values()) or 1
    ranked = sorted(held.items(), key=lambda item: -item[1][0])
    return tuple([Stack(stack, partial(_held_words, size, objects, total)) for stack, (size, objects) in ranked])


def _held_words(size: int, objects: int, total: int) -> Sequence[Part]:
    of_all = f"{ratio(size / total)} · {count(objects)} object{'s' * (objects != 1)}"
    return [Part(f"{byte_size(size)}  ", "strong"), Part(of_all, "faint")]


def caller_lines(sites: Iterable[Site], width: int) -> list[list[Part]]:
    """Who called where the memory was asked for, from where, and what is held through each; the heaviest first."""
    held: dict[Frame, int] = defaultdict(int)
    for site in sites:
        above = site.leaf_at + 1
        held[site.stack[above] if above < len(site.stack) else _NO_CALLER] += site.usage.inuse_bytes
    total = sum(held.values()) or 1
    ranked = sorted(held.items(), key=lambda item: (-item[1], item[0]))
    bar_cells = _BAR_CELLS if width >= _WITH_BARS_FROM else 0
    margin = _FIGURE_CELLS + (bar_cells + 2 if bar_cells else 0)
    lines: list[list[Part]] = []
    for frame, size in ranked[:_CALLERS_AT_MOST]:
        share = size / total
        bar = [Part(f"{meter(share, bar_cells, Painted.glyphs):<{bar_cells}}  ", "bar")] if bar_cells else []
        figures = [Part(f"{byte_size(size):>10}  ", "strong"), Part(f"{ratio(share):>7}  ")]
        name, *rest = folded(frame.function or frame.file, width - margin, "plain")
        if frame.file and frame.function:
            rest += folded(frame.where(), width - margin, "faint")
        lines += [[*figures, *bar, *name], *([Part(" " * margin), *line] for line in rest)]
    if len(ranked) > _CALLERS_AT_MOST:
        lines.append([Part(f"and {count(len(ranked) - _CALLERS_AT_MOST)} others", "faint")])
    return lines
