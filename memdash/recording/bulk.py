"""What msgpack becomes in memory, told before it is decoded.

One byte of it can become a list of 64, and three a dict of 232: a piece of some megabytes would take all the memory
there is before anybody sees that it is not what it should be. What is in what does not matter for that, so it is gone
through from one length to the next, runs of numbers at once: 25 ms for a megabyte of a profile.
"""

from __future__ import annotations

import re

__all__ = ["TooMuchError", "bulk"]

_MOST_BYTES = 256 << 20
"""In memory. A profile of 50 000 stacks as deep as Go tells them takes 130 MiB until it has been read."""
_MOST_PARTS = 1 << 20
"""Lists, dicts and runs of what has no parts: each stack of a profile has seven. They take time, too."""

_HARMLESS, _USUAL = 1 << 18, 8
"""So much of it is nothing that matters, whatever it is: at worst 110 bytes come of one, of most as many as this."""

_RUNS = (
    (
        rb"(?>[\x00-\x7f\xc0\xc2\xc3]++|(?>[\xcd\xd1]..)++|\xcc.|[\xca\xce\xd2].{4}|[\xcb\xcf\xd3].{8}){1,4096}+",
        [*range(0x80), 0xC0, 0xC2, 0xC3, *range(0xCA, 0xD0), *range(0xD1, 0xD4)],
        14,
    ),
    (rb"(?>[\xe0-\xff]++|\xd0.){1,4096}+", [*range(0xE0, 0x100), 0xD0], 40),
    (rb"(?>\xa0|\xa1.|\xa2..|\xa3.{3}|\xa4.{4}){1,4096}+", range(0xA0, 0xA5), 30),
    (rb"[\x90-\x9f]++", range(0x90, 0xA0), 72),
    (rb"[\x80-\x8f]++", range(0x80, 0x90), 300),
)
"""Numbers, those below zero, short words, lists, dicts: a run of them, what it begins with, what comes of each byte."""
_RUN_OF = {head: (re.compile(run, re.DOTALL), cost) for run, heads, cost in _RUNS for head in heads}
_ARE_PARTS = 72
"""Of what costs so much one byte is a part."""

_WIDTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
"""How many bytes tell how long that is which begins with it: bytes, text, a list, a dict."""
_BYTES, _LIST, _DICT = 0xC6, 0xDC, 0xDE
_OF_PART, _OF_ENTRY, _WIDEST = 80, 100, 4
"""What one takes beside what is in it; an entry of a dict; a character of a text in which one is an odd one."""


class TooMuchError(ValueError):
    """More would come of it than of anything that memdash writes."""


def bulk(packed: bytes) -> int:
    """Bytes that it takes at worst. Raises TooMuchError; ValueError for some of what is no msgpack."""
    at, end, taken, parts = 0, len(packed), 0, 0
    if end <= _HARMLESS:
        return _USUAL * end
    while at < end:
        head, parts = packed[at], parts + 1
        if found := _RUN_OF.get(head):
            run, cost = found
            after = run.match(packed, at)
            number = (end if after is None else after.end()) - at  # cut off
            taken += cost * number
            at += number
            if cost >= _ARE_PARTS:
                parts += number
        else:
            at, cost = _step(packed, at, head)
            taken += cost
        if taken > _MOST_BYTES or parts > _MOST_PARTS:
            raise TooMuchError("more would come of it than of anything that memdash writes")
    return taken


def _step(packed: bytes, at: int, head: int) -> tuple[int, int]:
    """Where it goes on after what begins there, or within that, and what it takes."""
    if 0xA0 <= head < 0xC0:
        begin, length = at + 1, head & 0x1F
    elif head in _WIDTHS:
        begin = at + 1 + _WIDTHS[head]
        length = int.from_bytes(packed[at + 1 : begin], "big")
    else:
        raise ValueError(f"nothing that memdash writes begins with {head:#x}")
    if head >= _LIST:
        return begin, _OF_PART + (_OF_ENTRY * length if head >= _DICT else 0)
    is_plain = 0xC0 < head <= _BYTES or packed[begin : begin + length].isascii()
    return begin + length, _OF_PART + (1 if is_plain else _WIDEST) * length
