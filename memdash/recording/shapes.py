"""Model values as plain trees (dicts, lists, numbers, text, bytes, None), and back, by what their types say.

A dataclass is a dict by field, a NamedTuple a list, an enum its value, and Missing ``{"?": [why, hint]}``. A frame of a
stack is its number in a pool, because a profile repeats its outer frames in each stack; an instant is whole
microseconds; a tuple or set of ints is one run of bytes; rows of numbers alone are lists by column. What is read is
checked against the types, because a file may hold anything.
"""

from __future__ import annotations

import types
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

from memdash.model.gc import Pause
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.sample import Instant

__all__ = ["LATEST_S", "UNREADABLE", "Plain", "Pool", "UnknownMemberError", "dumped", "loaded"]

Plain: TypeAlias = Any
"""What msgpack takes."""

UNREADABLE = (TypeError, ValueError, AttributeError, LookupError, OverflowError, RecursionError)
"""What comes out where a tree is not of the shape that its type says."""


class UnknownMemberError(Exception):
    """An enum has no such member yet: a later memdash wrote it."""


_RINGS = (Pause,)
"""Rows of which there are always the newest so many: all of them move when one is added."""

_MISSING_KEY = "?"
_OLDER = Missing("this recording was made before memdash read it")
_MICRO = 1e6
_LARGEST = 1e40
"""What is whole and does not fit into 64 bits is written as its magnitude; no figure of a program is larger."""
LATEST_S = 250_000_000_000
"""No calendar of Python goes much further: that is in the year 9892."""


class Pool:
    """Frames by number, each once. Seeded with those of an earlier tree, equal stacks are equal numbers in both."""

    def __init__(self, frames: Iterable[Frame] = ()) -> None:
        self.frames = list(frames)
        self._numbers = {frame: number for number, frame in enumerate(self.frames)}

    def number(self, frame: Frame) -> int:
        """Of this frame, which may be new."""
        number = self._numbers.setdefault(frame, len(self.frames))
        if number == len(self.frames):
            self.frames.append(frame)
        return number


class _Shape(NamedTuple):
    """How values of one type become plain, and what plain values become of that type."""

    dump: Callable[[Any, Pool], Plain]
    load: Callable[[Plain, Sequence[Frame]], Any]


def dumped(kind: Any, value: object, pool: Pool) -> Plain:
    """``value``, which is a ``kind``, as a plain tree whose frames are numbers in ``pool``."""
    return _shape(kind).dump(value, pool)


def loaded(kind: Any, tree: Plain, frames: Sequence[Frame]) -> Any:
    """The ``kind`` that ``tree`` stands for. Raises one of UNREADABLE when it stands for none."""
    return _shape(kind).load(tree, frames)


@cache
def _shape(kind: Any) -> _Shape:
    if kind is Frame:
        return _Shape(lambda frame, pool: pool.number(frame), lambda tree, frames: frames[_natural(tree)])
    if kind is Instant:
        return _Shape(
            lambda at, _: [round(at.wall_s * _MICRO), round(at.mono_s * _MICRO)],
            lambda tree, _: Instant(_wall_s(tree[0]), _number(tree[1]) / _MICRO),
        )
    if kind is Missing:
        return _Shape(
            lambda missing, _: {_MISSING_KEY: [missing.why, missing.hint]},
            lambda tree, _: Missing(*(_text(part) for part in tree[_MISSING_KEY][:2])),
        )
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union(get_args(kind))
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin is frozenset:
        return _Shape(lambda found, _: _run(sorted(found)), lambda tree, _: frozenset(_unrun(tree)))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(*get_args(kind))
    if kind in _SCALARS:
        return _scalar(kind)
    if issubclass(kind, Enum):
        return _Shape(lambda member, _: member.value, lambda tree, _: _member(kind, tree))
    if is_dataclass(kind):
        return _dataclass(kind)
    if issubclass(kind, tuple):
        return _named_tuple(kind)
    raise TypeError(f"nothing tells how to write a {kind}")


def _member(kind: type[Enum], tree: Plain) -> Enum:
    try:
        return kind(tree)
    except ValueError:
        if type(tree) is not type(next(iter(kind)).value):
            raise
        raise UnknownMemberError(f"{tree!r} as a {kind.__name__.lower()}") from None


def _number(tree: Plain) -> float:
    if type(tree) not in (int, float):
        raise TypeError("no number")
    number: float = tree
    return number


def _wall_s(tree: Plain) -> float:
    wall_s = _number(tree) / _MICRO
    if not 0 <= wall_s < LATEST_S:
        raise ValueError("a time in no year")
    return wall_s


def _natural(tree: Plain) -> int:
    if type(tree) is not int or tree < 0:
        raise TypeError("no number of anything")
    return tree


def _text(tree: Plain) -> str:
    if type(tree) is not str:
        raise TypeError("no text")
    return tree


def _scalar(*kinds: type[Any]) -> _Shape:
    """Any of these; one kind of number may stand for another, as in Python."""
    taken = {other for kind in kinds for other in ((int, float, bool) if kind in (int, float) else (kind,))}
    is_whole = int in kinds and float not in kinds

    def load(tree: Plain, _frames: Sequence[Frame]) -> Any:
        if type(tree) not in taken or (is_whole and type(tree) is float and not abs(tree) < _LARGEST):
            raise TypeError(f"a {type(tree).__name__} where none belongs")
        return tree

    return _Shape(lambda value, _: value, load)


_SCALARS = (int, float, bool, str, type(None))


def _union(kinds: Sequence[Any]) -> _Shape:
    """Of one kind and what may stand for it: Missing, None; or of scalars."""
    rest = [kind for kind in kinds if kind not in (Missing, type(None))]
    if len(rest) > 1 and not all(kind in _SCALARS for kind in rest):
        raise TypeError(f"nothing tells these apart: {rest}")
    inner, missing = _shape(rest[0]) if len(rest) == 1 else _scalar(*rest), _shape(Missing)

    def dump(value: Any, pool: Pool) -> Plain:
        if type(value) is Missing:
            return missing.dump(value, pool)
        return None if value is None else inner.dump(value, pool)

    def load(tree: Plain, frames: Sequence[Frame]) -> Any:
        if tree is None and type(None) in kinds:
            return None
        if Missing in kinds and type(tree) is dict and _MISSING_KEY in tree:
            return missing.load(tree, frames)
        return inner.load(tree, frames)

    return _Shape(dump, load)


def _tuple(kinds: Sequence[Any]) -> _Shape:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        if kinds[0] is int:
            return _Shape(lambda found, _: _run(found), lambda tree, _: _unrun(tree))
        if kinds[0] is Frame:
            return _Shape(lambda found, pool: [pool.number(frame) for frame in found], _stack)
        if is_dataclass(kinds[0]) and (columns := _numeric(kinds[0])):
            return _rows(kinds[0], columns)
        item = _shape(kinds[0])
        return _Shape(
            lambda found, pool: [item.dump(value, pool) for value in found],
            lambda tree, frames: tuple([item.load(part, frames) for part in _list(tree)]),
        )
    parts = [_shape(kind) for kind in kinds]
    return _Shape(
        lambda found, pool: [part.dump(value, pool) for part, value in zip(parts, found, strict=True)],
        lambda tree, frames: tuple([part.load(value, frames) for part, value in zip(parts, _list(tree), strict=True)]),
    )


def _numeric(kind: Any) -> list[tuple[str, type[Any]]]:
    """The fields of a row that is nothing but numbers, else none."""
    hints = get_type_hints(kind)
    columns = [(field.name, hints[field.name]) for field in fields(kind)]
    return columns if all(column in (int, float) for _, column in columns) else []


def _rows(kind: Any, columns: Sequence[tuple[str, type[Any]]]) -> _Shape:
    def dump(found: Any, _pool: Pool) -> Plain:
        listed = {name: [getattr(row, name) for row in found] for name, _ in columns}
        if kind in _RINGS:
            return {name: _run(listed[name], "q" if column is int else "d") for name, column in columns}
        return listed

    def load(tree: Plain, _frames: Sequence[Frame]) -> Any:
        cells = [_unrun(tree[name], "q" if column is int else "d") for name, column in columns if name in tree]
        return tuple([kind(*row) for row in zip(*cells, strict=True)])

    return _Shape(dump, load)


def _stack(tree: Plain, frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """All at once: these are most of what there is to read."""
    numbers = _list(tree)
    if numbers and (set(map(type, numbers)) != {int} or min(numbers) < 0):
        raise TypeError("no numbers of frames")
    return tuple(map(frames.__getitem__, numbers))


def _list(tree: Plain) -> list[Plain]:
    if type(tree) is not list:
        raise TypeError("no list")
    return tree


def _run(numbers: Sequence[float], code: Literal["q", "d"] = "q") -> Plain:
    """Fixed width: where a ring has moved by one, all but one number are found again by the compressor."""
    try:
        return array(code, numbers).tobytes()
    except (OverflowError, TypeError):
        return list(numbers)


def _unrun(tree: Plain, code: Literal["q", "d"] = "q") -> tuple[Any, ...]:
    if type(tree) is bytes:
        numbers = array(code)
        numbers.frombytes(tree)
        return tuple(numbers)
    return tuple([_number(part) for part in _list(tree)])


def _mapping(key_kind: Any, kind: Any) -> _Shape:
    """What stands under a member that is not known yet is left out, as a field is that is not."""
    key, item = _shape(key_kind), _shape(kind)

    def load(tree: Plain, frames: Sequence[Frame]) -> Any:
        found = {}
        for name, value in tree.items():
            with suppress(UnknownMemberError):
                known = key.load(name, frames)
                found[known] = item.load(value, frames)
        return found

    return _Shape(
        lambda found, pool: {key.dump(name, pool): item.dump(value, pool) for name, value in found.items()}, load
    )


def _numbers(tree: Plain) -> Sequence[float]:
    if not set(map(type, _list(tree))) <= {int, float} or not all(abs(part) < _LARGEST for part in tree):
        raise TypeError("no numbers")
    numbers: Sequence[float] = tree
    return numbers


def _named_tuple(kind: Any) -> _Shape:
    hints = get_type_hints(kind)
    if set(map(hints.get, kind._fields)) == {int}:
        return _Shape(lambda found, _: list(found), lambda tree, _: kind(*_numbers(tree)))
    parts = [_shape(hints[name]) for name in kind._fields]
    return _Shape(
        lambda found, pool: [part.dump(value, pool) for part, value in zip(parts, found, strict=True)],
        lambda tree, frames: kind(*[part.load(value, frames) for part, value in zip(parts, _list(tree), strict=False)]),
    )


def _of_field(name: str, shape: _Shape) -> _Shape:
    """A field that says when something was says a time that a calendar has, whichever clock it is of."""
    if not name.endswith("at_s"):
        return shape

    def load(tree: Plain, frames: Sequence[Frame]) -> Any:
        at_s = shape.load(tree, frames)
        if type(at_s) in (int, float) and not 0 <= at_s < LATEST_S:
            raise ValueError("a time in no year")
        return at_s

    return _Shape(shape.dump, load)


def _dataclass(kind: Any) -> _Shape:
    hints = get_type_hints(kind)
    parts = [(field.name, _of_field(field.name, _shape(hints[field.name]))) for field in fields(kind)]
    later = {
        field.name: _OLDER
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING and Missing in get_args(hints[field.name])
    }

    def dump(value: Any, pool: Pool) -> Plain:
        return {name: part.dump(getattr(value, name), pool) for name, part in parts}

    def load(tree: Plain, frames: Sequence[Frame]) -> Any:
        if type(tree) is not dict:
            raise TypeError("no fields")
        return kind(**(later | {name: part.load(tree[name], frames) for name, part in parts if name in tree}))

    return _Shape(dump, load)
