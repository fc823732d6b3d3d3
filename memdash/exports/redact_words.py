"""Sentences without certain words: they quote names, paths and arguments among words of memdash's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property

from memdash.model.profile import Frame

__all__ = ["SecretWords"]

_SHORTEST, _SHORTEST_NUMBER = 3, 6
"""What has fewer characters tells nothing, and stands everywhere."""

_VERSION = re.compile(r"v?\d{1,3}(\.\d{1,3}){1,2}")
_WORDS_AT_MOST = 2000
_PIECES = re.compile(r"[\s/=:,;&?#@'\"()\[\]{}|<>]+")
_TOKEN = re.compile(r"\S+")
_PLACE = re.compile(r"([('\"\[]*)(.+?)(:\d+)?([)'\"\],;:.]*)")
_PATH = re.compile(r"(?<![\w.)\]*>-])(?:~|\.{1,2})?/[^\s:,;'\"()]+")
_EXECUTED = re.compile(r"/.*(?= \(exec\)| anew)")
_OUR_PATHS = re.compile(r"/(s|min|h|d|proc/(\d+|self|PID|sys)(/[a-z_]+)*|debug/(pprof|vars)\S*)[.,;:)]*")
_ADDRESS = re.compile(
    r"\b\w+://\S+|\b[\w.+-]+@[\w-]+\.[\w.-]+|\b(?!127\.)\d{1,3}(?:\.\d{1,3}){3}\b|(?:[0-9a-f]{1,4}:){4,}[0-9a-f:]+"
)
_ORDINARY = frozenset(
    ("root", "memdash", "localhost", "bin", "sbin", "usr", "lib", "lib64", "local", "opt", "srv", "var", "home", "tmp")
)


class SecretWords:
    """Learn what is to go with the ``add`` methods, then ask.

    ``placeholder`` is called with a kind and a text, ``file`` with a path.
    """

    def __init__(self, placeholder: Callable[[str, str], str], file: Callable[[str], str]) -> None:
        self._placeholder = placeholder
        self._file = file
        self._kinds: dict[str, str] = {}
        self._folders: set[str] = set()
        self._files: dict[str, str] = {}
        self._functions: set[str] = set()
        self._known: dict[str, str] = {}

    def add(self, kind: str, texts: Iterable[str]) -> None:
        """Words that are to go wherever they stand: the texts, and the pieces that they are made of."""
        for text in texts:
            self.add_path(text)
            for word in (text.strip(), *(piece.strip("-.") for piece in _PIECES.split(text))):
                least = _SHORTEST_NUMBER if word.replace(".", "").isdecimal() else _SHORTEST
                is_telling = len(word) >= least and word.lower() not in _ORDINARY and not _VERSION.fullmatch(word)
                if is_telling and len(self._kinds) < _WORDS_AT_MOST:
                    self._kinds.setdefault(word, kind)

    def add_path(self, path: str) -> None:
        """A path of which no part may be left in another one."""
        self._folders |= {part for part in re.split(r"[/\s]+", path) if len(part) >= _SHORTEST} - _ORDINARY

    def add_frame(self, frame: Frame) -> None:
        """The name of its function stays, its file goes."""
        self._functions.add(frame.function)
        self.add_file(frame.file)

    def add_file(self, path: str) -> None:
        """A file that goes also where only the end of its path is quoted."""
        if not path or path in self._files:
            return
        parts = path.split("/")
        self._files[path] = path
        self.add_path(path)
        for end in ("/".join(parts[-2:]), parts[-1]):
            if end:
                self._files[end] = path if self._files.get(end, path) == path else end

    @cached_property
    def _secrets(self) -> re.Pattern[str] | None:
        words = sorted(self._kinds, key=len, reverse=True)
        if not words:
            return None
        return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, words))})(?![A-Za-z0-9])")

    def without(self, text: str) -> str:
        """A sentence without them; the very same object when there are none in it."""
        held = self._known.get(text)
        if held is None:
            changed = _EXECUTED.sub(lambda path: self._file(path[0]), text)
            changed = _TOKEN.sub(lambda token: self._token(token[0]), changed)
            held = self._known[text] = text if changed == text else changed
        return held

    def without_paths(self, name: str) -> str:
        """The name of a function or type: only what is a whole path in it goes."""
        return _PATH.sub(self._path, name) if "/" in name else name

    def _token(self, token: str) -> str:
        if token in self._functions or token.rstrip(",;:.)") in self._functions or _OUR_PATHS.fullmatch(token):
            return token
        place = _PLACE.fullmatch(token)
        if place is not None and place[2] in self._files:
            return f"{place[1]}{self._file(self._files[place[2]])}{place[3] or ''}{place[4]}"
        if place is not None and "/" in place[2] and not self._folders.isdisjoint(place[2].split("/")):
            return f"{place[1]}{self._file(place[2])}{place[3] or ''}{place[4]}"
        token = _ADDRESS.sub(lambda found: self._placeholder("host", found[0]), token)
        token = _PATH.sub(self._path, token)
        if self._secrets is None:
            return token
        return self._secrets.sub(lambda found: self._placeholder(self._kinds[found[0]], found[0]), token)

    def _path(self, found: re.Match[str]) -> str:
        return found[0] if _OUR_PATHS.fullmatch(found[0]) else self._file(found[0])
