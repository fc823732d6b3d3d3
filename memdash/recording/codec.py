"""Moments, facts and the rest as bytes, and back.

msgpack within zstd, with a checksum in each piece: what has been damaged is noticed where it is read. A fact is written
as what differs from an earlier one, its base, which the compressor is given as its dictionary: of a profile only its
numbers remain.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import zstandard

from memdash.errors import Corrupt, NewerFormat, RecordingError
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.sample import CAPABILITY_OF, Fact, Origin
from memdash.recording.bulk import TooMuchError, bulk
from memdash.recording.columns import column, packed, uncolumn, unpacked
from memdash.recording.moment import APART, Moment
from memdash.recording.shapes import UNREADABLE, Plain, Pool, UnknownMemberError, dumped, loaded
from memdash.units import byte_size

__all__ = [
    "Base",
    "Dated",
    "Minute",
    "TooLargeError",
    "all_decoded",
    "as_base",
    "compressed",
    "content",
    "decoded",
    "decoded_fact",
    "decoded_moment",
    "decoded_plain",
    "decompressed",
    "encoded",
    "encoded_fact",
    "encoded_moment",
    "is_apart",
    "packed_moments",
]

_QUICK, _SMALL = 1, 9
"""Levels of compression: for what is written anew within a minute, and for what stays."""

_LARGEST_BYTES, _LARGEST_FACT_BYTES = 16 << 20, 64 << 20
"""No piece is larger when decompressed, read or written: a minute of a busy server takes a thirtieth of the first, a
profile of 50 000 stacks two fifths of the second.
"""

_BESIDE = 256
"""What one takes at least."""

_WIDEST = 1 << 63
_PIECES = tuple[msgspec.Raw, msgspec.Raw, msgspec.Raw]
"""Of a fact: its frames, where it comes from, itself. Each stays where it is until it is wanted."""
_ELSEWHERE = Missing("written apart")
_KINDS = {capability: kind for kind, capability in CAPABILITY_OF.items()}
_DAMAGED = (*UNREADABLE, msgspec.MsgspecError, zstandard.ZstdError, MemoryError)


class TooLargeError(RecordingError):
    """More than a piece of a recording may be: it is not written, since it would not be read."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A fact, and where and when it was read; of one from a recording, the bytes of memory that it took to decode."""

    fact: Fact
    origin: Origin
    bulk: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Base:
    """An earlier fact of the same kind: its bytes, decompressed, and its frames."""

    content: bytes
    frames: Sequence[Frame]


def compressed(tree: Plain, level: int = _SMALL, base: bytes = b"", most: int = _LARGEST_BYTES) -> bytes:
    """A plain tree as bytes; with ``base``, which reading it will take again, only what is not in that.

    Raises TooLargeError.
    """
    told = content(tree)
    if len(told) > most:
        size = byte_size(len(told))
        raise TooLargeError(f"one of its readings takes {size}, and a recording at most {byte_size(most)} for one")
    try:
        bulk(told)
    except TooMuchError:
        raise TooLargeError("one of its readings has more parts than a recording may hold in one") from None
    compressor = zstandard.ZstdCompressor(level, dict_data=_known(base), write_checksum=True, write_dict_id=False)
    return compressor.compress(told)


def content(tree: Plain) -> bytes:
    """Its msgpack; text that is no Unicode keeps its odd pieces as escapes, a number beyond 64 bits its magnitude."""
    try:
        return msgspec.msgpack.encode(tree)
    except (UnicodeEncodeError, OverflowError):  # a target's words may hold lone surrogates, and its numbers anything
        return msgspec.msgpack.encode(_escaped(tree))


def _known(base: bytes) -> zstandard.ZstdCompressionDict | None:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if base else None


def _escaped(tree: Plain) -> Plain:
    match tree:
        case str():
            return tree.encode(errors="backslashreplace").decode()
        case dict():
            return {_escaped(key): _escaped(value) for key, value in tree.items()}
        case list():
            return [_escaped(part) for part in tree]
        case int() if not -_WIDEST <= tree < _WIDEST:
            return float(tree)
    return tree


def decompressed(data: bytes, base: bytes = b"", most: int = _LARGEST_FACT_BYTES) -> bytes:
    """The msgpack in it. Raises Corrupt."""
    with _damage_told():
        size = zstandard.frame_content_size(data)
        if not 0 <= size <= most:
            said = "does not say what it takes" if size < 0 else f"takes {byte_size(size)}"
            raise Corrupt(f"a piece of this recording {said}: memdash writes none over {byte_size(most)}")
        return zstandard.ZstdDecompressor(dict_data=_known(base)).decompress(data)


@contextmanager
def _damage_told() -> Iterator[None]:
    """Raises Corrupt for whatever comes out where a piece is not what it should be; NewerFormat where it may be."""
    try:
        yield
    except UnknownMemberError as error:
        raise NewerFormat(f"this recording was made by a later memdash: it has {error}") from None
    except _DAMAGED as error:
        raise Corrupt(f"a piece of this recording is damaged: {error}") from None


def decoded_plain(data: bytes, base: bytes = b"") -> Plain:
    """The tree that was compressed, which is of no fact. Raises Corrupt."""
    with _damage_told():
        return _tree(decompressed(data, base, _LARGEST_BYTES))


def _tree(packed: bytes) -> Plain:
    """Raises what ``_damage_told`` takes for damage."""
    bulk(packed)
    return msgspec.msgpack.decode(packed)


def encoded(kind: type[Any], value: object) -> bytes:
    """One value on its own, without a frame of any stack in it."""
    return compressed(dumped(kind, value, Pool()), _QUICK)


def decoded(kind: type[Any], data: bytes, most: int = _LARGEST_BYTES) -> Any:
    """The ``kind`` in it, which takes at ``most`` so many bytes decompressed. Raises Corrupt, NewerFormat."""
    with _damage_told():
        return loaded(kind, _tree(decompressed(data, most=most)), ())


def all_decoded(kind: type[Any], found: Iterable[bytes]) -> Iterator[Any]:
    """The ``kind`` in each, for whoever keeps them all. Raises Corrupt, NewerFormat."""
    left = _LARGEST_FACT_BYTES
    for data in found:
        with _damage_told():
            content = decompressed(data, most=max(min(left, _LARGEST_BYTES), 0))
            left -= len(content) + _BESIDE
            one = loaded(kind, _tree(content), ())
        yield one


def encoded_moment(moment: Moment) -> bytes:
    """A moment without its facts of ``APART``."""
    sample = moment.sample
    apart: dict[str, Any] = {
        capability.value: _ELSEWHERE
        for capability in APART
        if not isinstance(getattr(sample, capability.value), Missing)
    }
    tree = dumped(Moment, replace(moment, sample=replace(sample, **apart)), Pool())
    _fold(tree["sample"])
    return compressed(tree, _QUICK)


def _fold(sample: Plain) -> None:
    """Go's pauses stand in MemStats already: what the collector's account would be is told from these again."""
    told = _pauses(sample)
    if told is not None and sample["gc"].get("pauses") == told:
        sample["gc"]["pauses"] = None


def _unfolded(tree: Plain) -> Moment:
    """The moment that a tree stands for. Raises one of UNREADABLE."""
    sample = tree["sample"]
    if "pauses" in sample["gc"] and sample["gc"]["pauses"] is None:
        sample["gc"]["pauses"] = _pauses(sample)
    moment: Moment = loaded(Moment, tree, ())
    return moment


def _pauses(sample: Plain) -> Plain | None:
    """The pauses of MemStats as the collector's account has them; None where there are none."""
    lengths, ends = (sample["memstats"].get(name) for name in ("PauseNs", "PauseEnd"))
    if type(lengths) is not bytes or type(ends) is not bytes:
        return None
    seconds = array("d", [end / 1e9 for end in array("q", ends)])
    return {"ended_at_s": seconds.tobytes(), "duration_ns": lengths}


def is_apart(moment: Moment, capability: Capability) -> bool:
    """Whether the moment had such a fact, to be looked for elsewhere."""
    return bool(getattr(moment.sample, capability.value) == _ELSEWHERE)


def decoded_moment(data: bytes) -> Moment:
    """A moment without its facts of ``APART``. Raises Corrupt, NewerFormat."""
    with _damage_told():
        return _unfolded(decoded_plain(data))


def packed_moments(walls: Sequence[int], monos: Sequence[int], rows: Sequence[bytes]) -> Plain:
    """Moments that have been encoded, together, and when they were on both clocks (microseconds)."""
    return [column(list(walls)), column(list(monos)), packed(decoded_plain(row) for row in rows)]


class Minute:
    """Moments that were put together, oldest first; each is made only when it is asked for. Raises as for one."""

    def __init__(self, data: bytes, base: bytes) -> None:
        with _damage_told():
            content = decompressed(data, base, _LARGEST_BYTES)
            self.size = len(content)
            walls, monos, block = _tree(content)
            self._packed = list(unpacked(block))
            self.walls: Sequence[int] = uncolumn(walls, len(self._packed))
            self.monos: Sequence[int] = uncolumn(monos, len(self._packed))
            if not self._packed or {type(at) for at in (*self.walls, *self.monos)} != {int}:
                raise Corrupt("a minute of this recording has no times")

    def __getitem__(self, place: int) -> Moment:
        """One of them, without its facts of ``APART``."""
        with _damage_told():
            return _unfolded(self._packed[place].tree())


def encoded_fact(dated: Dated, base: Base | None) -> bytes:
    """A fact on its own, or as what differs from ``base``."""
    before = () if base is None else base.frames
    pool = Pool(before)
    fact = dumped(type(dated.fact), dated.fact, pool)
    origin = dumped(Origin, dated.origin, pool)
    frames = [list(column) for column in zip(*pool.frames[len(before) :], strict=True)]
    content = b"" if base is None else base.content
    return compressed([frames, origin, fact], base=content, most=_LARGEST_FACT_BYTES)


def as_base(data: bytes) -> Base:
    """A fact that was written on its own, as a base for others. Raises Corrupt."""
    known = decompressed(data)
    with _damage_told():
        columns, _, _ = msgspec.msgpack.decode(known, type=_PIECES)
        return Base(known, _frames(_tree(bytes(columns))))


def _frames(columns: Plain) -> list[Frame]:
    """Raises TypeError where they are no frames: of 50 000 that takes 5 ms to see."""
    if not columns:
        return []
    for told, kind in zip(columns, (str, str, int), strict=True):
        if not set(map(type, told)) <= {kind}:
            raise TypeError("no frames")
    return [Frame(*row) for row in zip(*columns, strict=True)]


def decoded_fact(capability: Capability, data: bytes, base: Base | None) -> Dated:
    """The fact in it. Raises Corrupt, NewerFormat."""
    with _damage_told():
        packed = decompressed(data, b"" if base is None else base.content)
        taken = bulk(packed)
        columns, origin, fact = msgspec.msgpack.decode(packed)
        frames = [*(() if base is None else base.frames), *_frames(columns)]
        return Dated(loaded(_KINDS[capability], fact, frames), loaded(Origin, origin, frames), taken)
