"""Everything that is told of the watches, in the format that a scraper asks for.

What is told of them is what they saw last: nobody's question reaches a target.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, Metric, UnknownMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from memdash.exports.prometheus.family import Family, Row, Type, label
from memdash.exports.prometheus.golang import GO
from memdash.exports.prometheus.own import OWN, UP
from memdash.exports.prometheus.process import PROCESS
from memdash.exports.prometheus.python import PYTHON
from memdash.model.snapshot import Snapshot, State

__all__ = ["FAMILIES", "OPEN", "Exposition", "Shown", "told_openly"]

FAMILIES: tuple[Family, ...] = (UP, *GO, *PYTHON, *PROCESS, *OWN)

OPEN = "application/openmetrics-text"
"""The content type of OpenMetrics, without its version."""

_VERSION = re.compile(r";\s*version\s*=\s*([^;,]*)")
_VERSIONS = {"0.0.1", "0.0.4", "1.0.0"}


class Shown(NamedTuple):
    """A watch: its newest snapshot, or none and the name of what is waited for."""

    name: str
    snapshot: Snapshot | None


class Exposition:
    """Writes what ``shown`` gives at the moment; what nothing has come to since it was written last is kept."""

    def __init__(self, shown: Callable[[], Sequence[Shown]]) -> None:
        self._shown = shown
        self._kept: tuple[Sequence[Shown], dict[str, bytes]] = ((), {})

    def write(self, accept: str) -> tuple[bytes, str]:
        """The bytes and their content type, for a request's Accept header."""
        encode, content_type = choose_encoder(_known(accept))
        shown = self._shown()
        before, written = self._kept
        if list(map(_identity, before)) != list(map(_identity, shown)):
            written = {}
            self._kept = (shown, written)
        if content_type not in written:
            registry = CollectorRegistry()
            registry.register(_Collector(shown, is_open=content_type.startswith(OPEN)))
            written[content_type] = encode(registry)
        return written[content_type], content_type


def _known(accept: str) -> str:
    """An Accept header with no version in it but such as there are.

    prometheus-client fails where one is no number, and names whatever else was asked for as the content type: who asked
    for always another one would have all of them kept.
    """
    return _VERSION.sub(lambda found: found[0] if found[1].strip() in _VERSIONS else "", accept)


def told_openly(shown: Sequence[Shown]) -> Iterator[Metric]:
    """All metrics of these watches, named and typed as OpenMetrics wants them."""
    return _Collector(shown, is_open=True).collect()


class _Collector(Collector):
    def __init__(self, shown: Sequence[Shown], *, is_open: bool) -> None:
        self._shown = {tuple(_labels(each).items()): each for each in shown}.values()
        self._is_open = is_open

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One metric a family, with what is known of all targets."""
        for family in FAMILIES:
            metric = _metric(family, is_open=self._is_open)
            for labels, row in self._rows(family):
                metric.add_sample(family.name + row.suffix, {**labels, **row.labels}, row.value)
            if metric.samples:
                yield metric

    def _rows(self, family: Family) -> Iterator[tuple[Mapping[str, str], Row]]:
        for each in self._shown:
            labels = {} if family.of_memdash else _labels(each)
            if family is UP and each.snapshot is None:
                yield labels, Row(0)
            elif each.snapshot is not None and (family is UP or family.of_memdash or each.snapshot.state is State.LIVE):
                yield from ((labels, row) for row in family.rows(each.snapshot))
                if family.of_memdash:
                    return


def _identity(shown: Shown) -> tuple[str, int]:
    """As long as both are held: comparing snapshots themselves would compare all that is in them."""
    return shown.name, id(shown.snapshot)


def _labels(shown: Shown) -> dict[str, str]:
    """Those that tell one target from the others."""
    target = None if shown.snapshot is None else shown.snapshot.target
    pid = str(target.pid) if target is not None and target.is_local else ""
    return {"pid": pid, "name": label(shown.name if target is None else target.name)}


def _metric(family: Family, *, is_open: bool) -> Metric:
    """An empty one.

    Go has a gauge of the same name as one of its counters, which OpenMetrics does not allow: there that counter goes
    without its type.
    """
    if family.type is not Type.COUNTER:
        return Metric(family.name, family.help, family.type.value)
    name = family.name.removesuffix("_total")
    if is_open and name in _GAUGES:
        return UnknownMetricFamily(family.name, family.help)
    return CounterMetricFamily(name, family.help)


_GAUGES = frozenset(family.name for family in FAMILIES if family.type is Type.GAUGE)
