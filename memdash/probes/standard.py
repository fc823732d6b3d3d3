"""Which functions are Go's standard library's: what a program does lies further out on a stack than those.

A goroutine waits deep in them, in ``internal/poll.(*FD).Read`` below ``net`` and ``bufio``, and what tells one kind of
goroutines from another is who called that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from memdash.model.profile import OF_GO, Frame

__all__ = ["is_standard", "own_at"]

_FIRST_PARTS = frozenset(
    [
        "archive", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context", "crypto", "database",
        "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index",
        "internal", "io", "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect", "regexp",
        "runtime", "slices", "sort", "strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time",
        "type:", "unicode", "unique", "unsafe", "vendor", "weak",
    ]
)  # fmt: skip
"""What paths of its packages begin with; those of others hold a dot there, or are named by the program's module."""


@lru_cache(maxsize=4096)
def is_standard(function: str) -> bool:
    """Whether a function is of a package of the standard library: ``net/http.(*conn).serve`` is."""
    path, slash, _ = function.partition("[")[0].partition("/")
    return (path if slash else path.partition(".")[0]) in _FIRST_PARTS


def own_at(stack: Sequence[Frame], *, creator_known: bool) -> int:
    """Number of the frame where the program itself stands: the innermost that is not the standard library's.

    Without any it is the number after the last, which stands for who began the goroutine; while that is not known, the
    outermost that is not the runtime's.
    """
    own = next((number for number, frame in enumerate(stack) if not is_standard(frame.function)), None)
    if own is not None:
        return own
    if creator_known:
        return len(stack)
    outermost_first = range(len(stack) - 1, -1, -1)
    return next((number for number in outermost_first if not stack[number].function.startswith(OF_GO)), 0)
