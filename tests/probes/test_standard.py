"""Which frame of a goroutine is the program's own."""

from __future__ import annotations

import pytest

from memdash.model.profile import Frame
from memdash.probes.standard import is_standard, own_at

LIBRARY = ("internal/poll.runtime_pollWait", "internal/poll.(*FD).Read", "net.(*conn).Read", "bufio.(*Reader).Peek")


@pytest.mark.parametrize(
    ("function", "standard"),
    [
        ("net/http.(*conn).serve", True),
        ("net.(*netFD).Read", True),
        ("sync.(*WaitGroup).Wait", True),
        ("internal/sync.runtime_SemacquireMutex", True),
        ("time.Sleep", True),
        ("slices.SortFunc[main/shop.T]", True),
        ("vendor/golang.org/x/net/http2/hpack.(*Decoder).Write", True),
        ("main.main", False),
        ("main.work[go.shape.int]", False),
        ("shop/internal/cart.(*Cart).Add", False),
        ("go.uber.org/zap.(*Logger).Sync", False),
        ("golang.org/x/net/http2.(*serverConn).serve", False),
        ("(no stack)", False),
        ("", False),
    ],
)
def test_packages_tell_the_library_from_the_program(function: str, standard: bool) -> None:
    assert is_standard(function) is standard


@pytest.mark.parametrize(
    ("outer", "creator_known", "own"),
    [
        (("main.(*Session).read", "net/http.(*conn).serve"), True, 4),
        (("net/http.(*conn).serve",), True, 5),
        (("net/http.(*conn).serve", "runtime.goexit"), False, 4),
        ((), False, 3),
    ],
)
def test_the_own_frame_is_the_innermost_of_the_program(outer: tuple[str, ...], creator_known: bool, own: int) -> None:
    stack = [Frame(function, "f.go", 1) for function in (*LIBRARY, *outer)]
    assert own_at(stack, creator_known=creator_known) == own


def test_of_the_runtime_alone_the_innermost_stands_for_all() -> None:
    assert own_at([Frame("runtime.gopark", "proc.go", 1)], creator_known=False) == 0
    assert own_at([], creator_known=False) == 0
