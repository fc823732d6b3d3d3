"""The census of goroutines: all of them, read where they stand, none of them stopped.

``allgs`` holds a pointer to every goroutine there has ever been; those that ended are used again. One system call
fetches 1024 of them. Most rest from one look to the next, and then nothing of them is worked out anew; whose stack may
have changed without a trace has it read again. What has to be worked out is worked out for all of a batch together,
field by field. Source: runtime/runtime2.go (g, gobuf), runtime/proc.go (allgs, gopark, execute), runtime/mgcmark.go
(where waitsince is set).
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from itertools import compress
from operator import ne
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.model.tasks import StackMark
from memdash.probes.go.goroutine import Common, Goroutine, GoroutineRecord, Goroutines
from memdash.probes.go.program import Program
from memdash.probes.go.stack_pieces import Parked, Pieces, StackPieces
from memdash.probes.go.stacks import NO_STACK, Stack, Stacks
from memdash.process.memory import ReadPlan
from memdash.process.rows import rows

__all__ = ["GoroutineReader", "Kind", "Tally"]

_BATCH = 1024
"""As many as one system call takes."""

_MOST_GOROUTINES = 10_000_000
_LARGEST_STACK_BYTES = 1 << 32
_MOST_TRIES = 4
_MOST_KINDS_KEPT = 1 << 16

_MARKED_BYTES = 1024
"""Of a stack so much is its mark: what waits in a select has the cases of that among it."""

_WORD_BYTES = 8
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


def _added(one: Tally | None, other: Tally) -> Tally:
    """Two tallies of one kind together."""
    if one is None:
        return other
    since, since_too = one.waits_since_ns, other.waits_since_ns
    first = min(since, since_too) or since or since_too
    return Tally(one.number + other.number, one.stack_bytes + other.stack_bytes, first)


class _Batch:
    """Up to 1024 goroutines: what was read of them last, and the stack that each was found to have.

    ``open`` are those whose stack may change without showing it: the runtime has not noted since when they wait. Their
    stacks are in ``pieces``, and had that ``digest``; without one nothing is known of them for certain.
    """

    __slots__ = ("addresses", "digest", "distance", "open", "packed", "pieces", "plan", "stacks", "tallies")

    def __init__(self, addresses: array[int], plan: ReadPlan, distance: int) -> None:
        self.addresses = addresses
        self.plan = plan
        self.distance = distance
        self.packed = b""
        self.stacks: list[Stack] = [NO_STACK] * len(addresses)
        self.open = array("H")
        self.pieces: list[Pieces] = []
        self.digest: int | None = None
        self.tallies: dict[Kind, Tally] = {}


class GoroutineReader:
    """Counts again and again; only what has changed since is worked out anew."""

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused, and what reading memory raises."""
        self._memory = program.memory
        self._allglen, self._allgptr = program.addresses["allglen"], program.addresses["allgptr"]
        self._record = GoroutineRecord(program)
        size = program.size("g")
        self._slot_bytes = next((slot for slot in program.layout.size_classes if slot >= size), size)
        self._plan = self._memory.plan([(0, max(self._slot_bytes, self._record.size))] * _BATCH)
        self._stacks = Stacks(program)
        self._pieces = StackPieces(self._memory, self._stacks)
        self._batches: list[_Batch] = []
        self._kinds: dict[Kind, Kind] = {}
        self._scan = program.constant("_Gscan")
        self._gone, self._parked, self._resting = (
            frozenset(program.layout.constants[name] for name in names.split() if name in program.layout.constants)
            for names in (_GONE, _PARKED, _RESTING)
        )

    def census(self) -> Generator[float, None, dict[Kind, Tally]]:
        """Count once: yields after each millisecond what share has been counted, returns those that have not ended.

        Raises BadRead, AccessDenied, TargetExited.
        """
        self._follow()
        total: dict[Kind, Tally] = {}
        for number, batch in enumerate(self._batches, 1):
            self._update(batch)
            for kind, tally in batch.tallies.items():
                total[kind] = _added(total.get(kind), tally)
            yield number / len(self._batches)
        if len(self._kinds) > _MOST_KINDS_KEPT + 2 * len(total):
            self._kinds = {kind: kind for kind in total}
        return total

    def ids(self) -> dict[Kind, list[int]]:
        """The goroutine ids of each kind, as of the last census; who moved during it may be of a kind of no tally."""
        found: dict[Kind, list[int]] = defaultdict(list)
        for batch in self._batches:
            fields = self._record.unpacked(batch.packed)
            for common, members in fields.alike():
                for i in members:
                    kind = self._kind(common, batch.stacks[i])
                    if kind is not None:
                        found[kind].append(fields.number[i])
        return found

    def marks(self, least: int, most: int) -> dict[Kind, frozenset[StackMark]]:
        """What the stacks of some hold that are parked, as of the last census: of ``most`` of each kind of ``least``.

        Who goes on and parks in the same place has another mark most often: what it did stands on its stack, and a
        select shuffles its cases there each time. Source: runtime/select.go (selectgo).
        """
        places: dict[Kind, list[tuple[int, int, int]]] = defaultdict(list)
        for batch in self._batches:
            fields = self._record.unpacked(batch.packed)
            for common, members in fields.alike():
                if self._is_parked(common):
                    size = min(common.live_bytes, _MARKED_BYTES)
                    for i in members[:most]:
                        kind = self._kind(common, batch.stacks[i])
                        if kind is not None:
                            places[kind].append((fields.number[i], fields.sp[i], size))
        return {kind: self._marked(found[:most]) for kind, found in places.items() if len(found) >= least}

    def _marked(self, places: Sequence[tuple[int, int, int]]) -> frozenset[StackMark]:
        plan = self._memory.plan([(sp, size) for _, sp, size in places])
        try:
            content = bytes(plan.read())
        except BadRead:
            return frozenset()  # one of these stacks has gone meanwhile
        ends = zip(places, plan.offsets, plan.offsets[1:], strict=False)
        return frozenset(StackMark(number, sp, hash(content[at:end])) for (number, sp, _), at, end in ends)

    def _follow(self) -> None:
        """Take in the goroutines that are new: their number only grows, and none ever moves, but for their list."""
        count, pointers = self._memory.u64(self._allglen), self._memory.u64(self._allgptr)
        if count > _MOST_GOROUTINES:
            raise BadRead(f"{count} goroutines cannot be")
        if count == sum(len(batch.addresses) for batch in self._batches):
            return
        known = min(count, sum(len(batch.addresses) for batch in self._batches)) // _BATCH
        new = array("Q", self._memory.read(pointers + 8 * known * _BATCH, 8 * (count - known * _BATCH)))
        if self._memory.u64(self._allgptr) != pointers:
            raise BadRead("the list of goroutines was moved while it was read")
        del self._batches[known:]
        self._batches += [self._batch(new[at : at + _BATCH]) for at in range(0, len(new), _BATCH)]

    def _batch(self, addresses: array[int]) -> _Batch:
        ordered = sorted(addresses)  # those that are neighbours in memory are read together
        distance = self._slot_bytes
        parts = rows(ordered, distance)
        if len(parts) == len(ordered):
            distance = self._record.size
            parts = [(address, distance) for address in ordered]
        return _Batch(array("Q", ordered), self._plan.beside(parts), distance)

    def _update(self, batch: _Batch) -> None:
        """Read a batch and find out what became of those that changed, or may have."""
        packed = self._record.packed(batch.plan.read(), batch.distance)
        rests = bool(batch.open) and batch.digest is not None and self._pieces.digest(batch.pieces) == batch.digest
        if packed == batch.packed and (rests or not batch.open):
            return
        new = self._record.unpacked(packed)
        changed = None
        if batch.packed:
            old = self._record.unpacked(batch.packed)
            noted = _differing([new.waits_since_ns], [old.waits_since_ns])
            others = _differing(new._replace(waits_since_ns=new.pc), old._replace(waits_since_ns=old.pc))
            if rests and not others:
                batch.open = array("H", [i for i in batch.open if not new.waits_since_ns[i]])
                batch.packed = packed
                batch.tallies = self._tallies(new.alike(), batch.stacks, {})
                return
            changed = noted.union(others, batch.open)
        self._look_at(batch, new, changed)
        batch.packed = packed

    def _look_at(self, batch: _Batch, fields: Goroutines, changed: set[int] | None) -> None:
        """Find the stacks of those that changed, of all if it is not known who did, and count the batch anew."""
        stacks, is_open = batch.stacks.copy(), array("H")
        alike = list(fields.alike())
        parked: list[Parked] = []
        for common, numbers in alike:
            members = numbers if changed is None else [i for i in numbers if i in changed]
            if members and self._is_parked(common):
                parked.append(Parked(common.place, members))
                if not common.waits_since_ns:
                    is_open.extend(members)
            else:
                for i in members:
                    stacks[i] = NO_STACK
        walked = self._walk(batch, [group.members[0] for group in parked if not self._stacks.alike(group.place)])
        found = self._pieces.look_up(parked, fields.sp, stacks)
        unknown, most = found.unknown, 1
        while unknown:
            rest = []
            for place, members in unknown:
                left = [i for i in members if i not in walked]
                walked |= self._walk(batch, left[:most])
                if left[most:]:
                    rest.append(Parked(place, left[most:]))
            unknown = self._pieces.look_up(rest, fields.sp, stacks).unknown
            most *= 2  # so that it ends soon, also when they are all different
        for i, (_, stack) in walked.items():
            stacks[i] = stack
        batch.pieces, batch.digest = found.pieces, None if walked else found.digest
        batch.open, batch.stacks = is_open, stacks
        batch.tallies = self._tallies(alike, stacks, walked)

    def _is_parked(self, common: Common) -> bool:
        is_resting = common.status & ~self._scan in self._resting
        is_on_stack = 0 < common.live_bytes < common.stack_bytes < _LARGEST_STACK_BYTES
        return is_resting and is_on_stack and not common.live_bytes % _WORD_BYTES

    def _tallies(
        self,
        alike: Iterable[tuple[Common, Sequence[int]]],
        stacks: Sequence[Stack],
        walked: Mapping[int, tuple[Goroutine, Stack]],
    ) -> dict[Kind, Tally]:
        """Count goroutines by kind; of those that were walked, what they are was read with their stack."""
        counted = [(g.common, {stack: 1}) for g, stack in walked.values()]
        for common, members in alike:
            rest = [i for i in members if i not in walked] if walked else members
            counted.append((common, Counter(map(stacks.__getitem__, rest))))
        found: dict[Kind, Tally] = {}
        for common, numbers in counted:
            for stack, number in numbers.items():
                kind = self._kind(common, stack)
                if kind is not None:
                    tally = Tally(number, number * common.stack_bytes, common.waits_since_ns)
                    found[kind] = _added(found.get(kind), tally)
        return found

    def _kind(self, common: Common, stack: Stack) -> Kind | None:
        """What a goroutine is; None when it has ended."""
        status = common.status & ~self._scan
        if status in self._gone:
            return None
        reason = common.reason if status in self._parked else 0
        kind = Kind(status, reason, common.created_at, common.started_at, stack)
        return self._kinds.setdefault(kind, kind)

    def _walk(self, batch: _Batch, members: Iterable[int]) -> dict[int, tuple[Goroutine, Stack]]:
        """Walk the stacks of some, 40 µs each: what each is, all as of one moment."""
        return {i: self._walked(batch.addresses[i]) for i in members}

    def _walked(self, address: int) -> tuple[Goroutine, Stack]:
        """What a goroutine is, looked at before and after its stack is walked."""
        g = self._alone(address)
        for _ in range(_MOST_TRIES):
            place = g.common.place
            if not self._is_parked(g.common):
                break
            try:
                content = self._memory.read(g.sp, place.walked_bytes)
            except BadRead:
                content = b""
            before, g = g, self._alone(address)
            if g == before:
                try:
                    return g, self._stacks.walk(place, content)
                except BadRead:
                    break
        return g, NO_STACK

    def _alone(self, address: int) -> Goroutine:
        content = memoryview(self._memory.read(address, self._record.size))
        (g,) = self._record.unpacked(self._record.packed(content, self._record.size)).each()
        return g._replace(status=g.status & ~self._scan)


def _differing(new: Iterable[Sequence[int]], old: Iterable[Sequence[int]]) -> set[int]:
    """In which places any of these differ from what they were."""
    found: set[int] = set()
    for now, before in zip(new, old, strict=True):
        if now != before:
            found.update(compress(range(len(now)), map(ne, now, before)))
    return found
