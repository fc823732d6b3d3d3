"""A snapshot without what tells whose it is: for reports that leave the house.

Gone are arguments, paths and names of files, names of processes, threads and users, hosts and addresses; names of
functions and types, line numbers and figures stay. What is gone leaves a placeholder, always the same for the same
thing and key, so that two reports can be compared. They are keyed hashes: who does not have the key cannot find out by
trying whether one stands for a name that they think of.

It is done before any format sees the snapshot: a walk over all of it, in which each text is either known to be
harmless, replaced as a whole, or searched word by word for what is to go. Rather too much goes than too little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from memdash.exports.redact_words import SecretWords
from memdash.model.family import Member
from memdash.model.missing import Missing
from memdash.model.objects import TypeCount
from memdash.model.profile import Frame
from memdash.model.residence import MappingGroup
from memdash.model.snapshot import Snapshot, TaskGroup
from memdash.model.system import Cgroup
from memdash.model.target import Target
from memdash.model.tasks import Task, TaskKind

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["redacted"]

Found = TypeVar("Found", bound="DataclassInstance")

_HARMLESS_FILE = re.compile(r"|<string>|<stdin>|<frozen [\w.]+>|\(no \w+( \w+)?\)")
_HARMLESS_MEMORY = re.compile(r"|\[(heap|stack|vdso|vvar|vvar_vclock|vsyscall|uprobes)\]|Go: [a-z ]+")
_SOURCES = re.compile(r"\.(go|s|py|pyx|pyi|c|cc|cpp|cxx|h|hpp|rs|so|java|js|ts|rb|zig)$")


def redacted(snapshot: Snapshot, key: bytes, more: Iterable[str] = ()) -> Snapshot:
    """``snapshot`` with placeholders; ``more`` are words of this machine, such as its name and that of the user.

    ``key`` has 64 bytes at most. Courses of rows, which no report shows, are left out. 10 000 sites of 30 frames each
    take 0.4 s.
    """
    return _Redaction(snapshot, key, more).of(snapshot)


class _Redaction:
    """One walk; what has been seen before is not looked at again."""

    def __init__(self, snapshot: Snapshot, key: bytes, more: Iterable[str]) -> None:
        self._key = key
        self._frames: dict[Frame, Frame] = {}
        self._words = SecretWords(self._placeholder, self._file)
        self._special: dict[type, Callable[[Any], object]] = {
            Frame: self._frame,
            Target: self._target,
            Member: self._member,
            Cgroup: lambda cgroup: replace(self._parts(cgroup), path=self._placeholder("cgroup", cgroup.path)),
            MappingGroup: lambda group: group._replace(name=self._memory(group.name)),
            TypeCount: lambda row: row._replace(name=self._words.without_paths(row.name)),
            Task: self._task,
            TaskGroup: lambda group: replace(self._parts(group), key=self._placeholder("key", group.key)),
        }
        self._look_around(snapshot, more)

    def of(self, snapshot: Snapshot) -> Snapshot:
        muted = {self._words.without(rule): until for rule, until in snapshot.muted.items()}
        return replace(self._parts(replace(snapshot, muted={}, courses={})), muted=muted)

    def _look_around(self, snapshot: Snapshot, more: Iterable[str]) -> None:
        """Learn which words are to go, and which are names of functions."""
        target, words = snapshot.target, self._words
        words.add("user", more)
        url = urlsplit(target.url)
        words.add("host", (url.netloc, url.hostname or "", url.path))
        words.add("program", (target.name, target.exe))
        words.add("argument", target.argv)
        family = snapshot.sample.family
        if not isinstance(family, Missing):
            words.add("process", (text for member in family.members for text in (member.name, member.role)))
        system = snapshot.sample.system
        if not isinstance(system, Missing) and not isinstance(system.cgroup, Missing):
            words.add_path(system.cgroup.path)
        mappings = snapshot.sample.mappings
        if not isinstance(mappings, Missing):
            for group in mappings.groups:
                words.add_file(group.name if group.name.startswith("/") else "")
        for frame in _frames_in(snapshot):
            words.add_frame(frame)

    def _placeholder(self, kind: str, text: str) -> str:
        if not text:
            return ""
        digest = blake2b(text.encode(errors="surrogatepass"), key=self._key, digest_size=4)
        return f"{kind}-{digest.hexdigest()}"

    def _file(self, path: str) -> str:
        """``file-1a2b3c4d.go``: what kind of source it is stays."""
        if _HARMLESS_FILE.fullmatch(path):
            return path
        source = _SOURCES.search(path)
        return self._placeholder("file", path) + (source[0] if source else "")

    def _frame(self, frame: Frame) -> Frame:
        held = self._frames.get(frame)
        if held is None:
            function = self._words.without_paths(frame.function)
            held = self._frames[frame] = Frame(function, self._file(frame.file), frame.line)
        return held

    def _target(self, target: Target) -> Target:
        return replace(
            target,
            name=self._placeholder("program" if target.is_local else "host", target.name),
            argv=(self._placeholder("arguments", "\0".join(target.argv)),) if target.argv else (),
            exe=self._file(target.exe),
            url=f"http://{self._placeholder('host', target.url)}" if target.url else "",
            runtime_version=self._words.without(target.runtime_version),
        )

    def _member(self, member: Member) -> Member:
        name, role = self._placeholder("program", member.name), self._placeholder("process", member.role)
        return replace(self._parts(member), name=name, role=role)

    def _task(self, task: Task) -> Task:
        """A goroutine is called after the function that it began with."""
        if task.kind is TaskKind.GOROUTINE:
            name = self._words.without_paths(task.name)
        else:
            name = self._placeholder(task.kind.value, task.name)
        return replace(self._parts(task), name=name)

    def _memory(self, name: str) -> str:
        if _HARMLESS_MEMORY.fullmatch(name):
            return name
        return self._file(name) if name.startswith("/") else self._placeholder("memory", name)

    def _seen(self, value: Any) -> Any:
        """The same without; the very same where nothing had to go."""
        special = self._special.get(type(value))
        if special is not None:
            return special(value)
        if isinstance(value, Enum) or value is None or isinstance(value, (int, float, bytes)):
            return value
        if isinstance(value, str):
            return self._words.without(value)
        if isinstance(value, tuple):
            parts = [self._seen(part) for part in value]
            if all(now is then for now, then in zip(parts, value, strict=True)):
                return value
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        if isinstance(value, Mapping):
            return {name: self._seen(part) for name, part in value.items()}
        return self._parts(value) if is_dataclass(value) and not isinstance(value, type) else value

    def _parts(self, value: Found) -> Found:
        """A dataclass with its fields seen; the special ones come here for those they do not know themselves."""
        changed: dict[str, Any] = {}
        for field in fields(value):
            then = getattr(value, field.name)
            now = self._seen(then)
            if now is not then:
                changed[field.name] = now
        return replace(value, **changed) if changed else value


def _frames_in(snapshot: Snapshot) -> Iterable[Frame]:
    """Every frame once, wherever it stands."""
    found: dict[Frame, None] = {}
    profiles = (snapshot.sample.sites, snapshot.before.sites)
    for profile in profiles:
        if not isinstance(profile, Missing):
            found.update((frame, None) for site in profile.sites for frame in site.stack)
    if not isinstance(snapshot.groups, Missing):
        found.update((group.frame, None) for group in snapshot.groups)
    tasks = () if isinstance(snapshot.sample.tasks, Missing) else snapshot.sample.tasks.groups
    groups = () if isinstance(snapshot.tasks, Missing) else snapshot.tasks
    for task in (*tasks, *(task for group in groups for task in group.tasks)):
        found.update((frame, None) for frame in task.stack)
        if isinstance(task.created_by, Frame):
            found[task.created_by] = None
    for group in groups:
        found[group.frame] = None
        if isinstance(group.created_by, Frame):
            found[group.created_by] = None
    return found
