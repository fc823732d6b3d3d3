"""memdash's agent: what runs inside a target, on CPython 3.8 to 3.15.

memdash reads this file as text and never imports it; ``guard`` runs it, with what ``script`` adds to the copy. It
connects to memdash's socket, says hello, and answers what it is asked, one JSON object a line either way; unasked it
says nothing. Until then it is one thread that waits, and when the connection ends it takes back all that it changed.

It lives in somebody else's house: every module it needs is part of the interpreter itself, so that no file of the
target can stand in for one; its descriptors have high numbers, and it makes sure that they are still its own; its
thread takes no signals, and is gone while the process forks. Nothing here may raise into the target, wait for long, or
grow. What is asked is answered by ``answers``, which is compiled when that is first needed.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # known to no stubs, like all that begins so
import _socket
import _thread
import fcntl
import posix
import select
import sys
import time

TYPE_CHECKING = False  # typing takes 5 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType
    from typing import Any

    Fields = dict[str, Any]

    def compiled(text: str) -> CodeType:
        """The guard's."""

    def tell(path: str, error: BaseException) -> None:
        """The guard's."""


MOST_SENT = 1 << 20
MOST_HEARD = 1 << 16
FIRST_DESCRIPTOR = 200
PATIENCE_S = 10.0
FORK_WAIT_S = 2.0
SETTLING_S = 0.1
MARK = "_memdash"


def start(path: str, token: str, answers: str, follows_forks: bool) -> None:
    """Run an agent that talks to the socket at ``path``, unless one does already. ``guard`` takes what it raises."""
    if path not in sys.__dict__.get(MARK, ()) and is_main_interpreter():
        agent = Agent(path, token, answers, follows_forks)
        sys.__dict__.setdefault(MARK, {})[path] = agent
        try:
            agent.start()
        finally:
            if not agent.has_begun:
                agent.undo()


def is_main_interpreter() -> bool:
    """Whether it is: a sub-interpreter that ends while it has a thread of ours takes the process with it."""
    told = getattr(_thread, "_is_main_interpreter", None)
    if told is not None:
        return bool(told())
    name = "_xxsubinterpreters"
    was_there = name in sys.modules
    try:
        interpreters = __import__(name)
    except ImportError:
        return True
    if not was_there:
        del sys.modules[name]
    return bool(interpreters.get_current() == interpreters.get_main())


def original(module: Any, name: str) -> Any:
    """A function as the interpreter made it: gevent and eventlet put theirs in its place, or take it away."""
    found = getattr(module, name, None)
    if type(found) is type(len):
        return found
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    if gevent is not None:
        return gevent.get_original(module.__name__, name)
    return getattr(eventlet.original(module.__name__), name) if eventlet is not None else found


class Descriptor:
    """A descriptor of ours. Programs close, and use again, what they believe to be theirs: so it is looked at first."""

    def __init__(self, number: int) -> None:
        try:
            self.number = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR)
        except OSError:  # the limit is lower than that; but never where stdio would be
            self.number = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
        self.identity = self.look()
        self.is_open = True

    def look(self) -> tuple[int, int] | None:
        """What file the number stands for now."""
        try:
            found = posix.fstat(self.number)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def is_ours(self) -> bool:
        """Whether it still stands for the file that it was made for."""
        return self.is_open and self.look() == self.identity

    def close(self) -> None:
        """Close it, unless somebody has. May be called twice."""
        if self.is_ours():
            posix.close(self.number)
        self.is_open = False


class Agent:
    """One connection to one memdash, and the thread that serves it."""

    def __init__(self, path: str, token: str, answers: str, follows_forks: bool) -> None:
        self.path, self.token, self.answers_text, self.follows_forks = path, token, answers, follows_forks
        self.is_alive = self.has_begun = False
        self.connection: Descriptor | None = None
        self.wake_ends: list[Descriptor] = []
        self.answers: Any = None
        self.runs_in = 0
        self.forks: list[bool] = []  # a list, since two threads may append to it at the same time
        self.start_thread = original(_thread, "start_new_thread")
        self.new_lock = original(_thread, "allocate_lock")
        self.thread_id = original(_thread, "get_native_id")
        self.poll = original(select, "poll")
        self.at_forks: list[list[Callable[[], None]]] = []
        posix.register_at_fork(
            before=self.at_fork(self.before_fork),
            after_in_parent=self.at_fork(self.after_fork_in_parent),
            after_in_child=self.at_fork(self.after_fork_in_child),
        )

    def at_fork(self, method: Callable[[], None]) -> Any:
        """A function that can be made to do nothing and hold nothing: the interpreter never lets go of it."""
        calls = [method]
        self.at_forks.append(calls)
        code = compile("lambda: [call() for call in calls]", "<memdash>", "eval")
        return eval(code, {"calls": calls})  # noqa: S307 - with globals of its own

    def start(self) -> None:
        """Begin anew: nothing is connected, nobody forks, there is no thread."""
        self.connection = None
        self.heard = b""
        self.answers = None
        self.forks = []
        self.wake_ends = [Descriptor(end) for end in self.pipe()]
        self.run_thread()

    def pipe(self) -> Iterator[int]:
        """The two ends of one that wakes the thread; each is closed once the caller has made its own of it."""
        for end in posix.pipe2(posix.O_CLOEXEC | posix.O_NONBLOCK):
            yield end
            posix.close(end)

    def run_thread(self) -> None:
        """It takes no signals: those for the process are for threads that the program has made ready for them."""
        self.runs_in = 0
        self.settled, self.ended = self.new_lock(), self.new_lock()  # free once the thread waits to be asked, has ended
        self.settled.acquire()
        self.ended.acquire()
        faults = {_signal.SIGSEGV, _signal.SIGBUS, _signal.SIGFPE, _signal.SIGILL, _signal.SIGABRT}
        before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals() - faults)
        self.is_alive = True  # not before: another thread of the program may fork at any moment
        try:
            self.start_thread(self.run, (self.settled, self.ended))
            self.has_begun = True
        finally:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
        # 0.2 ms: a process that ends while one of its threads begins may crash in doing so
        self.settled.acquire(True, SETTLING_S)

    def run(self, settled: Any, ended: Any) -> None:
        """The thread: until nobody asks any more, or a fork is about to happen."""
        self.runs_in = self.thread_id()
        try:
            stays = self.serve(settled, ended)
        except Exception as error:  # noqa: BLE001 - whatever it is, the target is not to hear of it
            stays = False
            if self.connection is None:
                tell(self.path, error)
        if not stays:
            self.undo()
            self.let_go()
        if settled.locked():
            settled.release()
        ended.release()

    def serve(self, settled: Any, ended: Any) -> bool:
        """Answer until this thread is to make way for a fork (True), or there is nobody who asks (False)."""
        while not self.forks and self.ended is ended:
            if self.connection is None:
                self.connection = self.connect()
                if self.connection is not None:
                    self.send({"hello": self.token, "pid": posix.getpid(), "version": list(sys.version_info[:3])})
                continue
            if settled.locked():
                settled.release()
            if self.wait(self.connection, select.POLLIN, None) and not self.hear(self.connection):
                return False
        return True

    def connect(self) -> Descriptor | None:
        """None when there is a fork to make way for. Raises OSError when nobody listens, or nobody accepts in time."""
        for _ in range(100):
            made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK)
            try:
                made.connect(self.path)
                if not self.is_trusted(made):
                    raise OSError("a stranger listens")
                return Descriptor(made.fileno())
            except BlockingIOError:  # too many wait to be accepted
                self.wait(None, 0, 0.1)
                if self.forks:
                    return None
            finally:
                made.close()
        raise OSError("nobody accepts")

    def is_trusted(self, made: Any) -> bool:
        """Whether root or our own user listens: a launched process keeps a path that memdash no longer has.

        One that was called uses its path at once; in a user namespace, whoever called it has no uid that is known here.
        """
        credentials = made.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        uid = int.from_bytes(credentials[4:8], sys.byteorder)
        return not self.follows_forks or uid in (0, posix.geteuid())

    def wait(self, descriptor: Descriptor | None, events: int, limit_s: float | None) -> bool:
        """Until the descriptor is ready (True), or a fork is about to happen or the time is up (False)."""
        poller = self.poll()
        poller.register(self.wake_ends[0].number, select.POLLIN)
        if descriptor is not None:
            poller.register(descriptor.number, events)
        ready = [number for number, _ in poller.poll(None if limit_s is None else 1000 * limit_s)]
        for waited_for in (descriptor, self.wake_ends[0]):
            if waited_for is not None and not waited_for.is_ours():
                raise OSError("it has been closed")
        if self.wake_ends[0].number in ready and not self.forks:  # of a fork that is over
            posix.read(self.wake_ends[0].number, MOST_HEARD)
        return descriptor is not None and descriptor.number in ready

    def hear(self, connection: Descriptor) -> bool:
        """Answer what has come; False when memdash has gone, wants us to go, or talks nonsense."""
        try:
            chunk = posix.read(connection.number, MOST_HEARD)
        except BlockingIOError:
            return True
        *lines, self.heard = (self.heard + chunk).split(b"\n")
        return all(self.answer(asked(line)) for line in lines) and chunk != b"" and len(self.heard) <= MOST_HEARD

    def answer(self, fields: Fields) -> bool:
        """Do what is asked and say what came of it; False when that is to leave."""
        name, number = fields.pop("do"), fields.pop("id")
        if self.answers is None:
            namespace = {"__name__": "memdash_answers", "compiled": compiled, "new_lock": self.new_lock}
            exec(compiled(self.answers_text), namespace)  # noqa: S102 - our own text
            self.answers = namespace["Answers"]()
        try:
            told: Fields = {"id": number, "told": self.answers.answer(name, fields)}
        except Exception as error:  # noqa: BLE001 - for memdash to tell
            told = {"id": number, "why": type(error).__name__}
        self.send(told)
        return bool(name != "leave")

    def send(self, message: Fields) -> None:
        """Raises OSError when memdash does not take it in time."""
        line = json_text(message).encode("utf-8", "backslashreplace") + b"\n"
        if len(line) > MOST_SENT:
            line = json_text({"id": message["id"], "why": "the answer is too long"}).encode() + b"\n"
        until_s = time.monotonic() + PATIENCE_S
        while line and self.connection is not None:
            try:
                line = line[posix.write(self.connection.number, line) :]
            except BlockingIOError:
                if time.monotonic() > until_s:
                    raise
                poller = self.poll()
                poller.register(self.connection.number, select.POLLOUT)
                poller.poll(200)
            if not self.connection.is_ours():
                raise OSError("it has been closed")

    def undo(self) -> None:
        """Take back what was changed, but for the three functions that the interpreter calls at each fork."""
        self.is_alive = False
        if self.answers is not None:
            self.answers.undo()
        for descriptor in (self.connection, *self.wake_ends):
            if descriptor is not None:
                descriptor.close()
        agents = sys.__dict__.get(MARK, {})
        if agents.get(self.path) is self:
            del agents[self.path]
            if not agents:
                sys.__dict__.pop(MARK, None)

    def let_go(self) -> None:
        """Be of no concern to forks any more: some 4 kB stay behind."""
        for calls in self.at_forks:
            calls.clear()

    def before_fork(self) -> None:
        """End the thread, and wait until the kernel has none: from 3.12 on, forking with threads is warned of."""
        if not self.is_alive or self.runs_in == self.thread_id():
            return
        self.forks.append(True)
        if self.wake_ends[1].is_ours():
            posix.write(self.wake_ends[1].number, b".")
        if self.ended.acquire(True, FORK_WAIT_S):
            self.ended.release()
            nap = self.new_lock()
            nap.acquire()
            for _ in range(250):
                try:
                    posix.stat(f"/proc/self/task/{self.runs_in}")
                except OSError:
                    return
                nap.acquire(True, 0.0002)

    def after_fork_in_parent(self) -> None:
        """Go on in a new thread; the old one, if it was too busy to end, does so when it sees that."""
        if not self.forks or self.runs_in == self.thread_id():
            return
        self.forks.pop()
        if self.is_alive and not self.forks:
            self.run_thread()

    def after_fork_in_child(self) -> None:
        """The connection is the parent's. A child of a program that memdash started has one of its own."""
        was_alive = self.is_alive
        self.undo()
        if was_alive and self.follows_forks:
            sys.__dict__.setdefault(MARK, {})[self.path] = self
            self.start()
        else:
            self.let_go()


ESCAPES = {**{code: f"\\u{code:04x}" for code in range(32)}, 34: '\\"', 92: "\\\\"}


def json_text(value: Any) -> str:
    """JSON of plain values: the module json, and what it imports, might be files of the target."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + value.translate(ESCAPES) + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([json_text(part) for part in value]) + "]"
    if isinstance(value, dict):
        return "{" + ",".join([json_text(name) + ":" + json_text(part) for name, part in value.items()]) + "}"
    return f"{value:d}"


def asked(line: bytes) -> Fields:
    """A request: a flat JSON object of whole numbers and of words without quotes, commas, colons and backslashes."""
    fields: Fields = {}
    for pair in line.decode("ascii").strip()[1:-1].split(","):
        name, _, value = pair.partition(":")
        fields[name.strip()[1:-1]] = value.strip()[1:-1] if '"' in value else int(value)
    return fields
