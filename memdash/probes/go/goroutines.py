"""The census of goroutines: all of them, read where they stand, none of them stopped.

``allgs`` holds a pointer to every goroutine there has ever been; those that ended are used again. One system call
fetches 1024 of them. Most rest from one look to the next, and then nothing of them is worked out anew; whose stack may
have changed without a trace has it read again. Source: runtime/runtime2.go (g, gobuf), runtime/proc.go (allgs, gopark,
execute), runtime/mgcmark.go (where waitsince is set).
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.probes.go.goroutine import Goroutine, GoroutineRecord
from memdash.probes.go.program import Program
from memdash.probes.go.stacks import NO_STACK, Alike, Stack, Stacks
from memdash.process.memory import ReadPlan

__all__ = ["GoroutineReader", "Kind", "Tally"]

_BATCH = 1024
"""As many as one system call takes."""

_MOST_GOROUTINES = 10_000_000
_LARGEST_STACK_BYTES = 1 << 32
_MOST_TRIES = 4
_MOST_KINDS_KEPT = 1 << 16
_MOST_WALKS = 1 << 15
"""So many stacks never seen before are walked in one census, 40 µs each; the rest waits for the next one."""

_SMALLEST_PIECE, _LARGEST_PIECE = 256, 32 << 10
"""Stacks are fetched in pieces whose sizes are powers of 2, as stacks are, of which none is smaller than 2048."""

_PIECES_BYTES = 512 << 10

_GONE = "_Gidle _Gdead _Gdeadextra"
_PARKED = "_Gwaiting _Gleaked"
_RESTING = "_Grunnable _Gsyscall _Gwaiting _Gpreempted _Gleaked"
"""In these a goroutine does not run Go code, and its stack is as it left it."""


class Kind(NamedTuple):
    """What goroutines have in common that are counted together.

    ``status`` is one of the runtime's, ``reason`` its waitReason while it is parked, else 0; ``created_at`` is the
    return address of the go statement, ``started_at`` the entry of the first function.
    """

    status: int
    reason: int
    created_at: int
    started_at: int
    stack: Stack


class Tally(NamedTuple):
    """How many there are of a kind, the bytes of their stacks, since when the first of them is known to wait.

    That is in nanoseconds of the monotonic clock, 0 when of none: the runtime notes it in the first collection that
    finds a goroutine waiting.
    """

    number: int
    stack_bytes: int
    waits_since_ns: int


_SINCE = Goroutine._fields.index("waits_since_ns")


def _is_another(new: tuple[int, ...], old: tuple[int, ...] | None) -> bool:
    """Whether more has changed of a goroutine than since when it waits."""
    return old is None or new[:_SINCE] != old[:_SINCE] or new[_SINCE + 1 :] != old[_SINCE + 1 :]


class _Piece(NamedTuple):
    """Of one goroutine, where what identifies its stack is read, and where in that its stack pointer stands."""

    goroutine: int
    start: int
    offset: int
    alike: Alike


class _Batch:
    """Up to 1024 goroutines: what was read of them last, and what each was found to be.

    ``open`` are those whose stack may change without showing it: the runtime has not noted since when they wait. Their
    stacks are in ``pieces``, start addresses by size, whose content had that ``digest``.
    """

    __slots__ = ("addresses", "digest", "kinds", "open", "packed", "pieces", "tallies")

    def __init__(self, addresses: array[int]) -> None:
        self.addresses = addresses
        self.packed = b""
        self.kinds: list[Kind | None] = [None] * len(addresses)
        self.open: set[int] = set()
        self.pieces: list[tuple[int, array[int]]] = []
        self.digest: int | None = None
        self.tallies: dict[Kind, Tally] = {}

    def count(self, rows: Sequence[tuple[int, ...]]) -> None:
        """Add up what was found."""
        found: dict[Kind, list[int]] = {}
        for kind, row in zip(self.kinds, rows, strict=True):
            if kind is None:
                continue
            stack_bytes, since = row[1] - row[0], row[_SINCE]
            held = found.get(kind)
            if held is None:
                found[kind] = [1, stack_bytes, since]
                continue
            held[0] += 1
            held[1] += stack_bytes
            if since and (since < held[2] or not held[2]):
                held[2] = since
        self.tallies = {kind: Tally(*held) for kind, held in found.items()}


def _added(one: Tally, other: Tally) -> Tally:
    """Two tallies of one kind together."""
    since, since_too = one.waits_since_ns, other.waits_since_ns
    first = min(since, since_too) or since or since_too
    return Tally(one.number + other.number, one.stack_bytes + other.stack_bytes, first)


class GoroutineReader:
    """Counts again and again; only what has changed since is worked out anew."""

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused, and what reading memory raises."""
        self._memory = program.memory
        self._allglen, self._allgptr = program.addresses["allglen"], program.addresses["allgptr"]
        self._record = GoroutineRecord(program)
        self._plan = self._memory.plan([(0, self._record.size)] * _BATCH)
        self._stack_plans: dict[int, ReadPlan] = {}
        self._stacks = Stacks(program)
        self._batches: list[_Batch] = []
        self._kinds: dict[Kind, Kind] = {}
        self._walks_left = 0
        self._scan = program.constant("_Gscan")
        self._gone, self._parked, self._resting = (
            frozenset(program.layout.constants[name] for name in names.split() if name in program.layout.constants)
            for names in (_GONE, _PARKED, _RESTING)
        )

    def read(self) -> dict[Kind, Tally]:
        """All goroutines that have not ended, by kind. Raises BadRead, AccessDenied, TargetExited."""
        self._follow()
        self._walks_left = _MOST_WALKS
        total: dict[Kind, Tally] = {}
        for batch in self._batches:
            self._update(batch)
            for kind, tally in batch.tallies.items():
                held = total.get(kind)
                total[kind] = tally if held is None else _added(held, tally)
        if len(self._kinds) > _MOST_KINDS_KEPT + 2 * len(total):
            self._kinds = {kind: kind for kind in total}
        return total

    def ids(self) -> dict[Kind, list[int]]:
        """The goroutine ids of each kind, as of the last reading."""
        found: dict[Kind, list[int]] = {}
        for batch in self._batches:
            for kind, number in zip(batch.kinds, self._record.numbers(batch.packed), strict=True):
                if kind is not None:
                    found.setdefault(kind, []).append(number)
        return found

    def _follow(self) -> None:
        """Take in the goroutines that are new: their number only grows, and none ever moves."""
        count, pointers = self._memory.u64(self._allglen), self._memory.u64(self._allgptr)
        if count > _MOST_GOROUTINES:
            raise BadRead(f"{count} goroutines cannot be")
        if count == sum(len(batch.addresses) for batch in self._batches):
            return
        known = min(count, sum(len(batch.addresses) for batch in self._batches)) // _BATCH
        del self._batches[known:]
        new = array("Q", self._memory.read(pointers + 8 * known * _BATCH, 8 * (count - known * _BATCH)))
        self._batches += [_Batch(new[at : at + _BATCH]) for at in range(0, len(new), _BATCH)]

    def _update(self, batch: _Batch) -> None:
        """Read a batch and find out what became of those that changed, or may have."""
        packed = self._record.packed(self._plan.read_at(batch.addresses))
        rests = bool(batch.open) and self._rests(batch)
        if packed == batch.packed and (rests or not batch.open):
            return
        count = len(batch.addresses)
        rows = list(self._record.rows(packed, count))
        before = list(self._record.rows(batch.packed, count)) if batch.packed else [None] * count
        if rests and not any(map(_is_another, rows, before)):
            batch.open = {i for i in batch.open if not rows[i][_SINCE]}
            batch.packed = packed
            batch.count(rows)
            return
        changed = [i for i, (new, old) in enumerate(zip(rows, before, strict=True)) if new != old or i in batch.open]
        kinds = batch.kinds.copy()
        resting: dict[int, Goroutine] = {}
        for i in changed:
            g = Goroutine._make(rows[i])
            if self._has_stack(g):
                resting[i] = g
            else:
                kinds[i] = self._kind(g, NO_STACK)
        batch.open.difference_update(changed)
        batch.open.update([i for i, g in resting.items() if not g.waits_since_ns])
        self._walk_one_of_each(batch, resting)
        stacks = self._known(batch, resting)
        for i, g in resting.items():
            stack = stacks.get(i)
            if stack is not None:
                kinds[i] = self._kind(g, stack)
                continue
            if i in batch.open:
                batch.digest = None
            if self._walks_left:
                self._walks_left -= 1
                kinds[i] = self._walked(batch.addresses[i])
            else:
                kinds[i] = self._kind(g, NO_STACK)
                batch.open.add(i)
        if packed != batch.packed or kinds != batch.kinds:
            batch.packed, batch.kinds = packed, kinds
            batch.count(rows)

    def _has_stack(self, g: Goroutine) -> bool:
        is_resting = g.status & ~self._scan in self._resting
        return is_resting and g.stack_start < g.sp < g.stack_end < g.stack_start + _LARGEST_STACK_BYTES

    def _kind(self, g: Goroutine, stack: Stack) -> Kind | None:
        """What a goroutine is; None when it has ended."""
        status = g.status & ~self._scan
        if status in self._gone:
            return None
        reason = g.reason if status in self._parked else 0
        kind = Kind(status, reason, g.created_at, g.started_at, stack)
        return self._kinds.setdefault(kind, kind)

    def _walk_one_of_each(self, batch: _Batch, resting: Mapping[int, Goroutine]) -> None:
        """So that the others of a new kind are found among the known ones."""
        places = {g.place: i for i, g in resting.items() if self._stacks.alike(g.place) is None}
        for i in places.values():
            if self._walks_left:
                self._walks_left -= 1
                self._walked(batch.addresses[i])

    def _known(self, batch: _Batch, resting: Mapping[int, Goroutine]) -> dict[int, Stack]:
        """The stacks among these that have been walked before. What is read of them stays in the batch."""
        by_size: dict[int, list[_Piece]] = {}
        for i, g in resting.items():
            alike = self._stacks.alike(g.place)
            if alike is not None and alike.needed_bytes <= _LARGEST_PIECE:
                size = max(1 << (alike.needed_bytes - 1).bit_length(), _SMALLEST_PIECE)
                start = max(min(g.sp, g.stack_end - size), 0)
                by_size.setdefault(size, []).append(_Piece(i, start, g.sp - start, alike))
        found: dict[int, Stack] = {}
        batch.pieces.clear()
        batch.digest = 0
        for size, pieces in by_size.items():
            most = min(_BATCH, _PIECES_BYTES // size)
            for at in range(0, len(pieces), most):
                self._look_up(batch, size, pieces[at : at + most], found)
        return found

    def _look_up(self, batch: _Batch, size: int, pieces: Sequence[_Piece], found: dict[int, Stack]) -> None:
        """Fetch pieces of stacks together, none beyond its stack, and look them up."""
        starts = array("Q", [piece.start for piece in pieces])
        try:
            content = self._fetched(size, starts)
        except BadRead:
            return  # one of them is gone: each will be looked at alone
        batch.pieces.append((size, starts))
        batch.digest = hash((batch.digest, content.tobytes()))
        for at, piece in enumerate(pieces):
            stack = piece.alike.find(content, at * size + piece.offset)
            if stack is not None:
                found[piece.goroutine] = stack

    def _rests(self, batch: _Batch) -> bool:
        """Whether the stacks of a batch show what they showed: 0.4 ms for 1024, a tenth of looking them up."""
        if batch.digest is None:
            return False
        digest = 0
        try:
            for size, starts in batch.pieces:
                digest = hash((digest, self._fetched(size, starts).tobytes()))
        except BadRead:
            return False
        return digest == batch.digest

    def _fetched(self, size: int, starts: array[int]) -> memoryview:
        plan = self._stack_plans.get(size)
        if plan is None:
            parts = [(0, size)] * min(_BATCH, _PIECES_BYTES // size)
            plan = self._stack_plans[size] = self._memory.plan(parts)
        return plan.read_at(starts)

    def _walked(self, address: int) -> Kind | None:
        """What a goroutine is, with its stack walked, all as of one moment: it is looked at before and after."""
        g = self._alone(address)
        for _ in range(_MOST_TRIES):
            if not self._has_stack(g):
                break
            try:
                content = self._memory.read(g.sp, g.place.walked_bytes)
            except BadRead:
                content = b""
            before, g = g, self._alone(address)
            if g == before:
                try:
                    return self._kind(g, self._stacks.walk(g.place, content))
                except BadRead:
                    break
        return self._kind(g, NO_STACK)

    def _alone(self, address: int) -> Goroutine:
        content = memoryview(self._memory.read(address, self._record.size))
        (row,) = self._record.rows(self._record.packed(content), 1)
        g = Goroutine._make(row)
        return g._replace(status=g.status & ~self._scan)
