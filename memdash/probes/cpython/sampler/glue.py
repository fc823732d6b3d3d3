"""What starts and stops the sampler inside a target, and names what it has met: by ``_ctypes``, on CPython 3.8 to 3.15.

memdash reads this file as text and never imports it. It is compiled in the agent's thread when that is first asked to
sample, and lives by the agent's rules. Nothing is hooked before the library has read the stacks of this very thread
as ``sys._getframe`` does, whatever kind of frame is on top; and nothing where anybody else watches the allocators.

The library stays loaded once it has been: code of it may be running in another thread, and those who hooked the
allocators later may call it for ever. ``sys`` remembers where it is, so that the next agent does not load another.
"""

from __future__ import annotations

import posix
import sys

TYPE_CHECKING = False  # typing takes 5 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Fields = dict[str, Any]
    Position = tuple[int, int]

KEPT = "_memdash_sampler"
PATIENCE_S = 2.0
TEXT = 300
NAMES_TEXT = 200_000
DEEPEST = 64
ALLOCATORS = 3
"""PyMem_GetAllocator knows so many: RAW, MEM and OBJ."""

NUMPY = 8

STARTED, ENABLED, PLACES, PLACES_KNOWN, HEADER_WORDS = 5, 6, 10, 13, 16
"""Words of the library's header; of two, only the lower half is meant."""

ALREADY_ON, NOT_THE_MAIN_ONE, CHANGED_BELOW, BUSY = 1, -3, -5, -6
"""What the library answers."""

RELEASED, GONE = 1, "(code that is gone)"
"""What it adds to the address of a code object that it holds no more, and the name of such a place."""

LOOKED_AT = 4000
"""Places, each time that names are asked for: 8 ms."""

ARRAY_FEATURES, ARRAY_HANDLER, FIRST_FEATURES = 211, 306, 15
"""Places in numpy's table of functions, and the first feature version that has the latter: numpy 1.22."""

HANDLER_NAME, HANDLER_VERSION_AT, HANDLER_FUNCTIONS_AT = b"default_allocator", 127, 128


class Refused(Exception):
    """Words for memdash."""


class Sampler:
    """The sampler of this process, as far as this agent has started it."""

    def __init__(self, place: str, new_lock: Callable[[], Any]) -> None:
        self.place, self.new_lock = place, new_lock
        self.library: Library | None = None
        self.is_ours = False
        self.numpy: Any = None
        self.wants_numpy = False

    def start(self, **asked: Any) -> Fields:
        """Where the header is once it samples, or why it does not."""
        try:
            with Kept(self.new_lock) as kept:
                return self.started(kept, **asked)
        except Refused as why:
            return {"why": str(why)}

    def started(self, kept: Kept, library: str, build: int, frames: str, rate: int, depth: int, domains: int) -> Fields:
        """Raises Refused."""
        refuse_builds()
        found = Library(kept, f"{self.place}/{library}", build)
        if found.is_on():
            self.library = found
            return found.told(self.is_ours)
        found.refuse_hooks()
        found.prepare([int(part) for part in frames.split("-")])
        found.check()
        began = found.begin(rate, depth, domains)
        if began == BUSY:
            raise Refused("the sampler has not ended yet: try again")
        if began == CHANGED_BELOW:
            raise Refused("another allocator was put below while it was not sampled")
        if began not in (0, ALREADY_ON):
            raise Refused(f"the sampler could not start: {began}")
        self.library, self.is_ours, self.wants_numpy = found, True, bool(domains & NUMPY)
        self.look_for_numpy()
        return found.told(self.is_ours)

    def stop(self) -> Fields:
        """Give the allocators back, if it was this agent that took them; what is left of the hooks, by domain."""
        if self.library is None or not self.is_ours:
            return {"why": "another memdash has it sampled, and that goes on"}
        try:
            with Kept(self.new_lock):
                return self.ended(self.library)
        except Refused as why:
            return {"why": str(why)}

    def ended(self, library: Library) -> Fields:
        """Raises Refused."""
        left = library.end()
        if left < 0:
            raise Refused("the sampler is in the middle of something: try again")
        self.is_ours = False
        self.numpy = None
        return {"left": left}

    def names(self, after: int, most: int, start: int) -> Fields:
        """File, function and line of the places met, from number ``after`` on: rows that name files by number.

        No rows once the sampling that began at ``start`` is over: its code objects may be gone. Raises Refused.
        """
        with Kept(self.new_lock):
            library = self.library
            if library is None or not library.is_on() or library.started_at() != start:
                return {"files": [], "rows": []}
            if self.is_ours:
                self.look_for_numpy()
                library.told_until(after)
                library.let_go(after)
            return library.names(after, most)

    def look_for_numpy(self) -> None:
        """Sample the buffers of numpy too, as soon as the program has imported it."""
        if self.wants_numpy and self.numpy is None and self.library is not None:
            self.numpy = self.library.numpy_handler()
            if self.numpy is not None:
                self.library.hook_numpy(self.numpy)


class Kept:
    """What ``sys`` keeps for all agents: one of them at a time, and where the libraries are."""

    def __init__(self, new_lock: Callable[[], Any]) -> None:
        self.lock, self.handles = sys.__dict__.setdefault(KEPT, (new_lock(), {}))

    def __enter__(self) -> Kept:
        if not self.lock.acquire(True, PATIENCE_S):
            raise Refused("another memdash is at it")
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.release()


class Library:
    """The compiled sampler, and what it takes to call it. Raises Refused."""

    def __init__(self, kept: Kept, path: str, build: int) -> None:
        try:
            self.ctypes: Any = __import__("_ctypes")
        except ImportError:
            raise Refused("it has no ctypes, which loading the sampler takes") from None
        simple = self.ctypes._SimpleCData  # noqa: SLF001 - what all its numbers are made of
        self.word: Any = type("uint64_t", (simple,), {"_type_": "L"})
        self.number: Any = type("int", (simple,), {"_type_": "i"})
        self.thing: Any = type("py_object", (simple,), {"_type_": "O"})
        self.python = self.ctypes.dlopen(None, 0)
        handle = kept.handles.get(build)
        if handle is None:
            handle = kept.handles[build] = self.loaded(path)
        self.handle = handle
        self.init = self.own("init", self.word, self.number)
        self.selftest = self.own("selftest", self.word, self.number)
        self.begin = self.own("start", self.word, self.number, self.number)
        self.end = self.own("stop")
        self.hook_numpy = self.own("numpy", self.word)
        self.release = self.own("release", self.number)
        self.told_until = self.own("named", self.number)
        self.next_to_let_go = 0
        self.header: int = self.own("header", result=self.word)()

    def loaded(self, path: str) -> int:
        """The library's handle. Where files may not be run from its directory, it is loaded from memory."""
        try:
            return int(self.ctypes.dlopen(path, posix.RTLD_NOW))
        except OSError as error:
            why = cut(str(error))
        try:
            number = posix.memfd_create("memdash-sampler")
        except (OSError, AttributeError):
            raise Refused(f"the sampler could not be loaded: {why}") from None
        try:
            with open(path, "rb") as file:
                posix.write(number, file.read())
            return int(self.ctypes.dlopen(f"/proc/self/fd/{number}", posix.RTLD_NOW))
        except OSError:
            raise Refused(f"the sampler could not be loaded: {why}") from None
        finally:
            posix.close(number)

    def symbol(self, *names: str) -> int:
        """The address of the first of these that the interpreter has."""
        for name in names:
            try:
                found: int = self.ctypes.dlsym(self.python, name)
            except OSError:
                continue
            return found
        raise Refused(f"its interpreter does not show {names[0]}")

    def function(self, address: int, result: Any, *arguments: Any) -> Any:
        """A function that keeps the GIL while it runs."""
        flags = self.ctypes.FUNCFLAG_CDECL | self.ctypes.FUNCFLAG_PYTHONAPI
        made = type("function", (self.ctypes.CFuncPtr,), {"_flags_": flags, "_restype_": result})(address)
        made.argtypes = arguments
        return made

    def own(self, name: str, *arguments: Any, result: Any = None) -> Any:
        """One of the library's own functions."""
        try:
            address = self.ctypes.dlsym(self.handle, f"memdash_sampler_{name}")
        except OSError:
            raise Refused("what was loaded is not the sampler of this memdash") from None
        return self.function(address, result or self.number, *arguments)

    def words(self, address: int, number: int) -> list[int]:
        """So many words of our own memory."""
        return list((self.word * number).from_address(address))

    def is_on(self) -> bool:
        """Whether it samples."""
        return bool(self.words(self.header, HEADER_WORDS)[ENABLED] & 0xFFFFFFFF)

    def started_at(self) -> int:
        """When it began to, by the monotonic clock in ns."""
        return self.words(self.header, HEADER_WORDS)[STARTED]

    def told(self, is_ours: bool) -> Fields:
        """For memdash to read the rest from outside."""
        return {"header": self.header, "start": self.started_at(), "ours": is_ours}

    def refuse_hooks(self) -> None:
        """Only CPython's own allocators are wrapped: what others have put around them knows nothing of us."""
        try:
            tracing: Any = __import__("_tracemalloc")
        except ImportError:
            tracing = None
        if tracing is not None and tracing.is_tracing():
            raise Refused("it traces its allocations with tracemalloc, which tells the sites already")
        get = self.function(self.symbol("PyMem_GetAllocator"), None, self.number, self.word)
        home = self.object_with(self.symbol("PyMem_GetAllocator"))
        record = (self.word * 5)()
        for number in range(ALLOCATORS):
            get(number, self.ctypes.addressof(record))
            if any(self.object_with(function) != home for function in list(record)[1:]):
                raise Refused("something else hooks its allocators already, such as another memory profiler")

    def object_with(self, address: int) -> int:
        """Where the program or library is loaded that an address belongs to."""
        info = (self.word * 4)()
        dladdr = self.function(self.symbol("dladdr"), self.number, self.word, self.word)
        return int(info[1]) if dladdr(address, self.ctypes.addressof(info)) else 0

    def prepare(self, frames: list[int]) -> None:
        """Tell it where everything is."""
        before_312 = sys.version_info < (3, 12)
        main = self.function(self.symbol("PyInterpreterState_Main"), self.word)
        config = [
            self.symbol("PyMem_GetAllocator"),
            self.symbol("PyMem_SetAllocator"),
            self.symbol("PyThreadState_GetUnchecked", "_PyThreadState_UncheckedGet"),
            self.symbol("PyGILState_GetThisThreadState") if before_312 else 0,
            self.symbol("Py_IncRef"),
            self.symbol("Py_DecRef"),
            self.symbol("PyCode_Type"),
            main(),
            *frames,
        ]
        array = (self.word * len(config))(*config)
        done = self.init(self.ctypes.addressof(array), len(config))
        if done:
            raise Refused(f"the sampler could not be prepared: {done}")

    def check(self) -> None:
        """It must see the frames of this thread as Python does, from frames of every kind."""
        found: list[bool] = []

        def look(_: object) -> int:
            found.append(self.agrees())
            return 0

        class Body:
            """Whose names are in a dictionary."""

            looks = len([look(at) for at in (1,)])

        look(1)
        next(look(at) for at in (1,))
        sorted(map(look, (1,)), key=look)  # C calls it, twice
        if not all(found):
            raise Refused("the frames of this build of CPython are not laid out as expected")

    def agrees(self) -> bool:
        """Whether both see the same stack; the innermost frame has moved on between the two looks."""
        buffer = (self.word * (2 * DEEPEST))()
        number = self.selftest(self.ctypes.addressof(buffer), DEEPEST)
        if number == NOT_THE_MAIN_ONE:
            raise Refused("it runs in a sub-interpreter")
        frame: Any = sys._getframe()  # noqa: SLF001 - inspect would be a file
        theirs: list[Position] = []
        while frame is not None and len(theirs) < DEEPEST:
            theirs.append((id(frame.f_code), frame.f_lasti))
            frame = frame.f_back
        words = list(buffer)
        ours = [(words[2 * at], words[2 * at + 1]) for at in range(max(number, 0))]
        return len(ours) == len(theirs) and ours[0][0] == theirs[0][0] and ours[1:] == theirs[1:]

    def names(self, after: int, most: int) -> Fields:
        """As the Sampler tells them."""
        header = self.words(self.header, HEADER_WORDS)
        places, known = header[PLACES], header[PLACES_KNOWN] & 0xFFFFFFFF
        line_of = self.function(self.symbol("PyCode_Addr2Line"), self.number, self.thing, self.number)
        files: dict[str, int] = {}
        rows: list[Any] = []
        text = 0
        for code_at, offset in self.positions(places, after, min(after + most, known)):
            name, file, line = GONE, "", 0
            if not code_at & RELEASED:
                code = self.ctypes.PyObj_FromPtr(code_at)
                name, file = cut(getattr(code, "co_qualname", code.co_name)), cut(code.co_filename)
                line = max(line_of(code, offset) or 0, 0)
            text += len(name) + 16 + (0 if file in files else len(file))
            rows.append([files.setdefault(file, len(files)), name, line])
            if text > NAMES_TEXT:
                break
        return {"files": list(files), "rows": rows}

    def let_go(self, named: int) -> None:
        """Let code objects go that nobody but the library holds, and memdash knows by name: those below ``named``.

        A program that makes code and drops it, as templates do, would grow without end. Some are looked at each time.
        """
        first = self.next_to_let_go if self.next_to_let_go < named else 0
        end = self.next_to_let_go = min(first + LOOKED_AT, named)
        held: dict[int, list[int]] = {}
        table = self.words(self.header, HEADER_WORDS)[PLACES]
        for number, (code_at, _) in enumerate(self.positions(table, first, end), first):
            if not code_at & RELEASED:
                held.setdefault(code_at, []).append(number)
        for code_at, numbers in held.items():
            if self.words(code_at, 1)[0] & 0xFFFFFFFF == len(numbers):  # the count of references, of which each is ours
                for number in numbers:
                    self.release(number)

    def positions(self, places: int, first: int, end: int) -> Iterator[Position]:
        """Code object and byte of its bytecode of places of the table."""
        for number in range(first, end):
            code_at, offset = self.words(places + 16 * number, 2)
            yield code_at, offset if offset < 1 << 31 else -1

    def numpy_handler(self) -> int | None:
        """Where numpy keeps the functions by which it asks for its buffers (NEP 49); None when there is nothing."""
        for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
            capsule = getattr(sys.modules.get(name), "_ARRAY_API", None)
            if capsule is not None:
                break
        else:
            return None
        text: Any = type("char_p", (self.ctypes._SimpleCData,), {"_type_": "z"})  # noqa: SLF001
        pointer = self.function(self.symbol("PyCapsule_GetPointer"), self.word, self.thing, text)
        table = pointer(capsule, None)
        features = self.function(self.words(table + 8 * ARRAY_FEATURES, 1)[0], self.number)
        if features() < FIRST_FEATURES:
            return None
        slot = self.words(table + 8 * ARRAY_HANDLER, 1)[0]
        handler = pointer(self.ctypes.PyObj_FromPtr(self.words(slot, 1)[0]), b"mem_handler")
        functions = self.words(handler + HANDLER_FUNCTIONS_AT, 5)[1:]
        head = b"".join([word.to_bytes(8, "little") for word in self.words(handler, 16)])
        is_known = head.startswith(HANDLER_NAME + b"\0") and head[HANDLER_VERSION_AT] == 1
        home = self.object_with(self.words(table + 8 * ARRAY_FEATURES, 1)[0])
        if not is_known or any(self.object_with(function) != home for function in functions):
            return None
        return int(handler + HANDLER_FUNCTIONS_AT)


def refuse_builds() -> None:
    """Raises Refused for interpreters whose objects, frames or allocators are of another kind."""
    if sys.implementation.name != "cpython" or sys.maxsize != (1 << 63) - 1:
        raise Refused("only a CPython of 64 bits can be sampled")
    if "t" in sys.abiflags or "free-threading" in sys.version:
        raise Refused("it has no GIL: the allocators of free-threaded builds cannot be sampled")
    if hasattr(sys, "gettotalrefcount"):
        raise Refused("it is a debug build, whose objects are laid out differently")


def cut(text: Any) -> str:
    """The beginning of a text, as a plain string whatever class the target made of it."""
    return str.__getitem__(text, slice(TEXT))
