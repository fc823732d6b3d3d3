"""The top line and the line below it: what is watched, how it stands, and what to know about that."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

from memdash.model.capability import Capability
from memdash.model.finding import Severity
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot, State
from memdash.model.system import SystemStats
from memdash.tables.headline import headline
from memdash.tables.verdict import alert_words, calm_words
from memdash.tables.vitals import figures_line
from memdash.ui.travel import Whereabouts
from memdash.ui.widgets.cut import cut, width_of
from memdash.ui.widgets.words import Part
from memdash.units import clock_time, duration, moment_words

__all__ = ["Standing", "head_parts", "notice_lines", "small_lines", "standing", "verdict_parts"]


_TREE_KEYS = "< >"
_REPLAY, _REWOUND = 32, 25
"""Cells of the words about a moment that is past."""
_LIVE = "live"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the watch stands, in a glyph, a word and a token; ``notice`` is a sentence worth a line of its own."""

    glyph: str
    word: str
    token: str
    notice: str = ""

    @property
    def is_live(self) -> bool:
        """Whether figures come as they should."""
        return self.word == _LIVE


def standing(
    snapshot: Snapshot, *, now_s: float, frozen: bool, where: Whereabouts | None = None, short: bool = False
) -> Standing:
    """``now_s`` is wall time; ``frozen`` means that a person stopped the view, ``where`` at which of its moments.

    In ``short`` the words leave away what the line of time has below them.
    """
    if where is not None and (where.is_replay or where.is_away):
        return _past_standing(snapshot, where, short=short)
    return _present_standing(snapshot, now_s, frozen=frozen)


def _past_standing(snapshot: Snapshot, where: Whereabouts, *, short: bool) -> Standing:
    """How far back it is, in words of one width: what stands beside them must not move as time does."""
    at = moment_words(snapshot.at.wall_s, where.until.wall_s)
    notice = where.cut_off
    if snapshot.ending is not None:
        notice = f"{snapshot.target.name} {snapshot.ending.words} at {clock_time(snapshot.ending.at_s)}."
    if where.is_replay:
        passed, whole = snapshot.at.mono_s - where.since.mono_s, where.until.mono_s - where.since.mono_s
        share = "" if short else f" · {duration(passed)} of {duration(whole)}"
        return Standing("▶", f"replay {at}{share}".ljust(0 if short else _REPLAY), "paused", notice)
    ago = duration(max(where.until.mono_s - snapshot.at.mono_s, 0.0))
    return Standing("◀", f"rewound {ago} · {at}".ljust(_REWOUND), "paused", notice)


def _present_standing(snapshot: Snapshot, now_s: float, *, frozen: bool) -> Standing:
    target, age_s = snapshot.target, max(now_s - snapshot.at.wall_s, 0.0)
    if snapshot.ending is not None:
        at = clock_time(snapshot.ending.at_s)
        if snapshot.ending.replaced:
            return Standing(
                "■", "replaced", "critical",
                f"{snapshot.ending.replaced} at {at}. What stands here is the program before; q quits.",
            )  # fmt: skip
        return Standing(
            "■", "ended", "critical",
            f"{target.name} {snapshot.ending.words} at {at}. Everything stays here to look through; "
            f"memdash {f'--wait-for {target.name}' if target.is_local else target.url} watches its successor.",
        )  # fmt: skip
    if snapshot.state is State.REFUSED:
        why = next(iter(snapshot.missing.values()), Missing("nothing can be read"))
        return Standing("✕", "cannot be read", "critical", why.words)
    if snapshot.state is State.ATTACHING:
        return Standing(
            "◌", "attaching", "info", f"Looking into {target.name}: figures follow as soon as they are sure."
        )
    if frozen:
        return Standing(
            "‖", f"paused {duration(age_s)}", "paused",
            f"Frozen at {clock_time(snapshot.at.wall_s)} while collection goes on; press space to go live.",
        )  # fmt: skip
    if age_s > max(3 * snapshot.interval_s, 3.0):
        return Standing(
            "◐", f"stale {duration(age_s)}", "warning",
            f"No new sample since {clock_time(snapshot.at.wall_s)}: reading takes longer than it should, as on a busy "
            "machine.",
        )  # fmt: skip
    if snapshot.silence is not None:
        since = duration(max(snapshot.at.wall_s - snapshot.silence.since_s, 0.0))
        return Standing(
            "◐", "no answer", "warning",
            f"{target.name} has not answered for {since}: {snapshot.silence.why}. What stands here is from before.",
        )  # fmt: skip
    late = [(c.value, origin) for c, origin in snapshot.sample.origins.items() if origin.failing]
    if late:
        name, origin = late[0]
        since = duration(max(snapshot.at.mono_s - origin.at.mono_s, 0.0))
        more = f" and {len(late) - 1} more" if len(late) > 1 else ""
        return Standing(
            "◐", f"late: {name}", "warning", f"{name}{more} {since} old: {origin.failing}. The rest is live."
        )
    if isinstance(snapshot.sample.system, SystemStats) and snapshot.sample.system.is_stopped:
        return Standing(
            "◐", "target stopped", "warning",
            f"{target.name} was stopped by a signal or a debugger: its figures stand still until it is continued.",
        )  # fmt: skip
    return Standing("●", _LIVE, "good", _partial(snapshot))


def _partial(snapshot: Snapshot) -> str:
    """What to know when only the kernel's view is there; a single absent source is told by its pane."""
    why = snapshot.missing.get(Capability.MEMSTATS)
    return f"Only what the kernel knows is shown. {why.words}" if why is not None else ""


def head_parts(
    snapshot: Snapshot, stand: Standing, width: int, *, place: str = "", with_verdict: bool = True
) -> tuple[list[Part], list[Part]]:
    """The top line: parts for its left and right; the least telling parts go first when it is narrow.

    ``place`` is that of the target in its process tree, as the tree stands now; empty for a process without one.
    """
    head = headline(snapshot)
    verdict = _verdict(snapshot, width * 9 // 20) if with_verdict else None
    room = width - (width_of(verdict.text) if verdict else 0) - 1
    parts = [
        Part(f" {stand.glyph} {stand.word}", stand.token),
        Part(f"  {head.name}", "strong"),
        Part(f"  {head.pid}", "faint"),
    ]
    tree = f"{place} {_TREE_KEYS}" if place else ""
    optional = [
        (1, tree), (2, head.runtime), (7, head.source), (6, head.uptime), (5, head.pace), (4, head.cost),
        (3, head.armed),
    ]  # fmt: skip
    shown = [(rank, text) for rank, text in optional if text]
    while shown and sum(width_of(p.text) for p in parts) + sum(width_of(t) + 3 for _, t in shown) > room:
        shown.remove(max(shown))
    lead = "  "
    if tree and (1, tree) in shown:
        parts += [Part(f"  {place} ", "faint"), Part(_TREE_KEYS, "key")]
        lead = " · "
    if faint := " · ".join(text for _, text in shown if text != tree):
        parts.append(Part(f"{lead}{faint}", "faint"))
    return parts, [verdict] if verdict else []


def _verdict(snapshot: Snapshot, room: int) -> Part | None:
    """The worst finding that holds, without the evidence after its colon; else what is made of the memory, quietly."""
    worst = snapshot.worst
    if worst is None:
        calm = calm_words(snapshot)
        return Part(f" {cut(calm, room - 2)} ", "faint") if calm else None
    if worst.acknowledged:
        return Part(f" {cut(alert_words(worst), room - 2)} ", "faint")
    token = "verdict-critical" if worst.severity is Severity.CRITICAL else "verdict-warning"
    return Part(f" {cut(alert_words(worst), room - 2)} ", token)


def verdict_parts(snapshot: Snapshot) -> list[Part]:
    """The worst finding that holds, else the verdict, else the newest entry of the log, for a line of its own."""
    verdict = snapshot.verdict
    if verdict is not None and calm_words(snapshot):
        return [Part(f" {verdict.severity.glyph} ", "faint"), Part(verdict.summary)]
    finding = snapshot.worst or next(iter(snapshot.findings), None)
    if finding is None:
        return [Part(" nothing to report", "faint")]
    tokens = ("good", "info", "warning", "critical")
    return [
        Part(f" {finding.severity.glyph} {finding.severity.word} ", tokens[finding.severity]),
        Part(f"{clock_time(finding.at_s)} ", "faint"),
        Part(finding.summary),
    ]


def notice_lines(stand: Standing, width: int) -> list[list[Part]]:
    """The lines below, when there is something to say; at most three."""
    look = "info" if stand.is_live else stand.token
    return [[Part(f" {line}", look)] for line in wrap(stand.notice, max(width - 2, 8), max_lines=3, placeholder=" …")]


def small_lines(snapshot: Snapshot, width: int) -> list[list[Part]]:
    """All there is to see on a terminal that has no room for a pane."""
    room = max(width - 1, 8)
    return [
        *([Part(f" {words}", "strong")] for words in wrap(figures_line(snapshot), room)),
        *([Part(f" {words}", "faint")] for words in wrap("make me larger: from 50×10 on there is more", room)),
    ]
