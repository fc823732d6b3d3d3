"""Call stacks, and who called what they end in, in lines."""

from __future__ import annotations

from memdash.model.profile import Frame
from memdash.tables.row_figures import RowStacks
from memdash.ui.screens.lines import folded, stack_lines
from memdash.ui.widgets.meter import meter
from memdash.ui.widgets.paint import Painted
from memdash.ui.widgets.words import Part
from memdash.units import count

__all__ = ["caller_lines", "stacks_lines"]

_BAR_CELLS = 8
_FIGURE_CELLS = 21
_WITH_BARS_FROM = 60


def stacks_lines(stacks: RowStacks, marked: Frame, width: int) -> list[list[Part]]:
    """All frames of the first stacks; the ``marked`` ones bear an arrow."""
    lines: list[list[Part]] = []
    for number, stack in enumerate(stacks.first, start=1):
        words = (Part(f"  {cell.text}", cell.tone.value) for cell in stack.words)
        lines.append([Part(f"stack {number} of {stacks.total}", "title"), *words])
        lines += [*stack_lines(stack.frames, marked, width), []]
    if left := stacks.total - len(stacks.first):
        lines.append([Part(f"and {count(left)} smaller stacks", "faint")])
    return lines


def caller_lines(callers: RowStacks, width: int) -> list[list[Part]]:
    """A caller a line, with what is held through it; its place below it where there is one."""
    bar_cells = _BAR_CELLS if width >= _WITH_BARS_FROM else 0
    margin = _FIGURE_CELLS + (bar_cells + 2 if bar_cells else 0)
    lines: list[list[Part]] = []
    for (frame,), (size, share, bar) in callers.first:
        figures = [Part(f"{size.text:>10}  ", size.tone.value), Part(f"{share.text:>7}  ", share.tone.value)]
        if bar_cells:
            figures.append(Part(f"{meter(bar.bar or 0.0, bar_cells, Painted.glyphs):<{bar_cells}}  ", "bar"))
        name, *rest = folded(frame.function or frame.file, width - margin, "plain")
        if frame.file and frame.function:
            rest += folded(frame.where(), width - margin, "faint")
        lines += [[*figures, *name], *([Part(" " * margin), *line] for line in rest)]
    if left := callers.total - len(callers.first):
        lines.append([Part(f"and {count(left)} others", "faint")])
    return lines
