"""Real profiles with bytes changed, cut, doubled and moved: a document or one error, and then every view of it."""

import gzip
import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest

from memdash.errors import BadProfile
from memdash.pprof.decode import decode
from memdash.pprof.encode import encode
from tests.pprof.documents import CORPUS
from tests.pprof.every_view import look_into
from tests.pprof.synthetic import heap_profile

_FEW, _MANY = 400, 3_500
"""Of each source: in the default run, and with ``-m matrix``."""

_SEEN_EVERY = 12
"""All that can be read is decoded, and every twelfth is looked into."""
_SOURCES = [gzip.decompress(path.read_bytes()) for path in CORPUS] + [gzip.decompress(encode(heap_profile(4)))]


@pytest.mark.parametrize("count", [_FEW, pytest.param(_MANY, marks=pytest.mark.matrix)])
@pytest.mark.parametrize("number", range(len(_SOURCES)))
def test_a_mutated_profile_is_read_or_refused(number: int, count: int) -> None:
    original = decode(_SOURCES[number])
    outcomes = {True: 0, False: 0}
    for content in islice(mutated(_SOURCES[number], random.Random(number + count)), count):
        try:
            document = decode(content)
        except BadProfile:
            outcomes[False] += 1
            continue
        outcomes[True] += 1
        if outcomes[True] % _SEEN_EVERY == 0:
            look_into(document, original)
    assert sum(outcomes.values()) == count
    assert min(outcomes.values()) > count / 50


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_mutated_file_is_read_or_refused(path: Path) -> None:
    """Still packed: almost every change is found out by unpacking."""
    for content in islice(mutated(path.read_bytes(), random.Random(path.name)), 200):
        with suppress(BadProfile):
            decode(content)


def test_the_corpus_is_large_enough() -> None:
    assert _MANY * len(_SOURCES) >= 20_000


def mutated(content: bytes, dice: random.Random) -> Iterator[bytes]:
    while True:
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
