"""Which tasks have leaked: those that are still there when they should long have ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from memdash.analysis.charges import Charge, Excuse, Program, judged
from memdash.analysis.staying import Expected, Staying, staying
from memdash.model.missing import Maybe, Missing
from memdash.model.tasks import TaskKey, Tasks
from memdash.units import count, duration

__all__ = ["Suspect", "suspects"]

_UNCOUNTED = Missing("nobody has counted the open files")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A group that stays, and what it is accused of, or why it is not.

    ``searched`` says that the runtime has searched for those that nothing can wake.
    """

    stay: Staying
    judged: Charge | Excuse
    searched: bool = False

    @property
    def charge(self) -> Charge | None:
        """What they are accused of, None where they are not."""
        return self.judged if isinstance(self.judged, Charge) else None

    @property
    def verdict(self) -> str:
        """In a word or two: what they are accused of, else ``staying``."""
        return self.charge.value if self.charge else "staying"

    @property
    def evidence(self) -> str:
        """In one line: proof, growth and age, as far as they are known."""
        stay, task = self.stay, self.stay.task
        words = ["proven, for nothing can ever wake them"] if task.is_leaked else []
        if stay.first != stay.last:
            words.append(f"{count(stay.first)} at the first look, {count(stay.last)} at the last")
        if stay.are_same:
            some = f"{count(stay.number)} of them " if stay.number < max(stay.first, stay.last) else ""
            words.append(f"{some}the same at every look")
        elif stay.first == stay.last:
            words.append("as many at every look")
        if self.searched and not task.is_leaked:
            words.append("not found by the runtime's own search")
        if not isinstance(task.waiting_s, Missing):
            words.append(f"waiting for at least {duration(task.waiting_s)}")
        return " · ".join(words)


def suspects(
    looks: Sequence[Tasks],
    expected: Expected,
    *,
    searched: bool = False,
    loops: Collection[TaskKey] = (),
    files: Maybe[float] = _UNCOUNTED,
) -> tuple[Suspect, ...]:
    """What all of these looks show and nobody expects, accused or not; none without a look.

    What is accused comes first, what is proven before what grows and what is only many, then the most. Groups in
    ``loops`` were seen to go on; ``files`` is the number of open files.
    """
    if not looks:
        return ()
    program = Program.seen(looks, files, loops)
    found = (Suspect(stay, judged(stay, expected, program), searched) for stay in staying(looks, expected))
    return tuple(sorted(found, key=_rank))


_CHARGES = list(Charge)


def _rank(suspect: Suspect) -> tuple[int, int, str]:
    at = _CHARGES.index(suspect.charge) if suspect.charge else len(_CHARGES)
    return at, -suspect.stay.number, suspect.stay.task.name
