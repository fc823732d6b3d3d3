"""What stands around all that memdash runs in a thread of the target: nothing of it fails there, nothing is kept there.

memdash reads this file as text and never imports it. It runs first, so that it needs only what is part of every
interpreter. While the agent starts, the thread takes no signals, which ``script`` has seen to. What handlers of the
program raise all the same, as for those that other threads take, is not for us: it is raised again in the main thread
once that is back in the program's own code, by a handler of SIGINT that is there for that one time.

Not covered: from 3.14 on a signal may be what makes CPython run the script. Its handler then runs before the first
statement, where no ``try`` is, and CPython writes what it raises to stderr.
"""

import _signal  # type: ignore[import-not-found]  # known to no stubs
import _thread
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType, TracebackType

NAME = "<memdash>"
LATE_ANNOTATIONS = 0x1000000 if sys.version_info >= (3, 8, 2) else 0x100000
"""What ``from __future__ import annotations`` asks for: that would import a file, which might be the target's."""

FAULTS = {_signal.SIGSEGV, _signal.SIGBUS, _signal.SIGFPE, _signal.SIGILL, _signal.SIGABRT}
MOST_TOLD = 300
LEAVING_S = 0.0005
MOST_LOOKS = 2000


def guarded(text: str, path: str, before: "set[int]") -> None:
    """Run a text of ours, then let in the signals that were let in ``before``.

    ``path`` is that of memdash's socket: what fails is told in the file ``why`` beside it.
    """
    try:
        try:
            exec(compiled(text), {"__name__": "memdash_agent", "compiled": compiled, "tell": tell})  # noqa: S102
        finally:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
    except BaseException as error:  # noqa: BLE001 - the program's own is passed on
        raised = by_handler(error)
        if raised is not None or not isinstance(error, Exception):
            pass_on(error.with_traceback(raised))
        else:
            tell(path, error)


def compiled(text: str) -> "CodeType":
    """Code whose annotations are never evaluated."""
    code: CodeType = compile(text, NAME, "exec", LATE_ANNOTATIONS)
    return code


def by_handler(error: BaseException) -> "TracebackType | None":
    """The part of the traceback that is a signal handler's: it has been given the frame that it interrupted."""
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        interrupted, entry = entry.tb_frame, entry.tb_next
        for value in list(entry.tb_frame.f_locals.values()):
            if value is interrupted or (type(value) is tuple and any(part is interrupted for part in value)):
                return entry
    return None


def pass_on(error: BaseException) -> None:
    """Raise it in the main thread, which this is, after it has left our code; not if SIGINT is a C library's."""
    handler = _signal.getsignal(_signal.SIGINT)
    if handler is None:
        return

    def raise_it(*_: object) -> None:
        _signal.signal(_signal.SIGINT, handler)
        raise error

    ours = [sys._getframe()]  # noqa: SLF001 - inspect would be a file
    levels = 4 if sys.version_info >= (3, 14) else 5  # this file's three, the two around it, how that is reached
    while len(ours) <= levels and ours[-1].f_back is not None:
        ours.append(ours[-1].f_back)
    _signal.signal(_signal.SIGINT, raise_it)
    _thread.start_new_thread(interrupt, (_thread.get_ident(), ours))


def interrupt(thread: int, ours: "list[FrameType]") -> None:
    """Send the signal, as soon as none of the frames is run any more: it also ends what the thread waits in."""
    _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals() - FAULTS)
    for _ in range(MOST_LOOKS):
        frame = sys._current_frames().get(thread)  # noqa: SLF001 - there is no other way
        while frame is not None and not any(frame is other for other in ours):
            frame = frame.f_back
        if frame is None:
            break
        time.sleep(LEAVING_S)
    _signal.pthread_kill(thread, _signal.SIGINT)


def tell(path: str, error: BaseException) -> None:
    """Leave one line for memdash, if that can be; the first one stays."""
    try:
        import posix

        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
        number = posix.open(path.rpartition("/")[0] + "/why", flags, 0o600)
        try:
            posix.write(number, f"{type(error).__name__}: {error}"[:MOST_TOLD].encode("utf-8", "backslashreplace"))
        finally:
            posix.close(number)
    except Exception:  # noqa: BLE001 - there is no other way to say it
        return
