"""What evidence consists of: one file a piece."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from memdash.errors import HookError, ProbeError
from memdash.exports.alert import alert_document
from memdash.exports.json import Object, document
from memdash.exports.text import TEXT
from memdash.hooks.alert import Alert
from memdash.hooks.folders import private_file
from memdash.model.finding import Finding
from memdash.model.missing import known
from memdash.model.snapshot import Snapshot
from memdash.plain import excerpt
from memdash.recording.moment import Moment
from memdash.recording.pruning import Limits
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer

__all__ = ["SPAN_S", "save_pieces"]

SPAN_S = 300.0
"""So far back reaches the recording."""

_LARGEST_RUN = Limits(max_bytes=32 << 20)


def save_pieces(
    folder: Path, alert: Alert, shown: Snapshot, recording: Recording | None, checkpoint: Callable[[], object]
) -> None:
    """Fill ``folder``; what cannot be had of the target is left out, and ``finding.json`` says why.

    ``checkpoint`` is called between two pieces, and may raise. Raises OSError and RecordingError.
    """
    missing: dict[str, str] = {}
    for name, make in _pieces(shown):
        checkpoint()
        try:
            private_file(folder / name, make())
        except (ProbeError, HookError) as error:
            missing[name] = error.what
    checkpoint()
    if recording is None:
        missing["run.mdr"] = "nothing was recorded"
    else:
        _save_run(folder / "run.mdr", alert, shown, recording)
    told = alert_document(alert.target, alert.at, alert.transition, alert.words) | {"missing": missing}
    private_file(folder / "finding.json", _json(told))


def _pieces(shown: Snapshot) -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "heap.pb.gz", lambda: _profile(shown)
    whole = document(shown)
    yield "tasks.json", lambda: _json(_told(whole, "tasks"))
    yield "residence.json", lambda: _json({"residence": _told(whole, "residence"), "system": whole["system"]})
    yield "report.txt", lambda: TEXT.bytes_of(shown)


def _profile(shown: Snapshot) -> bytes:
    """The allocation sites, or else the objects by type. Raises ProbeError where there is neither."""
    from memdash.pprof.encode import encode  # protobuf takes 30 ms
    from memdash.session.profiles import profile_of

    return encode(profile_of(shown).document)


def _told(whole: Object, key: str) -> object:
    """A part of the JSON document. Raises HookError where it is missing."""
    if key in whole["missing"]:
        raise HookError(whole["missing"][key])
    return whole[key]


def _json(content: object) -> bytes:
    return json.dumps(content, indent=1, allow_nan=False).encode("ascii") + b"\n"


def _save_run(path: Path, alert: Alert, shown: Snapshot, recording: Recording) -> None:
    """The last minutes up to the alert, with that marked. The moment itself comes with all its facts.

    What ended before them stands in the log from their beginning on.
    """
    last = Moment.of(shown)
    before = recording.moments(shown.at.mono_s - SPAN_S, shown.at.mono_s)
    moments = chain((moment for moment in before if moment.at.mono_s < last.at.mono_s), [last])
    first = next(moments)
    writer = Writer(path, _LARGEST_RUN)
    try:
        run = writer.begin(shown.target, first.at, shown.interval_s)
        sayings = [saying for saying in recording.sayings() if saying[0] <= shown.at.mono_s]
        writer.say(run, chain(_over_before(first.at.mono_s, shown.findings, sayings), sayings))
        for moment in chain([first], moments):
            writer.write(run, [moment])
        writer.write(run, [], reversed(shown.findings), keep=True)
        writer.mark(run, shown.at, excerpt(alert.words))
        writer.end(run, shown.ending)
    finally:
        writer.close()


def _over_before(
    begin_s: float, findings: Sequence[Finding], sayings: Sequence[tuple[float, Finding]]
) -> Iterator[tuple[float, Finding]]:
    """Entries of a log, newest first, that were over when a recording begins (monotonic), said of its beginning."""
    said = {(finding.rule, finding.at_s) for _, finding in sayings}
    for finding in reversed(findings):
        is_earlier = known(finding.mono_s, begin_s) < begin_s
        if is_earlier and finding.ended_at_s is not None and (finding.rule, finding.at_s) not in said:
            yield begin_s, finding
