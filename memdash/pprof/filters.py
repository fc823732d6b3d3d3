"""Which samples and frames of a profile are shown: focus, ignore, hide and show, and what the file itself would drop.

An expression is looked for in function, file and name of the binary; ``focus`` and ``ignore`` choose samples, ``hide``
and ``show`` frames of them. Source: github.com/google/pprof, profile/filter.go and profile/prune.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

from memdash.errors import UsageError
from memdash.pprof.document import Document, Line, Location, Sample
from memdash.pprof.pattern import Pattern, compiled, is_harmless

__all__ = ["Filters", "filtered", "pruned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Expressions; None lets everything through."""

    focus: Pattern | None = None
    ignore: Pattern | None = None
    hide: Pattern | None = None
    show: Pattern | None = None

    @property
    def given(self) -> dict[str, Pattern]:
        """Those that there are, by name."""
        return {field.name: held for field in fields(self) if (held := getattr(self, field.name)) is not None}


def filtered(document: Document, filters: Filters) -> tuple[Document, tuple[str, ...]]:
    """The document with what is left, and the names of the filters that nothing in it matched."""
    given = filters.given
    if not given:
        return document, ()
    matched = dict.fromkeys(given, False)
    chosen: dict[int, bool] = {}
    locations: dict[int, Location] = {}
    for key, location in document.locations.items():
        if "ignore" in given and _matches(location, given["ignore"]):
            matched["ignore"] = True
            chosen[key] = False
        elif "focus" not in given or _matches(location, given["focus"]):
            matched |= dict.fromkeys(matched.keys() & {"focus"}, True)
            chosen[key] = True
        lines = location.lines
        is_kept = True
        if "hide" in given and _matches(location, given["hide"]):
            matched["hide"] = True
            lines = _lines(location, lines, given["hide"], wanted=False)
            is_kept = bool(lines)
        if "show" in given:
            lines = _lines(location, lines, given["show"], wanted=True)
            is_kept = bool(lines)
            matched["show"] |= is_kept
        if is_kept:
            locations[key] = location if lines is location.lines else location._replace(lines=lines)
    samples = [
        sample
        for held in document.samples
        if _is_chosen(held.stack, chosen) and (sample := _without_hidden(held, locations)).stack
    ]
    unmatched = tuple(name for name, is_matched in matched.items() if not is_matched)
    return replace(document, samples=tuple(samples), locations=locations), unmatched


def _matches(location: Location, pattern: Pattern) -> bool:
    if any(_in_line(line, pattern) for line in location.lines):
        return True
    return _in_mapping(location, pattern)


def _in_mapping(location: Location, pattern: Pattern) -> bool:
    return location.mapping is not None and pattern.found_in(location.mapping.file)


def _lines(location: Location, lines: tuple[Line, ...], pattern: Pattern, *, wanted: bool) -> tuple[Line, ...]:
    """The lines that match, or those that do not."""
    if _in_mapping(location, pattern):
        return lines if wanted else ()
    return tuple(line for line in lines if _in_line(line, pattern) is wanted)


def _in_line(line: Line, pattern: Pattern) -> bool:
    return pattern.found_in(line.function.name) or pattern.found_in(line.function.file)


def _is_chosen(stack: tuple[int, ...], chosen: dict[int, bool]) -> bool:
    """At least one frame is in focus and none is ignored."""
    verdicts = {chosen.get(key) for key in stack}
    return True in verdicts and False not in verdicts


def _without_hidden(sample: Sample, locations: dict[int, Location]) -> Sample:
    stack = tuple([key for key in sample.stack if key in locations])
    return sample if len(stack) == len(sample.stack) else sample._replace(stack=stack)


_MOST_WORK = 400_000_000
"""Characters of names times characters of the expressions: 2 s."""


def pruned(document: Document) -> Document:
    """The document without the frames that it says need not be shown, and what they called.

    An expression that could take for ever is not obeyed: it comes with the file.
    """
    if not document.drop_frames:
        return document
    names = {line.function.name for location in document.locations.values() for line in location.lines}
    expressions = [text for text in (document.drop_frames, document.keep_frames) if text]
    work = sum(map(len, names)) * sum(map(len, expressions))
    if work > _MOST_WORK or not all(map(is_harmless, expressions)):
        return document
    try:
        drop, *keep = (compiled(f"^({text})$") for text in expressions)
        dropped = {
            name
            for name in names
            if name and drop.found_in(short := _simple(name)) and not (keep and keep[0].found_in(short))
        }
    except UsageError:
        return document
    return _cut(document, dropped) if dropped else document


def _simple(name: str) -> str:
    """A name up to its parameters."""
    for found in re.finditer(r"\(anonymous namespace\)|operator\(\)|\(", name := name.removeprefix(".")):
        if found[0] == "(":
            return name[: found.start()]
    return name


def _cut(document: Document, dropped: set[str]) -> Document:
    """Cut each stack off at the outermost frame to be dropped that lies below one to be kept."""
    whole: set[int] = set()
    partly: set[int] = set()
    locations: dict[int, Location] = {}
    for key, location in document.locations.items():
        names = [line.function.name in dropped for line in location.lines]
        outermost = len(names) - 1 - names[::-1].index(True) if True in names else -1
        if outermost >= 0 and outermost == len(names) - 1:
            whole.add(key)
        elif outermost >= 0:
            partly.add(key)
            location = location._replace(lines=location.lines[outermost + 1 :])  # noqa: PLW2901
        locations[key] = location
    samples = tuple(sample._replace(stack=_kept(sample.stack, whole, partly)) for sample in document.samples)
    return replace(document, samples=samples, locations=locations)


def _kept(stack: tuple[int, ...], whole: set[int], partly: set[int]) -> tuple[int, ...]:
    is_below_user = False
    for at in range(len(stack) - 1, -1, -1):
        key = stack[at]
        if key not in whole and key not in partly:
            is_below_user = True
        elif is_below_user:
            return stack[at + 1 :] if key in whole else stack[at:]
    return stack
