"""What keeps the dashboard small: modules it never uses are not loaded, and what painting leaves behind goes soon."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from memdash.units import KIB

__all__ = ["left_out", "resettle", "settle", "undisturbed"]


_LOOK_AT_ALL_EVERY = 30
"""Once a minute while a flame follows its target: 2.4 MiB until then."""
_TIMES = count(1)

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's settings (malloc.h)."""
_LARGE_BYTES = 128 * KIB
"""What glibc itself begins with."""


@contextmanager
def left_out(*modules: str) -> Iterator[None]:
    """Within it, importing one of ``modules`` fails as if it were not installed, unless it is loaded already.

    Only for importers that are known to do without: they are named where this is used. Afterwards the modules can be
    imported as ever.
    """
    absent = [name for name in modules if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # documented: makes an import raise ModuleNotFoundError
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def settle() -> None:
    """Take all that is there for permanent, and let Python's collector look at newer things only, but more often.

    Textual's lines refer to themselves: some 750 objects a second that only the collector frees. Left alone it waits
    until they have grown by a quarter of all there is, 3 MiB here, and then looks at everything, 30 ms long. Each look
    at what is newer takes 3 ms beside a busy program, so there is one in two or three seconds, and some 2000 objects
    lie about.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1000, 4, 2)
    _give_back_what_is_large()


def _give_back_what_is_large() -> None:
    """Have malloc return a large piece to the kernel as soon as it is freed, however large some have been before.

    Left alone glibc keeps as much as the largest, and twice that at the end of its heap: 8 MiB after each minute, for
    what compressing that minute takes for 3 ms. Other C libraries have no such setting.
    """
    import ctypes  # reading memory has loaded it, but what only shows a file has not

    if set_option := getattr(ctypes.CDLL(None), "mallopt", None):
        set_option(_MMAP_THRESHOLD, _LARGE_BYTES)
        set_option(_TRIM_THRESHOLD, _LARGE_BYTES)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Around making much that stays: nothing is collected meanwhile, and in a program of our own not looked at later.

    A profile of 50 000 stacks is a million objects. Collecting while they are made takes half as long as making them,
    and the first look at them all holds every thread, the screen's too, for half a second. The lines that stand
    on the screen by then are taken for permanent too, 80 KiB: all is looked at now and then after all.
    """
    from memdash.pprof.garbage import without_collections  # the dashboard itself does without pprof

    is_ours = bool(gc.get_freeze_count())
    with without_collections():
        try:
            yield
        finally:
            if is_ours and not next(_TIMES) % _LOOK_AT_ALL_EVERY:
                resettle()
            elif is_ours:
                gc.freeze()


def resettle() -> None:
    """Free what has been taken for permanent, and is not there any more. 30 ms."""
    if gc.get_freeze_count():
        gc.unfreeze()
        gc.collect()
        gc.freeze()
