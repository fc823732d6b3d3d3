"""What a check of memory budgets has found: each budget with what was seen of it, and what all of it was judged on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from memdash.model.finding import Figure, Finding
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot

__all__ = ["Checked", "Command", "Judgement", "Outcome"]

_NO_NUMBER = Missing("it is no number")


class Outcome(Enum):
    """The value is the word of the JSON document; worst first."""

    FAILED = "failed"
    UNKNOWN = "not judged"
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One budget and what came of it.

    ``name`` is stable: that of a test case. ``value`` is what was seen and ``limit`` what is allowed, of the same kind;
    neither is there where a budget is about no number. ``why`` is one clause with what it was judged by, ``evidence``
    lines about what grew, in the target's words. One that is ``required`` fails a check as well when it could not be
    judged.
    """

    name: str
    outcome: Outcome
    why: str
    required: bool
    value: Figure | None = None
    limit: Figure | None = None
    evidence: tuple[str, ...] = ()

    @property
    def margin_ratio(self) -> Maybe[float]:
        """The share of the limit that is left, negative when it is passed."""
        if self.value is None or self.limit is None:
            return _NO_NUMBER
        if self.limit.value <= 0:
            return Missing("nothing is allowed")
        left = 1 - self.value.value / self.limit.value
        return -left if self.value.sinks else left


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was started to be checked; ``exit_code`` is 128 + N when signal N killed it.

    None while it was ended by the check itself: then its code says nothing of it. ``pid`` is that of the command, which
    may have started the program that was watched; 0 where it is not known.
    """

    argv: tuple[str, ...]
    exit_code: int | None
    pid: int = 0

    @property
    def failed(self) -> bool:
        """Whether it ended by itself and not well."""
        return self.exit_code not in (0, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A whole check. ``judgements`` stand worst first.

    ``shown`` is the last moment, its changes counted from the end of the warm-up; ``since`` is when that was, None when
    nothing came after it. ``samples`` are those that count, and ``lapsed_s`` is time that does not, since nothing could
    be seen in it: the target was stopped, or did not answer. ``strict`` says that what could not be judged counts as
    failed, be it required or not; ``cut_short`` says why less was watched than was asked for, and is empty otherwise;
    ``deeds`` are what was done to the target meanwhile, oldest first, as the alert log tells it.
    """

    judgements: tuple[Judgement, ...]
    shown: Snapshot
    since: Instant | None
    samples: int
    warm_up_s: float
    strict: bool
    lapsed_s: float = 0.0
    cut_short: str = ""
    deeds: tuple[Finding, ...] = ()
    command: Command | None = None

    @property
    def watched_s(self) -> float:
        """From the end of the warm-up to the last sample, without what lapsed."""
        return 0.0 if self.since is None else self.shown.at.mono_s - self.since.mono_s - self.lapsed_s

    def fails(self, judgement: Judgement) -> bool:
        """Whether a check with this one in it cannot pass."""
        if judgement.outcome is Outcome.UNKNOWN:
            return self.strict or judgement.required
        return judgement.outcome is Outcome.FAILED

    @property
    def passed(self) -> bool:
        """Whether every budget is kept, over a whole watch, by a command that has not failed by itself."""
        return not (self.trouble or any(map(self.fails, self.judgements)))

    @property
    def trouble(self) -> str:
        """What speaks against it besides the budgets, in a clause; empty where nothing does."""
        if self.command is not None and self.command.failed:
            return f"the command exited with code {self.command.exit_code}"
        return self.cut_short
