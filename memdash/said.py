"""What settings say of alerts and hooks, not yet understood: a rule, a command line, a URL, or a table of the file.

[[alert]]
name = "heap"
when = "HeapAlloc > 512MiB"
for = "30s"

[[hook]]
command = ["/usr/local/bin/page", "--team", "shop"]
severity = "critical"
rules = ["heap growth", "tasks pile up"]
timeout = "30s"
ended = true

[[hook]]
url = "https://chat.example/hooks/…"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memdash.errors import UsageError, told_where
from memdash.spelling import meant
from memdash.units import parse_duration

__all__ = ["SEVERITIES", "AlertText", "HookText", "alert_table", "hook_table", "parse_command", "parse_webhook"]

SEVERITIES = ("warning", "critical")
_ALERT_KEYS = ("when", "name", "for", "over", "clear", "cooldown", "severity")
_HOOK_KEYS = ("command", "url", "severity", "rules", "timeout", "ended")
_LEAST_TIMEOUT_S, _MOST_TIMEOUT_S = 0.1, 600.0
_EXAMPLE = 'write it like command = ["/usr/local/bin/page", "--team", "shop"]'


@dataclass(frozen=True, slots=True)
class AlertText:
    """One ``--alert`` or ``[[alert]]``, not yet understood: a condition, a name, and what more is said of it, by key.

    ``where`` says where it was found, for whoever cannot make sense of it.
    """

    when: str
    name: str = ""
    said: tuple[tuple[str, str], ...] = ()
    where: str = "--alert"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HookText:
    """One hook: a ``command`` as words, or a ``url``; which alerts it hears of; ``where`` it was found.

    No ``rules`` are all of them. With ``ended`` it hears of the end of an alert too.
    """

    command: tuple[str, ...] = ()
    url: str = ""
    severity: str = SEVERITIES[0]
    rules: tuple[str, ...] = ()
    timeout_s: float = 10.0
    ended: bool = False
    where: str = "--on-alert"

    def __repr__(self) -> str:
        """For whoever lists settings; a URL may hold a secret, and is not shown."""
        import shlex

        return shlex.join(self.command) or "a URL"


def alert_table(table: Mapping[str, object], where: str) -> AlertText:
    """Read an ``[[alert]]``. Raises UsageError."""
    _require_known(table, _ALERT_KEYS, where)
    for key, value in table.items():
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise UsageError(
                f"{where}: {key} is neither a text nor a number", 'write it like when = "HeapAlloc > 1GiB"'
            )
    texts = {key: str(value) for key, value in table.items()}
    if not texts.get("when"):
        raise UsageError(f"{where}: it does not say when", 'write it like when = "HeapAlloc > 512MiB"')
    if "name" in texts and not texts["name"].strip():
        raise UsageError(f"{where}: its name is empty", "leave it away to have it called what its condition is")
    when, name = texts.pop("when"), texts.pop("name", "")
    return AlertText(when, name, tuple(texts.items()), where)


def parse_command(text: str) -> HookText:
    """Split a command line into words as a shell would; no shell ever sees it. Raises UsageError."""
    return HookText(command=_words(text))


def parse_webhook(text: str) -> HookText:
    """A URL, which is looked at when it is used."""
    return HookText(url=text, where="--webhook")


def _words(text: str) -> tuple[str, ...]:
    import shlex  # 2 ms

    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{text!r} is no command: {str(error).lower()}", "write it like 'page --team shop'") from None
    if not words or not words[0]:
        raise UsageError("a hook without a command does nothing", "write it like 'page --team shop'")
    return words


def hook_table(table: Mapping[str, object], where: str) -> HookText:
    """Read a ``[[hook]]``. Raises UsageError."""
    _require_known(table, _HOOK_KEYS, where)
    if ("command" in table) == ("url" in table):
        raise UsageError(f"{where}: it names neither a command nor a url, or both", _EXAMPLE)
    url = table.get("url", "")
    words = _command(table["command"], f"{where}: command") if "command" in table else ()
    severity, ended = table.get("severity", SEVERITIES[0]), table.get("ended", False)
    if severity not in SEVERITIES:
        raise UsageError(f"{where}: there is no severity {severity!r}", f"it is one of {', '.join(SEVERITIES)}")
    if not isinstance(ended, bool):
        raise UsageError(f"{where}: ended is neither true nor false", "write it like ended = true")
    if not isinstance(url, str) or ("url" in table and not url):
        raise UsageError(f"{where}: the url is no text", 'write it like url = "https://chat.example/hooks/…"')
    return HookText(
        command=words,
        url=url,
        severity=str(severity),
        rules=_texts(table.get("rules", []), f"{where}: rules", 'write it like rules = ["heap growth"]'),
        timeout_s=_timeout(table.get("timeout", "10s"), where),
        ended=ended,
        where=where,
    )


def _require_known(table: Mapping[str, object], keys: Sequence[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise UsageError(f"{where}: there is no key {key!r}", meant(key, keys, "the keys are"))


def _command(value: object, where: str) -> tuple[str, ...]:
    """A command line, or its words."""
    if isinstance(value, str):
        with told_where(where):
            return _words(value)
    words = _texts(value, where, _EXAMPLE)
    if not (words and words[0]):
        raise UsageError(f"{where} is empty", _EXAMPLE)
    return words


def _texts(value: object, where: str, example: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) and value else value or []
    if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
        raise UsageError(f"{where} is no list of texts", example)
    return tuple(listed)


def _timeout(value: object, where: str) -> float:
    with told_where(f"{where}: timeout"):
        seconds = parse_duration(str(value))
    if not _LEAST_TIMEOUT_S <= seconds <= _MOST_TIMEOUT_S:
        raise UsageError(f"{where}: a timeout lies between 100ms and 10m", 'write it like timeout = "10s"')
    return seconds
