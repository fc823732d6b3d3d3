"""A profile as Pyroscope's server takes it: by POST to ``/ingest``, the file itself as the body.

Source: grafana.com/docs/pyroscope/latest/reference-server-api; pkg/ingester/pyroscope/ingest_handler.go, which reads a
form only where no format is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

from memdash.pprof.document import Document
from memdash.pprof.encode import encode

__all__ = ["CONTENT_TYPE", "PATH", "Upload", "series_name", "upload_of"]

PATH = "ingest"
CONTENT_TYPE = "binary/octet-stream"
_SPY = "memdash"
_LONGEST = 100
_HELD = ("inuse_objects", "inuse_space")


class Upload(NamedTuple):
    """One profile: what to ask for and what to send."""

    query: str
    body: bytes


def upload_of(document: Document, name: str, from_s: float, until_s: float) -> Upload:
    """The objects and bytes that are held; times are Unix time. What was ever allocated is left out.

    Pyroscope adds up what it is sent for a span of time: totals since the start of a program would count each time.
    It takes whole seconds, and the span is one of them at least.
    """
    times = {"from": str(int(from_s)), "until": str(max(int(until_s), int(from_s) + 1))}
    query = {"name": name, "format": "pprof", "spyName": _SPY} | times
    return Upload(urlencode(query), encode(_held(document)))


def series_name(name: str, labels: Mapping[str, str]) -> str:
    """``shop-server{host=web1,pid=41287}``; characters that mean something there become ``_``."""
    pairs = ",".join(f"{_clean(key)}={_clean(value)}" for key, value in sorted(labels.items()))
    return f"{_clean(name)}{{{pairs}}}"


def _clean(text: str) -> str:
    return re.sub(r"[^\w.:/-]+", "_", text, flags=re.ASCII)[:_LONGEST] or "_"


def _held(document: Document) -> Document:
    kinds = [held.kind for held in document.sample_types]
    places = [kinds.index(kind) for kind in _HELD if kind in kinds]
    samples = (sample._replace(values=tuple(sample.values[place] for place in places)) for sample in document.samples)
    return replace(
        document,
        sample_types=tuple(document.sample_types[place] for place in places),
        samples=tuple(sample for sample in samples if any(sample.values)),
    )
