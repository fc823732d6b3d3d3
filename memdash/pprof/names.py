"""Names of functions as pprof shows them.

pprof takes a name that equals the linker's for one that nobody has made readable yet. Names that C++ and Rust mangle
(``_Z…``) it undoes with a library of its own; memdash shows them as they are. What looks like readable C++, and
generic Go, loses its parameters. Source: github.com/google/pprof, internal/symbolizer (demangleSingleFunction).
"""

from __future__ import annotations

from dataclasses import replace

from memdash.pprof.document import Document, Location

__all__ = ["readable", "simplified"]


def simplified(document: Document) -> Document:
    """The document with the names that pprof would show; itself when they are the same."""
    functions = {line.function for location in document.locations.values() for line in location.lines}
    raw = [function for function in functions if function.name in ("", function.system_name)]
    shown_as = {name: readable(name) for name in {function.system_name for function in raw}}
    changed = {
        function: function._replace(name=shown)
        for function in raw
        if (shown := shown_as[function.system_name]) != function.name
    }
    if not changed:
        return document

    def renamed(location: Location) -> Location:
        lines = tuple(line._replace(function=changed.get(line.function, line.function)) for line in location.lines)
        return location._replace(lines=lines)

    return replace(document, locations={key: renamed(location) for key, location in document.locations.items()})


def readable(name: str) -> str:
    """A name as the linker knows it in the form that pprof shows."""
    return _without(_without(name, "(", ")"), "<", ">") if _looks_like_cpp(name) else name


def _looks_like_cpp(name: str) -> bool:
    if ".<" in name or "])." in name:  # a constructor of Java's, a method of a generic type of Go's
        return False
    return "::" in name or not _BRACKETS.isdisjoint(name)


_BRACKETS = frozenset("<>[]")


def _without(name: str, begin: str, end: str) -> str:
    """Cut out what stands between brackets; a name with brackets that do not match is left as it is."""
    kept: list[str] = []
    cut: list[str] = []
    depth = 0
    for at, character in enumerate(name):
        if character == end and not depth:
            return "".join(kept) + name[at:]
        depth += character == begin
        (cut if depth else kept).append(character)
        depth -= character == end
        if not depth:
            cut = []
    return "".join(kept + cut)
