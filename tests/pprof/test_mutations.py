"""Real profiles with bytes changed, cut, doubled and moved: a document or one error, and then every view of it."""

import gzip
import random
from collections.abc import Iterator

import pytest

from memdash.errors import BadProfile, UsageError
from memdash.pprof.decode import decode
from memdash.pprof.document import Document
from memdash.pprof.encode import encode
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
from tests.pprof.documents import CORPUS
from tests.pprof.synthetic import heap_profile

_EACH = 3_500
_SEEN_EVERY = 12
"""All that can be read is decoded, and every twelfth is looked into."""
_SOURCES = [gzip.decompress(path.read_bytes()) for path in CORPUS] + [gzip.decompress(encode(heap_profile(4)))]


@pytest.mark.parametrize("number", range(len(_SOURCES)))
def test_a_mutated_profile_is_read_or_refused(number: int) -> None:
    original = decode(_SOURCES[number])
    outcomes = {True: 0, False: 0}
    for content in mutated(_SOURCES[number], random.Random(number)):
        try:
            document = decode(content)
        except BadProfile:
            outcomes[False] += 1
            continue
        outcomes[True] += 1
        if outcomes[True] % _SEEN_EVERY == 0:
            look_into(document, original)
    assert sum(outcomes.values()) == _EACH
    assert min(outcomes.values()) > _EACH / 50


def test_the_corpus_is_large_enough() -> None:
    assert _EACH * len(_SOURCES) >= 20_000


def mutated(content: bytes, dice: random.Random) -> Iterator[bytes]:
    for _ in range(_EACH):
        changed = bytearray(content)
        for _ in range(dice.choice((1, 1, 1, 2, 4))):
            at = dice.randrange(len(changed))
            match dice.randrange(7):
                case 0:
                    changed[at] = dice.randrange(256)
                case 1:
                    changed[at] ^= 1 << dice.randrange(8)
                case 2:
                    changed[at] = dice.choice((0, 0x7F, 0x80, 0xFF))
                case 3:
                    del changed[at : None if dice.random() < 0.2 else at + dice.randrange(1, 9)]
                    changed = changed or bytearray(1)
                case 4:
                    changed[at:at] = changed[at : at + dice.randrange(1, 40)]
                case 5:
                    changed[at:at] = dice.choice((b"\xff" * 9 + b"\x01", b"\x80" * 9 + b"\x01", b"\0"))
                case 6:
                    other = dice.randrange(len(changed))
                    changed[at : at + 8], changed[other : other + 8] = changed[other : other + 8], changed[at : at + 8]
        yield bytes(changed)


def look_into(document: Document, original: Document) -> None:
    try:
        granularity = list(Granularity)[len(document.samples) % 5]
        view = View(document, Options(granularity=granularity))
        found = tree(view)
        writer = Writer(view)
        lines = [*writer.top(top(view)), *writer.tree(found, found), *writer.flame(flame(view))]
        hidden = View(document, Options(filters=Filters(focus=compiled("main"), hide=compiled("runtime"))))
        lines += Writer(hidden).top(top(hidden))
        listed = listing_view(document, Options())
        lines += Writer(listed).listing(listing(listed, compiled("."), SourceFinder(["/nowhere"]).lines))
        lines += Writer(view).tree(*peek(view, compiled(".")))
        changed = View(minus(document, original, relative_to_base=True), Options())
        lines += Writer(changed).top(top(changed))
    except (UsageError, BadProfile):
        return
    assert all("\n" not in line and "\x1b" not in line for line in lines)
