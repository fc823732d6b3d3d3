"""All views of a document, looked at for what must not happen with any."""

from __future__ import annotations

from collections.abc import Iterable

from memdash.errors import BadProfile, UsageError
from memdash.pprof.document import Document
from memdash.pprof.filters import Filters
from memdash.pprof.flame import flame
from memdash.pprof.listing import listing, listing_view
from memdash.pprof.merge import minus
from memdash.pprof.pattern import compiled
from memdash.pprof.source import SourceFinder
from memdash.pprof.text import Writer
from memdash.pprof.top import top
from memdash.pprof.tree import peek, tree
from memdash.pprof.view import Granularity, Options, View

__all__ = ["look_into"]


def look_into(document: Document, original: Document) -> None:
    """See it alone and as the difference to another: each gives whole lines, or one of the two errors."""
    for show in (_whole, _hidden, _listed, _peeked, _changed):
        try:
            lines = list(show(document, original))
        except (UsageError, BadProfile):
            continue
        assert all("\n" not in line and "\x1b" not in line for line in lines)


def _view(document: Document) -> View:
    return View(document, Options(granularity=list(Granularity)[len(document.samples) % 5]))


def _whole(document: Document, _: Document) -> Iterable[str]:
    view = _view(document)
    found, writer = tree(view), Writer(view)
    return [*writer.top(top(view)), *writer.tree(found, found), *writer.flame(flame(view))]


def _hidden(document: Document, _: Document) -> Iterable[str]:
    hidden = View(document, Options(filters=Filters(focus=compiled("main"), hide=compiled("runtime"))))
    return Writer(hidden).top(top(hidden))


def _listed(document: Document, _: Document) -> Iterable[str]:
    listed = listing_view(document, Options())
    return Writer(listed).listing(listing(listed, compiled("."), SourceFinder(["/nowhere"]).lines))


def _peeked(document: Document, _: Document) -> Iterable[str]:
    view = _view(document)
    return Writer(view).tree(*peek(view, compiled(".")))


def _changed(document: Document, original: Document) -> Iterable[str]:
    changed = View(minus(document, original, relative_to_base=True), Options())
    before, now = View(original, Options()), View(document, Options())
    return [*Writer(changed).top(top(changed)), *Writer(now).flame(flame(now, before))]
