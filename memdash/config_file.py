"""The configuration file: TOML, in the user's configuration directory or wherever ``--config`` says.

interval = "2s"
ascii = true
max = ["HeapAlloc=512MiB", "gc.pause_p99_ns=20ms"]

[[alert]]
name = "heap"
when = "HeapAlloc > 512MiB"
for = "30s"
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Any

from memdash.config import SETTINGS, Setting
from memdash.errors import UsageError
from memdash.spelling import meant

__all__ = ["default_file", "default_path", "load_file"]

_LARGEST_BYTES = 1 << 17
_MOST_DOTS = 1000
"""In a line: of a key ``a.a.a…`` of 64 KiB ``tomllib`` makes 20 s, with the square of its parts."""


def default_path() -> Path:
    """Where the user's configuration file is, or would be."""
    from platformdirs import user_config_path  # 8 ms, wanted once

    return user_config_path("memdash") / "config.toml"


def default_file() -> Path | None:
    """The user's configuration file, if there is one that can be seen."""
    path = default_path()
    try:
        return path if path.is_file() else None
    except OSError:  # somebody else's folder, as under su: no settings for us there
        return None


def load_file(path: Path, keys: Collection[str] | None = None, option: str = "--config") -> dict[str, object]:
    """Read a configuration file into values by setting name, checked for known keys and TOML types. UsageError.

    ``keys`` are those that it may hold, unless all may stand in it; ``option`` names the file.
    """
    import tomllib

    try:
        with open(path, "rb", opener=_opened) as file:
            content = file.read(_LARGEST_BYTES + 1) or b""  # a terminal at which nobody has typed
        if len(content) > _LARGEST_BYTES:
            raise UsageError(f"{path} is no configuration file: it is larger than any", f"name another with {option}")
        if any(line.count(b".") > _MOST_DOTS for line in content.splitlines()):
            raise UsageError(
                f"{path} is not TOML that memdash reads: a line of it has over {_MOST_DOTS} dots", "break it"
            )
        document = tomllib.loads(content.decode("utf-8-sig"))  # editors elsewhere begin a file with that mark
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", f"name an existing file with {option}") from None
    except (ValueError, RecursionError) as error:  # what tomllib says of text, and numbers and nesting beyond reason
        raise UsageError(f"{path} is not TOML: {error}", 'write lines like interval = "2s"') from None
    by_key = {setting.key or name: setting for name, setting in SETTINGS.items() if keys is None or name in keys}
    for key in document:
        if key not in by_key:
            raise UsageError(f"{path}: there is no setting {key!r}", meant(key, by_key, "the keys are"))
        if _holds_zero(document[key]):
            raise UsageError(f"{path}: {key}: no text may hold a zero byte", "leave away the \\u0000")
    return {by_key[key].name: _checked(path, by_key[key], value) for key, value in document.items()}


def _holds_zero(value: object) -> bool:
    """Whether there is one in any of its texts: no path and no word of a command can hold it."""
    if isinstance(value, dict):
        return any(map(_holds_zero, value.values()))
    return any(map(_holds_zero, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


def _opened(path: str, flags: int) -> int:
    """Of a pipe nobody knows whether anything will ever come, so it is not even waited for somebody to write to it."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or stat.S_ISCHR(mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "neither a file nor a device")


def _checked(path: Path, setting: Setting, value: object) -> object:
    import msgspec  # 30 ms, wanted only when a file exists

    many: type[list[Any]] = list[str] if setting.table is None else list[str | dict[str, object]]
    kind = bool if setting.is_switch else many if setting.many else str | int | float
    found: Any
    try:
        found = msgspec.convert([value] if setting.many and isinstance(value, (str, dict)) else value, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {setting.name}: {error}", f"its flag is --{setting.name}") from None
    if setting.table is None:
        return found
    return [
        setting.table(item, f"{path}: {setting.key or setting.name} {number}") if isinstance(item, dict) else item
        for number, item in enumerate(found, start=1)
    ]
