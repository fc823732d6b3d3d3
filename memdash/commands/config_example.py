"""A configuration file in which every setting is explained and none is set."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from json import dumps

from memdash.config import SETTINGS, Setting

__all__ = ["example"]

_WIDTH = 98
_TABLES = {
    "alert": """\
name = "heap"
when = "HeapAlloc > 512MiB"
for = "30s"
cooldown = "30s"
severity = "critical"
""",
    "hook": """\
command = ["/usr/local/bin/page", "--team", "shop"]
severity = "critical"
rules = ["heap growth"]
timeout = "30s"
ended = true
""",
}
"""By key: what is said best as a table. TOML wants those last."""


def example() -> Iterator[str]:
    """The file, line by line. With every ``#`` that stands before a key or a table taken away it is TOML still."""
    yield "# Settings of memdash. Take the # away from those that you want. Flags and MEMDASH_* variables outrank them."
    for setting in SETTINGS.values():
        if _key(setting) not in _TABLES:
            yield ""
            yield from _explained(setting)
            yield f"#{_key(setting)} = {_value(setting)}"
    for setting in SETTINGS.values():
        if table := _TABLES.get(_key(setting)):
            yield ""
            yield from _explained(setting)
            yield f"#[[{_key(setting)}]]"
            yield from (f"#{line}" for line in table.splitlines())


def _key(setting: Setting) -> str:
    return setting.key or setting.name


def _explained(setting: Setting) -> Iterator[str]:
    for line in textwrap.wrap(setting.help, _WIDTH, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"
    if setting.choices:
        yield f"# One of {', '.join(setting.choices)}."


def _value(setting: Setting) -> str:
    """Its default, or what kind of value it takes: a placeholder that no command takes for one."""
    if setting.is_switch:
        return "false" if setting.off else "true"
    text = dumps(setting.default if setting.default is not None else setting.metavar.strip("[]"), ensure_ascii=False)
    return f"[{text}]" if setting.many else text
