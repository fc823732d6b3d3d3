"""Settings: each is declared once here and is a flag, a MEMDASH_* variable and a key of the configuration file.

A value is looked for on the command line, then in the environment, then in the file (``config_file`` reads it), then it
is the default.

To add a setting, add one entry to ``SETTINGS`` and name it in the commands that obey it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from memdash.errors import UsageError
from memdash.said import SEVERITIES, AlertText, alert_table, hook_table, parse_command, parse_webhook
from memdash.spelling import meant
from memdash.units import parse_bytes, parse_duration, parse_growth, quoted

__all__ = [
    "SETTINGS",
    "USUAL_SOURCES",
    "AlertText",
    "Growth",
    "Limit",
    "Setting",
    "SourcePath",
    "parse_interval",
    "parse_pid",
]

_SHORTEST_INTERVAL_S = 0.05
_LONGEST_INTERVAL_S = 60.0
_LEAST_RECORDING_BYTES = 1 << 20
_DEEPEST_TRACE = 100
_MOST_DIGITS = 18
_LEAST_LOG_BYTES, _MOST_LOG_FILES = 64 << 10, 1000
_LEAST_GC_AT, _SHORTEST_COOLDOWN_S = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Limit:
    """One ``NAME=VALUE`` of ``--max``, not yet understood: the name should be a metric's, the value in its unit.

    ``where`` says where it was found, as of all that is understood only later: for whoever cannot make sense of it.
    """

    metric: str
    value: str
    where: str = field(default="--max", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Growth:
    """One ``--max-growth``: bytes in all since the attach or baseline, or a second where ``is_rate``."""

    bytes: float
    is_rate: bool


@dataclass(frozen=True, slots=True)
class SourcePath:
    """Folders to look for source files in, none for the usual ones, and what to cut off the front of a path first."""

    search: tuple[str, ...] = ()
    trim: tuple[str, ...] = ()

    @classmethod
    def of(cls, search: str | None, trim: str | None) -> SourcePath:
        """What ``--source-path`` and ``--trim-path`` say: folders separated by colons."""
        return cls(*(tuple(folder for folder in (text or "").split(":") if folder) for text in (search, trim)))


USUAL_SOURCES = SourcePath()


@dataclass(frozen=True, slots=True)
class Setting:
    """``metavar`` is empty for a switch; ``many`` settings may be given repeatedly.

    ``implied`` is what the flag alone stands for, when its value may be left out; ``also`` is another name of the flag,
    and ``off`` the flag that turns off a switch which is on unless it is given.
    ``parse`` turns text into the value and raises UsageError; ``default`` is text too, so that help shows what a user
    would write. With ``choices`` the text must be one of them. The variable of what may be given repeatedly is
    split at white space, or at ``separator``. In the file a ``table`` may stand for a text: it is read with the words
    for where it was found. ``key`` is its name in the file, where that is another one.
    """

    name: str
    help: str
    metavar: str = ""
    short: str = ""
    default: str | None = None
    many: bool = False
    implied: str | None = None
    also: str = ""
    off: str = ""
    parse: Callable[[str], object] = str
    choices: tuple[str, ...] = ()
    separator: str | None = None
    table: Callable[[Mapping[str, object], str], object] | None = None
    key: str = ""

    @property
    def variable(self) -> str:
        """The environment variable: ``MEMDASH_MAX_GROWTH``."""
        return f"MEMDASH_{self.name.upper().replace('-', '_')}"

    def value(self, text: str) -> object:
        """What ``text`` means. Raises UsageError."""
        if self.choices and text not in self.choices:
            raise UsageError(f"there is no {self.name} {text!r}", meant(text, self.choices, "it is one of"))
        return self.parse(text)

    @property
    def is_switch(self) -> bool:
        """It is on or off and takes no value."""
        return not self.metavar


def parse_interval(text: str) -> float:
    """Read a sampling interval in seconds, 50 ms to one minute: beyond that a dashboard is not live. UsageError."""
    seconds = parse_duration(text)
    if not _SHORTEST_INTERVAL_S <= seconds <= _LONGEST_INTERVAL_S:
        raise UsageError(f"an interval lies between 50ms and 60s, and {text!r} does not", "write it like 500ms or 2s")
    return seconds


def parse_pid(text: str) -> int:
    """Read a pid. UsageError."""
    number = _whole(text)
    if number is None:
        raise UsageError(f"{quoted(text)} is not a pid", f"to choose a process by its name: --name {text[:20]}")
    return number


def _whole(text: str) -> int | None:
    """A whole number that is none beyond reason: Python itself refuses to read one of 5000 digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _parse_limit(text: str) -> Limit:
    name, equals, value = text.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise UsageError(f"{text!r} is not a limit", "write it like HeapAlloc=512MiB or system.threads=200")
    return Limit(name.strip(), value.strip())


def _parse_growth(text: str) -> Growth:
    try:
        return Growth(parse_growth(text), True) if "/" in text else Growth(parse_bytes(text), False)
    except UsageError:
        raise UsageError(f"{quoted(text)} is no growth", "write it like 1MiB/min, or 64MiB for all of it") from None


def _parse_size(text: str) -> int:
    size = parse_bytes(text)
    if size < _LEAST_RECORDING_BYTES:
        raise UsageError(f"{text} is too little for a recording", "a day of a busy program takes about 60MiB")
    return size


def _parse_run(text: str) -> int:
    number = _whole(text)
    if number is None:
        raise UsageError(f"{quoted(text)} is no number of a run", "memdash replay FILE.mdr says which runs there are")
    return number


def _parse_rotate(text: str) -> int:
    size = parse_bytes(text)
    if size < _LEAST_LOG_BYTES:
        raise UsageError(f"{text} is too little for a log file", "write it like 50MiB; 64KiB is the least")
    return size


def _parse_keep(text: str) -> int:
    number = _whole(text)
    if number is None or number > _MOST_LOG_FILES:
        raise UsageError(f"{quoted(text)} is not a number of files up to {_MOST_LOG_FILES}", "write it like 5")
    return number


def _parse_depth(text: str) -> int:
    frames = _whole(text)
    if frames is None or not 1 <= frames <= _DEEPEST_TRACE:
        raise UsageError(
            f"{quoted(text)} is not a number of frames from 1 to {_DEEPEST_TRACE}",
            "it is for a program to be started: memdash --trace 5 -- COMMAND",
        )
    return frames


def _parse_count(text: str) -> int:
    number = _whole(text)
    if not number:
        raise UsageError(f"{quoted(text)} is not a whole number from 1 on", "write it like 20")
    return number


def _parse_share(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{text!r} is not a share", "write it like 0.005 or 0.5%")
    return share


def _parse_warm_up(text: str) -> float:
    return 0.0 if text.strip() in ("0", "0s") else parse_duration(text)


def _parse_gc_at(text: str) -> float:
    try:
        share = _parse_share(text)
    except UsageError:
        share = 0.0
    if not _LEAST_GC_AT <= share <= 1:
        raise UsageError(f"{text!r} is no share of a limit from 10% to 100%", "write it like 80%")
    return share


def _parse_cooldown(text: str) -> float:
    seconds = parse_duration(text)
    if seconds < _SHORTEST_COOLDOWN_S:
        raise UsageError(f"{text!r} is less than a second between two collections", "write it like 30s or 2m")
    return seconds


def _parse_ceiling(text: str) -> int:
    size = parse_bytes(text)
    if size < 1:
        raise UsageError(f"{text!r} is no limit", "write it like 900MiB")
    return size


def _parse_seconds(text: str) -> int:
    seconds = parse_duration(text)
    if seconds != int(seconds):
        raise UsageError(f"{text!r} is not a number of whole seconds", "write it like 30 or 1m")
    return int(seconds)


_SERVED = ("heap", "allocs", "goroutine", "goroutineleak", "block", "mutex", "threadcreate")
_GRANULARITIES = ("functions", "filefunctions", "files", "lines", "addresses")

_ALL = (
    Setting("pid", "The process to read.", "PID", "p", parse=parse_pid),
    Setting("name", "The process that has this in its name, or else in its command line.", "TEXT"),
    Setting("wait-for", "The newest process of exactly this name, or the next one to start.", "NAME"),
    Setting("url", "A Go server to be asked over HTTP alone: where its net/http/pprof or expvar is.", "URL"),
    Setting(
        "endpoint",
        "Ask the program's own net/http/pprof, expvar or gops agent too: for what its memory does not tell, and to"
        " force a GC. auto looks among the ports it listens on.",
        "auto|gops|URL",
    ),
    Setting("interval", "Time between two samples, 50ms to 60s.", "TIME", "i", default="1s", parse=parse_interval),
    Setting("duration", "How long to watch, such as 10s.", "TIME", "d", also="for", parse=parse_duration),
    Setting("output", "Write here instead of to standard output (-).", "FILE", "o", default="-"),
    Setting("run", "Which run of a recording is meant, by its number; the newest otherwise.", "N", parse=_parse_run),
    Setting("record", "Write the watch into this file too, for memdash replay.", "FILE"),
    Setting(
        "max-size",
        "How large a recording may become; what is oldest goes first.",
        "SIZE",
        default="500MiB",
        parse=_parse_size,
    ),
    Setting("max-age", "How far back a recording may reach, such as 7d.", "TIME", parse=parse_duration),
    Setting("salvage", "Write what can still be read of a damaged recording into a new one.", "FILE"),
    Setting("append", "Go on in a file that is there."),
    Setting(
        "listen",
        "Where to answer: an address and a port of this machine, or a port of the loopback alone.",
        "ADDRESS",
        default="127.0.0.1:9464",
    ),
    Setting("token-file", "Answer only who brings the token that is in this file; or it is in MEMDASH_TOKEN.", "FILE"),
    Setting("csv", "Write CSV."),
    Setting("rotate", "Begin a new file when this one is so large, 50MiB.", "SIZE", parse=_parse_rotate),
    Setting("keep", "How many files to keep beside the one that is written.", "NUMBER", default="5", parse=_parse_keep),
    Setting("output-to", "Keep what the command prints in this file.", "FILE"),
    Setting("force", "Overwrite the output file when it exists."),
    Setting("json", "Write JSON instead of text."),
    Setting("markdown", "Write Markdown, as GitHub renders it, instead of text."),
    Setting("html", "Write one page that needs nothing else, for a browser, instead of text."),
    Setting(
        "redact",
        "Leave out arguments, paths and names of files, processes, threads, users and hosts; functions, types and lines"
        " stay. Placeholders are the same in every report of this machine.",
    ),
    Setting("text", "Print text where a terminal would show a screen."),
    Setting(
        "max", "Alert when a metric is over a limit: HeapAlloc=512MiB.", "NAME=VALUE", many=True, parse=_parse_limit
    ),
    Setting(
        "max-growth",
        "Alert when the live heap grows faster than this, 1MiB/min, or by more than this in all, 64MiB.",
        "GROWTH",
        many=True,
        parse=_parse_growth,
    ),
    Setting(
        "alert",
        "Alert while a condition holds: 'HeapAlloc > 512MiB for 30s', 'tasks.total growth > 100/min critical'.",
        "RULE",
        many=True,
        parse=AlertText,
        separator=";",
        table=alert_table,
    ),
    Setting(
        "mute",
        "Do not count what this rule finds, such as 'gc pause': it stays in the log.",
        "RULE",
        many=True,
        separator=";",
    ),
    Setting(
        "on-alert",
        "Run this for each alert, which it finds as JSON on its standard input. No shell is involved. It has 10s.",
        "COMMAND",
        many=True,
        parse=parse_command,
        separator="\n",
        table=hook_table,
        key="hook",
    ),
    Setting(
        "webhook",
        "Post each alert to this URL as JSON. One with a secret in it belongs in the file: others see it in ps.",
        "URL",
        many=True,
        parse=parse_webhook,
    ),
    Setting("bell", "Ring the terminal's bell on an alert."),
    Setting("notify", "Have the terminal tell an alert on the desktop, if it can (OSC 777 or 9)."),
    Setting(
        "evidence",
        "On an alert save into a folder below this one what the process holds and the last five minutes: a profile,"
        " tasks, where RSS comes from, a report, a recording. Without it nothing is saved.",
        "FOLDER",
    ),
    Setting("evidence-from", "How bad an alert must be for that.", "SEVERITY", default="warning", choices=SEVERITIES),
    Setting("evidence-keep", "How many to keep, the worst.", "NUMBER", default="20", parse=_parse_count),
    Setting("evidence-size", "How much they may take together.", "SIZE", default="500MiB", parse=_parse_size),
    Setting("no-new-tasks", "No goroutine, thread or asyncio task may come and stay."),
    Setting("no-leak", "The verdict must not be a leak; this is on unless turned off.", off="allow-leak"),
    Setting(
        "warm-up",
        "How long to let it settle first: what happens then counts for nothing. 0s for no time at all.",
        "TIME",
        default="10s",
        parse=_parse_warm_up,
    ),
    Setting(
        "force-gc",
        "Have the program collect its garbage after the warm-up and at the end, where there is a way to: what lives is"
        " known exactly then.",
    ),
    Setting("strict", "What could not be judged has failed, the verdict as well."),
    Setting("junit", "Write the result here too, as a JUnit report.", "FILE"),
    Setting("ignore-top-function", "Tasks that stand in this function may stay.", "FUNCTION", many=True),
    Setting("ignore-created-by", "Tasks that this function started may stay.", "FUNCTION", many=True),
    Setting("ignore-current", "All tasks that there are at first may stay."),
    Setting(
        "trace",
        "Start a Python COMMAND with tracemalloc, for its allocation sites: stacks of N frames, 5 unless said. What"
        " allocates much then runs 5 to 30 times slower, with 1 frame two thirds of that.",
        "[N]",
        implied="5",
        parse=_parse_depth,
    ),
    Setting("agent", "Bring the agent into a Python program that runs already: for GC pauses, malloc, asyncio tasks."),
    Setting("sample-index", "Which value counts: inuse_space, inuse_objects, alloc_space, alloc_objects.", "NAME"),
    Setting("focus", "Only stacks through a function or file that matches.", "REGEX"),
    Setting("ignore", "No stacks through a function or file that matches.", "REGEX"),
    Setting("hide", "Leave out the frames that match; what they call counts for their callers.", "REGEX"),
    Setting("show", "Leave out the frames that do not match.", "REGEX"),
    Setting("granularity", "Sum up by function, file or line.", "NAME", default="functions", choices=_GRANULARITIES),
    Setting("cum", "Sort by what a function holds together with all that it calls."),
    Setting("nodecount", "How many functions to show at most.", "NUMBER", parse=_parse_count),
    Setting("nodefraction", "Leave out what holds less than this share.", "SHARE", default="0.005", parse=_parse_share),
    Setting("edgefraction", "Leave out calls of less than this share.", "SHARE", default="0.001", parse=_parse_share),
    Setting("base", "Subtract this profile; shares are of the difference.", "PROFILE"),
    Setting("diff-base", "Subtract this profile; shares are of it.", "PROFILE"),
    Setting("source-path", "Folders to look for source files in, separated by colons.", "FOLDERS"),
    Setting("trim-path", "What to cut off the front of a source file's path, separated by colons.", "FOLDERS"),
    Setting(
        "type",
        f"Which profile an endpoint is asked for: {', '.join(_SERVED)}; goroutineleak (Go 1.27) forces a GC.",
        "NAME",
        choices=_SERVED,
    ),
    Setting("seconds", "Have an endpoint tell what changes in this time.", "TIME", parse=_parse_seconds),
    Setting(
        "gc-at",
        "Have the program collect its garbage once this share of its memory limit is in use, 80%, and twice in a row at"
        " all of it. Takes an endpoint or the agent. The nearest counts of cgroup limit, GOMEMLIMIT and RLIMIT_AS.",
        "SHARE",
        parse=_parse_gc_at,
    ),
    Setting("gc-cooldown", "Least time between two of those.", "TIME", default="30s", parse=_parse_cooldown),
    Setting(
        "limit",
        "The memory limit for --gc-at, in place of those that are set; RSS counts against it.",
        "SIZE",
        parse=_parse_ceiling,
    ),
    Setting("gc", "Have the process collect its garbage first, after a question."),
    Setting("read-only", "Only read: offer nothing that acts on the process."),
    Setting("yes", "Do it without asking.", short="y"),
    Setting("theme", "Colours of the dashboard.", "NAME"),
    Setting("no-color", "Draw without colours."),
    Setting("ascii", "Draw with ASCII characters only."),
    Setting("verbose", "Say where each setting comes from; show tracebacks.", short="v"),
)

SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _ALL}
