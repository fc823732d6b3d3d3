"""``--on-alert``, ``--webhook``, ``--tell-ended``, ``--bell``, ``--evidence``: what follows the alerts of a watch."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from memdash.analysis.rules import Rule
from memdash.analysis.verdict_words import RULE as VERDICT
from memdash.commands.limits import rules_named, spellings
from memdash.commands.options import place, typed
from memdash.commands.output import is_terminal, tell_instead
from memdash.errors import HookError, UsageError, told_where
from memdash.model.finding import NOTES, Severity
from memdash.model.relief import OVER_LIMIT
from memdash.network.address import Address
from memdash.said import HookText
from memdash.signals import Signalled

if TYPE_CHECKING:
    from memdash.hooks.alert import Watched
    from memdash.hooks.evidence import Evidence
    from memdash.hooks.hook import Hook
    from memdash.hooks.hooks import Hooks
    from memdash.hooks.wanted import Wanted

    Follow: TypeAlias = Callable[[Watched], object]

__all__ = ["Telling", "Terminal"]

_SOON_S, _LATEST_S = 0.5, 30.0
"""How long what is under way at the end may take without a word, and at most."""


class Terminal:
    """The terminal that the bell rings: whoever draws on it lends it. Until then the newest ring waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = ""
        self._send: Callable[[str], object] | None = None

    def use(self, send: Callable[[str], object]) -> None:
        """Send through this from now on."""
        with self._lock:
            self._send = send
            if self._waiting:
                send(self._waiting)

    def send(self, sequence: str) -> None:
        """From any thread."""
        with self._lock:
            if self._send is None:
                self._waiting = sequence
            else:
                self._send(sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Who is to be told of alerts, and where evidence is saved. The fields are settings."""

    on_alert: Sequence[HookText]
    webhook: Sequence[HookText]
    tell_ended: bool
    bell: bool
    notify: bool
    evidence: str | None
    evidence_from: str
    evidence_keep: int
    evidence_size: int

    def check(self, rules: Sequence[Rule]) -> None:
        """Refuse what could never work, before anything is watched. Raises UsageError."""
        if typed("tell-ended") and not (self.on_alert or self.webhook):
            raise UsageError("--tell-ended does nothing without --on-alert or --webhook", "add one of them")
        known = [*(rule.name for rule in rules), VERDICT, OVER_LIMIT, NOTES]
        for text in (*self.on_alert, *self.webhook):
            rules_named(text.rules, known, text.where)
            if text.url:
                _address(text)
            elif _is_absent(text.command[0]):
                raise UsageError(
                    f"{text.where}: there is no command {text.command[0]!r}", "give a path, or a name found in PATH"
                )

    @contextmanager
    def hooks(self, terminal: Terminal | None = None) -> Iterator[Follow]:
        """What is given a watch before it is started has everybody told of its alerts, as long as this lasts.

        What is under way at the end is waited for. Without a dashboard's ``terminal`` the bell rings on stderr, and
        what goes wrong is told there.
        """
        told = self._told(_send if terminal is None else terminal.send)
        if not told and self.evidence is None:
            yield lambda _: None
            return
        from memdash.hooks.hooks import Hooks  # with all that comes with it, spared those who ask for none

        say: Callable[[str], object] = tell_instead if terminal is None else lambda _: None
        hooks = Hooks(told, say, self._evidence(say))
        try:
            yield hooks.follow
            _finish(hooks)
        finally:
            hooks.close()

    def _told(self, send: Callable[[str], object]) -> list[tuple[Hook, Wanted]]:
        texts = (*self.on_alert, *self.webhook)
        if not (texts or self.bell or self.notify):
            return []
        from memdash.hooks.bell import Bell
        from memdash.hooks.wanted import Wanted

        told = [(_hook(text), self._wanted(text)) for text in texts]
        if self.bell or self.notify:
            told.append((Bell(send, os.environ, rings=self.bell, notifies=self.notify), Wanted()))
        return told

    def _wanted(self, text: HookText) -> Wanted:
        from memdash.hooks.wanted import Wanted

        rules = frozenset(spelled for name in text.rules for spelled in spellings(name))
        return Wanted(Severity[text.severity.upper()], rules, text.ended or self.tell_ended)

    def _evidence(self, say: Callable[[str], object]) -> tuple[Evidence, Wanted] | None:
        """Raises UsageError where there is no place for it."""
        if self.evidence is None:
            return None
        from memdash.hooks.evidence import Evidence
        from memdash.hooks.folders import Folders
        from memdash.hooks.wanted import Wanted

        try:
            root = Path(self.evidence).expanduser().absolute()
            folders = Folders(root, self.evidence_keep, self.evidence_size)
            folders.prepare()
        except (HookError, RuntimeError) as error:  # the latter for the home of nobody
            raise UsageError(f"{place('evidence')}: {error}", "name another folder") from None
        return Evidence(folders, say), Wanted(Severity[self.evidence_from.upper()])


def _is_absent(command: str) -> bool:
    import shutil  # 0.3 MiB with the formats of archives it brings

    return shutil.which(command) is None


def _hook(text: HookText) -> Hook:
    if text.url:
        from memdash.hooks.webhook import Webhook

        return Webhook(_address(text), text.timeout_s)
    from memdash.hooks.command import CommandHook

    return CommandHook(text.command, text.timeout_s)


def _address(text: HookText) -> Address:
    with told_where(text.where):
        return Address.parse(text.url)


def _send(sequence: str) -> None:
    if is_terminal(sys.stderr):
        sys.stderr.write(sequence)
        sys.stderr.flush()


def _finish(hooks: Hooks) -> None:
    """Wait for what is under way, and say so when it takes longer; ctrl+c breaks it off, and that alone."""
    late = hooks.finish(_SOON_S)
    if not late:
        return
    try:
        tell_instead(f"waiting for {', '.join(late)}, until ctrl+c")
        late = hooks.finish(_LATEST_S)
    except KeyboardInterrupt:
        pass
    except Signalled as signalled:
        if signalled.number != signal.SIGINT:
            raise
    for name in late:
        tell_instead(f"{name} was broken off")
