"""What a piece of a recording takes in memory is told before it is decoded, and a recording made to take all is not."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memdash.errors import Corrupt
from memdash.model.capability import Capability
from memdash.model.profile import Frame
from memdash.recording.bulk import TooMuchError, bulk
from memdash.recording.codec import TooLargeError, as_base, compressed, decoded_fact, decoded_plain
from memdash.units import MIB

_TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.integers(-300, 300)
    | st.floats()
    | st.text(max_size=40)
    | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=6) | st.integers(-300, 300), inner, max_size=20)
    ),
    max_leaves=20,
)


def many(piece: bytes, number: int) -> bytes:
    """A list of so many of one piece of msgpack."""
    return b"\xdd" + number.to_bytes(4, "big") + piece * number


def decoding(packed: bytes) -> int:
    """What it really takes."""
    tracemalloc.start()
    try:
        msgspec.msgpack.decode(packed)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small pieces are looked at too."""
    monkeypatch.setattr("memdash.recording.bulk._HARMLESS", 0)


@pytest.mark.usefixtures("_small")
@given(_TREES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_never_less_than_what_decoding_takes(tree: Any) -> None:
    packed = many(msgspec.msgpack.encode(tree), 40)
    assert bulk(packed) >= decoding(packed) - 400


@pytest.mark.parametrize(
    "piece",
    [b"\x90", b"\x81\0\0", b"\xa5abcde\x90", b"\xe0", b"\xc4\0"],
    ids=bytes.hex,
)
def test_what_would_take_all_memory_is_not_decoded(piece: bytes) -> None:
    with pytest.raises(TooMuchError):
        bulk(many(piece, 14 * MIB // len(piece)))


@pytest.mark.parametrize("read", [decoded_plain, lambda data: decoded_fact(Capability.SITES, data, None)])
def test_nothing_is_decoded_before(read: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = zstandard.ZstdCompressor(write_checksum=True).compress(many(b"\x90", 14 * MIB))
    monkeypatch.setattr("msgspec.msgpack.decode", pytest.fail)
    with pytest.raises(Corrupt, match="more would come of it than of anything that memdash writes"):
        read(hostile)


def test_nothing_but_the_frames_of_a_base_is_decoded() -> None:
    pieces, frames = many(b"\x90", 14 * MIB), msgspec.msgpack.encode([["main.main"], ["main.go"], [7]])
    compress = zstandard.ZstdCompressor(write_checksum=True).compress
    base = as_base(compress(b"\x93" + frames + b"\xc0" + pieces))
    assert base.frames == [Frame("main.main", "main.go", 7)]
    with pytest.raises(Corrupt, match="more would come of it than of anything that memdash writes"):
        as_base(compress(b"\x93" + pieces + b"\xc0\xc0"))
    with pytest.raises(Corrupt, match="damaged"):
        as_base(compress(pieces))


def test_nor_is_it_written() -> None:
    with pytest.raises(TooLargeError, match="more parts than a recording may hold in one"):
        compressed([[]] * (2 * MIB))


@pytest.mark.parametrize("packed", [b"\xc1", b"\xd4\1a", b"\xc7\1\1a", b"\xdb\xff", b"\xcd"], ids=bytes.hex)
def test_what_is_no_msgpack_of_ours_is_damage(packed: bytes) -> None:
    large = zstandard.ZstdCompressor().compress(bytes(1 << 19) + packed)
    with pytest.raises(Corrupt):
        decoded_plain(large)


def test_a_length_that_is_a_lie_is_believed() -> None:
    for head in b"\xdb\xdf":
        with pytest.raises(TooMuchError):
            bulk(bytes(1 << 19) + bytes([head]) + b"\xff\xff\xff\xff")


def test_fifty_thousand_deep_stacks_may_be_read() -> None:
    """As a profile has them: 64 frames each, four figures, 64 addresses."""
    site = msgspec.msgpack.encode([list(range(1000, 1064)), [1 << 20, 1 << 10, 1 << 30, 1 << 20], bytes(512), 0])
    assert 100 * MIB < bulk(many(site, 50_000)) < 200 * MIB
