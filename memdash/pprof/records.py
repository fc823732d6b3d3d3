"""The bytes of a profile file, unpacked and cut into pieces, within bounds.

Two bytes of a hostile file can become fifty in memory once they are parsed, so the records are counted before and the
pieces are small. Walking over 70 000 records takes 15 ms.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import pairwise

from memdash.errors import BadProfile

__all__ = ["MOST_BYTES", "chunks", "unpacked"]

MOST_BYTES = 64 << 20
"""No profile is larger, packed or unpacked; one of a hundred thousand stacks has 10 MiB."""
_MOST_RECORDS = 1 << 20
_LARGEST_RECORD_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_PACKED_BYTES = 1 << 16

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_TIME_NANOS = 9
_WIRE_TYPES = dict.fromkeys((1, 2, 3, 4, 5, 6, 11), _DELIMITED) | dict.fromkeys((7, 8, 9, 10, 12, 14, 15), _VARINT)


def unpacked(content: bytes) -> bytes:
    """Undo gzip, where there is any, without ever holding more than is allowed. Raises BadProfile."""
    if len(content) > MOST_BYTES:
        raise _too_much()
    if not content.startswith(b"\x1f\x8b"):
        return content
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in _inflated(content):
            size += len(piece)
            if size > MOST_BYTES:
                raise _too_much()
            pieces.append(piece)
    except zlib.error as error:
        raise BadProfile(f"the profile cannot be unpacked: {str(error).rpartition(': ')[2]}") from None
    return b"".join(pieces)


def _inflated(content: bytes) -> Iterator[bytes]:
    """The unpacked bytes, a mebibyte at a time at most; gzip files may be joined."""
    stream = None
    for begin in range(0, len(content), _PACKED_BYTES):
        packed = content[begin : begin + _PACKED_BYTES]
        while packed:
            stream = stream or zlib.decompressobj(16 + zlib.MAX_WBITS)
            yield stream.decompress(packed, _CHUNK_BYTES)
            packed = stream.unconsumed_tail
            if stream.eof:
                packed, stream = stream.unused_data, None
    if stream is not None:
        yield stream.flush()
        if not stream.eof:
            raise BadProfile("the profile is cut off: its packed data ends early")


def _too_much() -> BadProfile:
    return BadProfile(f"this is more than {MOST_BYTES >> 20} MiB unpacked, which no profile is")


def chunks(data: bytes) -> Iterator[bytes]:
    """Cut between records into pieces of about a mebibyte; nothing is given out before all of it has been looked over.

    Raises BadProfile for what is no sequence of a profile's records, and for too many or too large ones.
    """
    cuts = _cuts(data)
    return (data[begin:end] for begin, end in pairwise(cuts))


def _cuts(data: bytes) -> list[int]:
    """Where to cut, from 0 to the end."""
    cuts = [0]
    at = records = 0
    end = len(data)
    is_timed = False
    while at < end:
        key, at = _varint(data, at)
        field, wire_type = key >> 3, key & 7
        if _WIRE_TYPES.get(field, wire_type) != wire_type:
            raise BadProfile(f"this is not a profile: field {field} is of another type")
        if wire_type == _DELIMITED:
            size, at = _varint(data, at)
            if size > _LARGEST_RECORD_BYTES:
                raise BadProfile("this is not a profile: one record of it is larger than any")
            at += size
        elif wire_type == _VARINT:
            value, at = _varint(data, at)
            if field == _TIME_NANOS and value:
                if is_timed:
                    raise BadProfile("these are several profiles, one after the other", "give them one by one")
                is_timed = True
        elif wire_type in (_FIXED64, _FIXED32):
            at += 8 if wire_type == _FIXED64 else 4
        else:
            raise BadProfile(f"this is not a profile: it holds data of type {wire_type}")
        if at > end:
            raise BadProfile("the profile is cut off in the middle of a record")
        records += 1
        if records > _MOST_RECORDS:
            raise BadProfile(f"this is more than {_MOST_RECORDS} records, which no profile has")
        if at - cuts[-1] >= _CHUNK_BYTES or at == end:
            cuts.append(at)
    return cuts


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at``, and where the next one is."""
    try:
        byte = data[at]
        if byte < 0x80:
            return byte, at + 1
        value = 0
        for shift in range(0, 70, 7):
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
    except IndexError:
        raise BadProfile("the profile is cut off in the middle of a number") from None
    raise BadProfile("this is not a profile: it holds a number of more than 64 bits")
