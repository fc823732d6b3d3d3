"""Settings: each is declared once here and is a flag, a MEMDASH_* variable and a key of the configuration file.

A value is looked for on the command line, then in the environment, then in the file (``config_file`` reads it), then it
is the default.

To add a setting, add one entry to ``SETTINGS`` and name it in the commands that obey it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from memdash.config_values import (
    USUAL_SOURCES,
    Limit,
    MostGrowth,
    SourcePath,
    parse_ceiling,
    parse_cooldown,
    parse_count,
    parse_depth,
    parse_domains,
    parse_gc_at,
    parse_interval,
    parse_keep,
    parse_limit,
    parse_most_growth,
    parse_name,
    parse_pid,
    parse_rotate,
    parse_run,
    parse_sample,
    parse_seconds,
    parse_share,
    parse_size,
    parse_warm_up,
)
from memdash.errors import UsageError
from memdash.said import SEVERITIES, AlertText, alert_table, hook_table, parse_command, parse_webhook
from memdash.spelling import meant
from memdash.units import parse_duration

__all__ = [
    "SETTINGS",
    "USUAL_SOURCES",
    "AlertText",
    "Limit",
    "MostGrowth",
    "Setting",
    "SourcePath",
    "parse_interval",
    "parse_pid",
]


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

    @property
    def parameter(self) -> str:
        """What a command's function calls it: ``max_growth``."""
        return self.name.replace("-", "_")

    def value(self, text: str) -> object:
        """What ``text`` means. Raises UsageError."""
        if self.choices and text not in self.choices:
            raise UsageError(f"there is no {self.name} {text!r}", meant(text, self.choices, "it is one of"))
        return self.parse(text)

    @property
    def is_switch(self) -> bool:
        """It is on or off and takes no value."""
        return not self.metavar


_READ = ("heap", "goroutine", "thread", "asyncio")
_SERVED = ("allocs", "goroutineleak", "block", "mutex", "threadcreate")
_GRANULARITIES = ("functions", "filefunctions", "files", "lines", "addresses")

_ALL = (
    Setting("pid", "The process to read.", "PID", "p", parse=parse_pid),
    Setting("name", "The process that has this in its name, or else in its command line.", "TEXT", parse=parse_name),
    Setting("wait-for", "The newest process of exactly this name, or the next one to start.", "NAME", parse=parse_name),
    Setting("url", "A Go server to be asked over HTTP alone: where its net/http/pprof or expvar is.", "URL"),
    Setting(
        "endpoint",
        "Ask the program's own net/http/pprof, expvar or gops agent too: for what its memory does not tell, and to"
        " force a GC. auto looks among the ports it listens on.",
        "auto|gops|URL",
    ),
    Setting("interval", "Time between two samples, 50ms to 60s.", "TIME", "i", default="1s", parse=parse_interval),
    Setting("duration", "How long to watch, such as 10s.", "TIME", "d", also="for", parse=parse_duration),
    Setting(
        "output",
        "Write into this file; - is standard output, for record a file named after the process and the time.",
        "FILE",
        "o",
        default="-",
    ),
    Setting("run", "Which run of a recording is meant, by its number; the newest otherwise.", "N", parse=parse_run),
    Setting("record", "Write the watch into this file too, for memdash replay.", "FILE"),
    Setting(
        "max-size",
        "How large a recording may become; what is oldest goes first.",
        "SIZE",
        default="500MiB",
        parse=parse_size,
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
    Setting("rotate", "Begin a new file when this one is so large, 50MiB.", "SIZE", parse=parse_rotate),
    Setting("keep", "How many files to keep beside the one that is written.", "NUMBER", default="5", parse=parse_keep),
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
        "max", "Alert when a metric is over a limit: HeapAlloc=512MiB.", "NAME=VALUE", many=True, parse=parse_limit
    ),
    Setting(
        "max-growth",
        "Alert when the live heap grows faster than this, 1MiB/min, or by more than this in all, 64MiB.",
        "GROWTH",
        many=True,
        parse=parse_most_growth,
    ),
    Setting(
        "alert",
        "Alert while a condition holds: 'HeapAlloc > 512MiB for 30s', 'tasks.total growth > 100/min critical'. What"
        " comes back within 30s of its end is the same entry of the log, told again only if it outlasts them;"
        " 'cooldown 5m' in the rule sets another time.",
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
        "Run this for each alert, which it finds as JSON on its standard input; with --tell-ended for its end too. No"
        " shell is involved. It has 10s.",
        "COMMAND",
        many=True,
        parse=parse_command,
        separator="\n",
        table=hook_table,
        key="hook",
    ),
    Setting(
        "webhook",
        "Post each alert to this URL as JSON; with --tell-ended its end too. One with a secret in it belongs in the"
        " file: others see it in ps.",
        "URL",
        many=True,
        parse=parse_webhook,
    ),
    Setting(
        "tell-ended",
        "Have --on-alert and --webhook hear once more of each alert when it is over, so that a page resolves itself:"
        ' the same rule, with "event": "ended" in place of "opened".',
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
    Setting("evidence-keep", "How many to keep, the worst.", "NUMBER", default="20", parse=parse_count),
    Setting("evidence-size", "How much they may take together.", "SIZE", default="500MiB", parse=parse_size),
    Setting("no-new-tasks", "No goroutine, thread or asyncio task may come and stay."),
    Setting("no-leak", "The verdict must not be a leak; this is on unless turned off.", off="allow-leak"),
    Setting(
        "warm-up",
        "How long to let it settle first: what happens then counts for nothing. 0s for no time at all.",
        "TIME",
        default="10s",
        parse=parse_warm_up,
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
        "older-than",
        "Accuse those that have waited for so long too, such as 10m, be it one alone.",
        "TIME",
        parse=parse_duration,
    ),
    Setting(
        "trace",
        "Start a Python COMMAND with tracemalloc, for its allocation sites: stacks of N frames, 5 unless said. What"
        " allocates much then runs 5 to 30 times slower, with 1 frame two thirds of that.",
        "[N]",
        implied="5",
        parse=parse_depth,
    ),
    Setting(
        "sample",
        "Sample the allocations of a Python, one every SIZE, for its allocation sites: a COMMAND every 64KiB unless"
        " said otherwise, a program that runs already only with --agent.",
        "off|SIZE",
        parse=parse_sample,
    ),
    Setting(
        "sample-domains",
        "Which of Python's allocators to sample.",
        "NAMES",
        default="obj,mem,raw,numpy",
        parse=parse_domains,
    ),
    Setting("agent", "Bring the agent into a Python program that runs already: for GC pauses, malloc, asyncio tasks."),
    Setting("sample-index", "Which value counts: inuse_space, inuse_objects, alloc_space, alloc_objects.", "NAME"),
    Setting("focus", "Only stacks through a function or file that matches.", "REGEX"),
    Setting("ignore", "No stacks through a function or file that matches.", "REGEX"),
    Setting("hide", "Leave out the frames that match; what they call counts for their callers.", "REGEX"),
    Setting("show", "Leave out the frames that do not match.", "REGEX"),
    Setting("granularity", "Sum up by function, file or line.", "NAME", default="functions", choices=_GRANULARITIES),
    Setting("cum", "Sort by what a function holds together with all that it calls."),
    Setting("nodecount", "How many functions to show at most.", "NUMBER", parse=parse_count),
    Setting("nodefraction", "Leave out what holds less than this share.", "SHARE", default="0.005", parse=parse_share),
    Setting("edgefraction", "Leave out calls of less than this share.", "SHARE", default="0.001", parse=parse_share),
    Setting("base", "Subtract this profile; shares are of the difference.", "PROFILE"),
    Setting("diff-base", "Subtract this profile; shares are of it.", "PROFILE"),
    Setting("source-path", "Folders to look for source files in, separated by colons.", "FOLDERS"),
    Setting("trim-path", "What to cut off the front of a source file's path, separated by colons.", "FOLDERS"),
    Setting(
        "type",
        f"Which profile: {', '.join(_READ)}; of an endpoint also {', '.join(_SERVED)}. goroutineleak (Go 1.27) forces a"
        " GC.",
        "NAME",
        choices=(*_READ, *_SERVED),
    ),
    Setting("seconds", "Have an endpoint tell what changes in this time.", "TIME", parse=parse_seconds),
    Setting(
        "gc-at",
        "Have the program collect its garbage once this share of its memory limit is in use, 80%, and twice in a row at"
        " all of it. Takes an endpoint or the agent. The nearest counts of cgroup limit, GOMEMLIMIT and RLIMIT_AS.",
        "SHARE",
        parse=parse_gc_at,
    ),
    Setting(
        "gc-cooldown",
        "Least time between two of those; it doubles after each that does not lower what counts against the limit.",
        "TIME",
        default="30s",
        parse=parse_cooldown,
    ),
    Setting(
        "limit",
        "The memory limit for --gc-at, in place of those that are set; RSS counts against it.",
        "SIZE",
        parse=parse_ceiling,
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
