"""profile.proto as a program serves it: taken, and checked."""

from __future__ import annotations

import re

from memdash.errors import BadAnswer, BadProfile
from memdash.network.address import Address
from memdash.network.client import Answer, Client
from memdash.plain import excerpt
from memdash.pprof.decode import decode
from memdash.pprof.document import Document
from memdash.probes.endpoint.discover import PPROF

__all__ = ["LONGEST_GC_S", "decoded", "fetched", "fetched_from", "require_kind"]

_SECONDS = re.compile(r"(?:^|&)seconds=(\d{1,6})(?:&|$)")
_LONGEST_DELTA_S = 24 * 3600
LONGEST_GC_S = 60.0
"""How long a program may take to collect its garbage before it begins to answer."""
_LEAKS = "goroutineleak"
_HEAP = ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
_CONTENDED = ("contentions", "delay")
_MEASURED = {
    "heap": _HEAP,
    "allocs": _HEAP,
    "goroutine": ("goroutine",),
    _LEAKS: (_LEAKS,),
    "block": _CONTENDED,
    "mutex": _CONTENDED,
    "threadcreate": ("threadcreate",),
}
"""Source: runtime/pprof (printCountProfile, writeHeapProto, printCountCycleProfile)."""
_HINT = "give the URL of net/http/pprof, such as http://localhost:6060/debug/pprof/"


def fetched(client: Client, kind: str, seconds: int = 0) -> Document:
    """Take a profile of ``kind`` (heap, allocs, goroutine, goroutineleak …), or what changes of it in ``seconds``.

    Raises EndpointUnreachable, BadAnswer.
    """
    longer_s = seconds + (LONGEST_GC_S if kind == _LEAKS else 0.0)
    answer = client.get(kind, f"seconds={seconds}" if seconds else "", longer_s=longer_s)
    document = decoded(answer)
    require_kind(document, kind, answer.url)
    return document


def fetched_from(address: Address) -> Document:
    """Take what is at a URL; the heap where that is a server or the folder of net/http/pprof.

    Raises EndpointUnreachable, BadAnswer.
    """
    if address.path == "/":
        address = address.at(f"{PPROF}heap", address.query)
    elif address.path.endswith(("/pprof", "/pprof/")):
        address = address.at(f"{address.path.rstrip('/')}/heap", address.query)
    asked = _SECONDS.search(address.query)
    seconds = int(asked[1]) if asked else 0
    return decoded(Client(address).get(address.path, address.query, longer_s=min(seconds, _LONGEST_DELTA_S)))


def require_kind(document: Document, kind: str, url: str) -> None:
    """Make sure that a profile measures what one of that name does. Raises BadAnswer."""
    told = [sample_type.kind for sample_type in document.sample_types]
    if kind in _MEASURED and not set(told) >= set(_MEASURED[kind]):
        shown = excerpt(", ".join(told)) or "nothing"
        raise BadAnswer(f"{url} answers with a profile of something else: it measures {shown}", _HINT)


def decoded(answer: Answer) -> Document:
    """The profile that was answered with. Raises BadAnswer."""
    if answer.content_type == "text/html":
        raise BadAnswer(f"{answer.url} answers with a web page, not with a profile", _HINT)
    try:
        return decode(answer.body)
    except BadProfile as error:
        raise BadAnswer(f"{answer.url}: {error.what}", _HINT) from None
