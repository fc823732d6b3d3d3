"""What ``memdash leaks`` prints: the accused with their stacks, of the others a line each; or all as one document."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from memdash.analysis.charges import Charge, Excuse
from memdash.analysis.leaks import Suspect
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.tasks import Task, TaskKind
from memdash.plain import plain
from memdash.tables.task_words import state_words
from memdash.units import count, duration

__all__ = ["document", "lines"]

_SPARED = "not accused, for they neither grow nor are many alike that nothing explains:"


def lines(suspects: Sequence[Suspect], kinds: frozenset[TaskKind]) -> Iterator[str]:
    """The accused with their stacks, what stays besides in a line each, and a summary.

    Where none are accused it says what was looked at: that memory does not leak is nothing it could tell.
    """
    accused = [suspect for suspect in suspects if suspect.charge]
    others = [suspect for suspect in suspects if not suspect.charge]
    for suspect in accused:
        yield from _group(suspect)
    if others:
        yield from (_SPARED, "")
        yield from _rows(others)
        yield ""
    yield _summary(accused, others, kinds)


def document(suspects: Sequence[Suspect], proof: Missing | None) -> dict[str, object]:
    """The same for programs; ``proof`` says why the runtime has not searched itself, None where it has."""
    from memdash.exports.json import task_row

    return {
        "schema": "memdash.leaks/2",
        "searched": proof is None,
        "missing": {"proof": proof.words} if proof else {},
        "leaks": [
            task_row(suspect.stay.task)
            | {
                "count": suspect.stay.number,
                "first": suspect.stay.first,
                "last": suspect.stay.last,
                "verdict": suspect.verdict,
                "accused": suspect.charge is not None,
                "spared": None if suspect.charge else suspect.judged.value,
                "proven": suspect.stay.task.is_leaked,
                "growth": suspect.stay.last - suspect.stay.first,
                "same": suspect.stay.are_same,
                "evidence": suspect.evidence,
            }
            for suspect in suspects
        ],
    }


def _summary(accused: Sequence[Suspect], others: Sequence[Suspect], kinds: frozenset[TaskKind]) -> str:
    besides = sum(map(_number, others))
    stay = "stays" if besides == 1 else "stay"
    if not accused:
        rest = "stays is not accused" if besides == 1 else "stay are not accused"
        words = " or ".join(sorted(kind.words(0) for kind in kinds)) or "goroutines or threads"
        return f"no leaked {words}" + (f" · {count(besides)} that {rest}" if besides else "")
    groups = f"{count(len(accused))} group{'s' * (len(accused) != 1)} accused"
    more = f" · {count(besides)} more {stay}" if besides else ""
    return f"{groups}, {count(sum(map(_number, accused)))} in all{more}"


def _number(suspect: Suspect) -> int:
    """Of those that grow all that there are now: who came last has not been there at every look."""
    return suspect.stay.last if suspect.charge is Charge.GROWTH else suspect.stay.number


def _group(suspect: Suspect) -> Iterator[str]:
    task = suspect.stay.task
    number = f"{count(_number(suspect))} {task.kind.words(_number(suspect))}"
    yield f"{number} · {plain(state_words(task))} · {suspect.verdict}: {suspect.evidence}"
    yield from (_frame(frame) for frame in task.stack)
    if not isinstance(task.created_by, Missing):
        yield f"{_frame(task.created_by)}  {'what it was begun with' if task.kind.is_begun_with else 'started it'}"
    yield ""


def _frame(frame: Frame) -> str:
    return f"    {plain(frame.function)}  {plain(frame.where())}".rstrip()


def _rows(others: Sequence[Suspect]) -> Iterator[str]:
    """How many, what they wait for and how long, where the program itself stands, and why not, where they are many.

    Those that differ only in how they came there are in one row.
    """
    alike = defaultdict[tuple[str, str, str], list[Task]](list)
    numbers = Counter[tuple[str, str, str]]()
    for suspect in others:
        task, why = suspect.stay.task, "" if suspect.judged is Excuse.FEW else f"  ({suspect.judged.value})"
        key = plain(state_words(task)), _place(task), why
        alike[key].append(task)
        numbers[key] += suspect.stay.number
    rows = [(number, _age(alike[key]), *key) for key, number in numbers.most_common()]
    number_width = max(len(count(number)) for number, *_ in rows)
    age_width, state_width = max(len(row[1]) for row in rows), max(len(row[2]) for row in rows)
    for number, age, state, place, why in rows:
        yield f"    {count(number):>{number_width}}  {state:<{state_width}}  {age:>{age_width}}  {place}{why}"


def _place(task: Task) -> str:
    return f"{plain(task.own.function)}{' started it' * task.is_creators}  {plain(task.own.where(parts=2))}".rstrip()


def _age(tasks: Sequence[Task]) -> str:
    """That of the one that has waited longest."""
    known = [task.waiting_s for task in tasks if not isinstance(task.waiting_s, Missing)]
    return f"≥{duration(max(known))}" if known else ""
