"""The one list of what can be done: it feeds the key bindings, the footer, the command palette and the help screen.

To add a command, add one entry and write ``action_<name>`` where its scope says.
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.ui.command import (
    ALERTS,
    APP,
    CODE,
    DASHBOARD,
    DRILL,
    FLAME,
    ICICLE,
    LIST,
    PEEK,
    PROFILE,
    RANKED,
    ROWS,
    TABLE,
    TREE,
    Command,
    When,
)  # fmt: skip

__all__ = ["COMMANDS", "EDGES", "bindings"]

_STOPS = "Stop memdash and go back to the shell; fg comes back. Meanwhile nothing is sampled."
_QUITS = "Leave; the target does not notice. In what lies over the dashboard, go back."

COMMANDS: tuple[Command, ...] = (
    Command(APP, "question_mark,f1", "?", "explain", "help", "memdash", "Explain every figure, key and state.", 1),
    Command(APP, "ctrl+p,colon", "ctrl+p :", "command_palette", "palette", "memdash", "Find a command.", palette=False),
    Command(APP, "ctrl+z", "ctrl+z", "suspend_process", "to the shell", "memdash", _STOPS, palette=False),
    Command(APP, "q,ctrl+q,ctrl+c", "q", "quit", "quit", "memdash", _QUITS, 30),
    Command(
        DASHBOARD, "slash", "/", "filter", "filter", "find",
        "Keep the rows that contain a text, whatever its case; esc shows all again.", 2,
    ),
    Command(DASHBOARD, "n", "n", "match(1)", "next match", "find", "Go to the next row that matches."),
    Command(DASHBOARD, "N", "N", "match(-1)", "previous match", "find", "Go to the previous row that matches."),
    Command(
        DASHBOARD, "s", "s", "sort(1)", "sort", "find",
        "Sort the pane in use, or the sites, by the next column; the columns' titles can be clicked too.", 11,
    ),
    Command(DASHBOARD, "S", "S", "sort(-1)", "sort back", "find", "Sort it by the previous column."),
    Command(DASHBOARD, "r", "r", "reverse", "reverse", "find", "Turn the order of its rows round."),
    Command(
        DASHBOARD, "i", "i", "in_use", "inuse/alloc", "sites",
        "Switch the sites between what is held now and all that was ever asked for.", 18,
    ),
    Command(
        DASHBOARD, "o", "o", "objects", "bytes/objects", "sites",
        "Switch the sites or types between bytes and numbers of objects.", 19,
    ),
    Command(
        DASHBOARD, "b", "b", "baseline", "baseline", "watch",
        "Count changes of sites, types and tasks from this moment on, which may be one of the past.", 13,
    ),
    Command(DASHBOARD, "B", "B", "no_baseline", "clear baseline", "watch", "Count changes from the attach again."),
    Command(
        DASHBOARD, "a", "a", "acknowledge", "seen", "alert log",
        "You have seen the alert under the cursor, or else that in the top line: it gives way until it gets worse.",
        3.1,
    ),
    Command(
        ALERTS, "x", "x", "mute", "mute", "alert log",
        "Mute the rule of this entry, or unmute it: what it finds stays in the log, but counts for nothing.", 3.2,
        palette=False,
    ),
    Command(
        ALERTS, "z", "z", "mute(600)", "mute 10 min", "alert log", "Mute it for ten minutes.", 3.3,
        palette=False,
    ),
    Command(
        ALERTS, "v", "v", "keep", "which", "alert log",
        "Show all entries, warnings and worse, critical ones, or those that hold.", 3.4, palette=False,
    ),
    Command(
        DASHBOARD, "less_than_sign", "<", "member(-1)", "process before", "process tree",
        "Watch the process before in the tree that the target belongs to; the watch on this one goes on.",
        needs=Capability.FAMILY,
    ),
    Command(
        DASHBOARD, "greater_than_sign", ">", "member(1)", "next process", "process tree",
        "Watch the next process of the tree: the next worker of a master, and after the last one the master.", 10,
        needs=Capability.FAMILY,
    ),
    Command(
        DASHBOARD, "T", "T", "family", "process tree", "process tree",
        "Show the tree of processes with the memory of each; enter watches the one under the cursor.", 14,
        needs=Capability.FAMILY,
    ),
    Command(
        DASHBOARD, "M", "M", "residence", "RSS", "watch",
        "Show where RSS comes from, step by step: heap, idle, stacks, files, mappings; enter on RSS does, too.", 8,
    ),
    Command(
        DASHBOARD, "space,p", "space", "pause", "pause", "watch",
        "Freeze the view; collection goes on. The frozen view scrolls, sorts and filters.", 12,
        needs=When.PRESENT,
    ),
    Command(
        DASHBOARD, "left", "← →", "travel(-1)", "time", "time",
        "Go back through what was recorded of the watch, one cell of the chart at a time; hold it to run.", 15.5,
    ),
    Command(
        DASHBOARD, "right", "→", "travel(1)", "forward", "time",
        "Go forward again; beyond the newest moment the view follows the watch.", palette=False,
    ),
    Command(DASHBOARD, "shift+left", "shift+←", "travel(-10)", "far back", "time", "Go back ten times as far."),
    Command(DASHBOARD, "shift+right", "shift+→", "travel(10)", "far forward", "time", "Go forward ten times as far."),
    Command(
        DASHBOARD, "comma", ", .", "stop(-1)", "alerts", "time", "Go to the alert or mark before this moment.", 15.7,
        needs=When.AWAY,
    ),
    Command(DASHBOARD, "full_stop", ".", "stop(1)", "next alert", "time", "Go to the next alert or mark."),
    Command(DASHBOARD, "home", "home", "beginning", "beginning", "time", "Go to the first moment that was recorded."),
    Command(
        DASHBOARD, "end", "end", "newest", "newest", "time", "Back to the newest moment, to follow the watch.", 2.5,
        needs=When.AWAY,
    ),
    Command(
        DASHBOARD, "m", "m", "mark", "mark", "time",
        "Mark the moment on the screen with a note: in the alert log, in the chart and in the recording.", 22,
    ),
    Command(
        DASHBOARD, "d", "d", "profile('top', True)", "diff", "profile",
        "What each function holds itself and with all it calls, and how that has changed since the baseline.", 5,
    ),
    Command(
        DASHBOARD, "l", "l", "listing", "list", "profile",
        "The source of the row under the cursor, or of what holds most, each line with what it holds.", 7,
    ),
    Command(
        PROFILE, "l", "l", "profile('list')", "list", "in views",
        "The listing of the function under the cursor.", 7,
    ),
    Command(
        LIST, "slash", "/", "choose_function", "functions", "source",
        "Choose another function, by a regular expression; those of the file come first.", 3, palette=False,
    ),
    Command(
        CODE, "n", "n", "costly(1)", "next line", "source",
        "Go to the next line that holds anything.", 8, palette=False,
    ),
    Command(
        CODE, "N", "N", "costly(-1)", "line before", "source",
        "Go to the line before that holds anything.", palette=False,
    ),
    Command(CODE, "right", "→", "sideways(1)", "right", "source", "Show what stands further right.", palette=False),
    Command(CODE, "left", "←", "sideways(-1)", "left", "source", "Show what stands further left.", palette=False),
    Command(
        DRILL, "tab,right_square_bracket", "tab ]", "section(1)", "section", "row in full",
        "Go to the next section.", 2, palette=False,
    ),
    Command(
        DRILL, "shift+tab,left_square_bracket", "shift+tab [", "section(-1)", "section before", "row in full",
        "Go to the section before.", palette=False,
    ),
    Command(
        DRILL, "l", "l", "profile('list')", "list", "row in full",
        "The whole source file, each line with what it holds itself and with all it calls.", 5, palette=False,
    ),
    Command(
        DRILL, "f", "f", "profile('flame')", "flame", "row in full",
        "The flame graph, with the cursor on the function of the row.", 6, palette=False,
    ),
    Command(
        DRILL, "y", "y", "copy", "copy", "row in full", "Copy the name and the place of the row.", 8, palette=False
    ),
    Command(DRILL, "escape", "esc", "leave", "back", "row in full", "Back to the dashboard.", 19, palette=False),
    Command(
        DASHBOARD, "t", "t", "profile('tree')", "tree", "profile",
        "Open the tree of calls, from the outermost inwards, with what is held through each.", 6,
    ),
    Command(
        DASHBOARD, "ctrl+s", "ctrl+s", "save", "save profile", "profile",
        "Save the profile of the moment on the screen as a file that go tool pprof opens.", 9,
    ),
    Command(
        DASHBOARD, "w", "w", "report", "report", "watch",
        "Save a report of the moment on the screen: a page for a browser, Markdown, text or JSON.", 21,
    ),
    Command(PROFILE, "t", "t", "profile('tree')", "tree", "in views", "The tree of calls, to be opened and closed.", 5),
    Command(PROFILE, "d", "d", "profile('top')", "top", "in views", "What holds most, or has changed most.", 4),
    Command(
        DASHBOARD, "f", "f", "profile('flame')", "flame", "profile",
        "The flame graph: what is held through each call, from the outermost function down.", 4,
    ),
    Command(PROFILE, "f", "f", "profile('flame')", "flame", "in views", "The flame graph of the same profile.", 6),
    Command(
        PROFILE, "slash", "/", "find", "find", "in views",
        "Look for a text, whatever its case; esc shows all again.", 2,
    ),
    Command(PROFILE, "n", "n", "match(1)", "next match", "in views", "Go to the next place that contains it."),
    Command(PROFILE, "N", "N", "match(-1)", "previous match", "in views", "Go to the previous place that contains it."),
    Command(
        PROFILE, "F", "F", "filters", "filters", "in views",
        "Focus, ignore, hide and show by regular expressions, as pprof does; they hold in all views.", 10,
    ),
    Command(
        PROFILE, "c", "c", "compare", "now/change", "in views",
        "Switch between what is held and how that has changed since the baseline.", 9,
    ),
    Command(
        PROFILE, "percent_sign", "%", "shares", "shares of", "in views",
        "Of a change: shares of what the baseline held (-diff_base), or of all that changed (-base).",
    ),
    Command(
        PROFILE, "a", "a", "whole", "large/all", "in views",
        "Show also what holds less than half a percent, which pprof leaves out.", 15,
    ),
    Command(
        PROFILE, "i", "i", "in_use", "inuse/alloc", "in views",
        "Switch between what is held and all ever asked for.", 12,
    ),
    Command(PROFILE, "o", "o", "objects", "bytes/objects", "in views", "Switch between bytes and objects.", 13),
    Command(PROFILE, "u", "u", "newest", "newest", "in views", "Take the newest profile.", 14),
    Command(
        RANKED, "s", "s", "sort(1)", "sort", "in views",
        "Sort by the next column; the columns' titles can be clicked too.", 3,
    ),
    Command(RANKED, "S", "S", "sort(-1)", "sort back", "in views", "Sort by the previous column."),
    Command(RANKED, "r", "r", "reverse", "reverse", "in views", "Turn the order of the rows round."),
    Command(
        RANKED, "", "enter", "open", "callers", "in views",
        "Open the callers and callees of the function; enter on one of them walks on to it.", 8, palette=False,
    ),
    Command(TREE, "right", "→", "unfold", "open", "tree", "Open the branch, or go into it.", 18),
    Command(TREE, "left", "←", "fold", "close", "tree", "Close the branch, or go out of it."),
    Command(TREE, "plus", "+", "unfold_all", "open all", "tree", "Open all branches below the row."),
    Command(TREE, "minus", "-", "fold_all", "close all", "tree", "Close all branches."),
    Command(
        TREE, "asterisk", "*", "hot_path", "hot path", "tree", "Open the heaviest path from the row on.", 17,
    ),
    Command(
        TREE, "v", "v", "turn", "calls/callers", "tree",
        "Turn the tree round: from those that hold something to who called them.", 11,
    ),
    Command(
        PEEK, "backspace", "backspace", "walk_back", "step back", "in views",
        "Back to the function that was walked from.", 11,
    ),
    Command(
        PROFILE, "ctrl+s", "ctrl+s", "save", "save", "in views",
        "Save the whole profile as a file that go tool pprof opens.", 16,
    ),
    Command(PROFILE, "y", "y", "copy", "copy", "in views", "Copy the name in full to the clipboard of your terminal."),
    Command(
        PROFILE, "escape", "esc", "leave", "back", "in views", "Back to where the view was opened.", 19, palette=False,
    ),
    Command(
        ICICLE, "enter", "enter", "zoom_in", "zoom", "flame graph",
        "Give the box the full width; its callers stay above it. A second click does the same.", 3, palette=False,
    ),
    Command(
        FLAME, "backspace", "backspace", "zoom_out", "zoom out", "flame graph",
        "Undo the last zoom. So does esc, which first ends a search, and where nothing is zoomed leads back.",
    ),
    Command(ICICLE, "home,r", "r", "root", "all", "flame graph", "Show all again, with the root at the top."),
    Command(
        FLAME, "space", "space", "follow", "follow", "flame graph",
        "Take the newest profile every other second, or stay at the one that is shown.", 8,
    ),
    Command(ICICLE, "down,j", "↓ j", "deeper", "deeper", "flame graph", "Into what the box calls.", palette=False),
    Command(ICICLE, "up,k", "↑ k", "outward", "outward", "flame graph", "To its caller.", palette=False),
    Command(ICICLE, "left,h", "← h", "beside(-1)", "left", "flame graph", "To the box before.", palette=False),
    Command(
        ICICLE, "right", "→", "beside(1)", "right", "flame graph", "To the next box; l is the listing.", palette=False,
    ),
    Command(
        ICICLE, "pagedown", "page down", "levels(1)", "page deeper", "flame graph",
        "A screenful of levels deeper; the wheel only looks.", palette=False,
    ),
    Command(
        ICICLE, "pageup", "page up", "levels(-1)", "page back", "flame graph", "A screenful back.", palette=False,
    ),
    Command(DASHBOARD, "plus", "+", "zoom(-1)", "zoom in", "chart", "Show a shorter span in the chart."),
    Command(DASHBOARD, "minus", "-", "zoom(1)", "zoom out", "chart", "Show a longer span in the chart."),
    Command(DASHBOARD, "equals_sign", "=", "zoom(0)", "usual zoom", "chart", "Show the last five minutes again."),
    Command(
        DASHBOARD, "e", "e", "enlarge", "enlarge", "panes",
        "Give the pane in use the whole screen, or take it back.", 17,
    ),
    Command(
        DASHBOARD, "", "1-9", "enlarge", "enlarge one", "panes", "Give the pane with that number the whole screen.",
        palette=False,
    ),
    Command(DASHBOARD, "tab", "tab", "pane(1)", "next pane", "panes", "Move to the next pane."),
    Command(DASHBOARD, "shift+tab", "shift+tab", "pane(-1)", "previous pane", "panes", "Move to the pane before."),
    Command(
        DASHBOARD, "right_square_bracket", "]", "tab(1)", "tab", "panes",
        "Show the next tab; without tabs, move to the next pane.", 16,
    ),
    Command(DASHBOARD, "left_square_bracket", "[", "tab(-1)", "previous tab", "panes", "Show the tab before."),
    Command(
        DASHBOARD, "escape", "esc", "back", "back", "panes",
        "Go back one level: out of the filter, then out of an enlarged pane. It never quits.", palette=False,
    ),
    Command(DASHBOARD, "y", "y", "copy", "copy", "find", "Copy the row in full to the clipboard of your terminal."),
    Command(
        DASHBOARD, "ctrl+g", "ctrl+g", "act('FORCE_GC')", "force GC", "actions",
        "Have the target collect its garbage now, after a question; the alert log shows before and after.", 15,
        needs=Action.FORCE_GC,
    ),
    Command(
        DASHBOARD, "ctrl+t", "ctrl+t", "act('TRIM')", "trim", "actions",
        "Have the target's allocator give memory back to the system, after a question.", 20,
        needs=Action.TRIM,
    ),
    Command(
        DASHBOARD, "L", "L", "act('FIND_LEAKS')", "find leaks", "actions",
        "Have a Go program search for goroutines that nothing can ever wake, after a question: it runs a collection.",
        needs=Action.FIND_LEAKS,
    ),
    Command(
        DASHBOARD, "A", "A", "act('LOAD_AGENT')", "load agent", "actions",
        "Bring memdash's agent into a running Python program, after a question: for GC pauses, malloc, asyncio tasks.",
        needs=Action.LOAD_AGENT,
    ),
    Command(
        DASHBOARD, "P", "P", "act('SAMPLE', 'UNSAMPLE')", "sample sites", "actions",
        "Sample the allocations of a Python that has memdash's agent, for its sites, or end that; after a question.",
        needs=Action.SAMPLE,
    ),
    Command(TABLE, "enter", "enter", "choose", "detail", "rows", "Show all there is to know of it.", 3, palette=False),
    Command(ROWS, "down,j", "↓ j", "step(1)", "down", "rows", "Go one row down.", palette=False),
    Command(ROWS, "up,k", "↑ k", "step(-1)", "up", "rows", "Go one row up.", palette=False),
    Command(ROWS, "pagedown", "page down", "page(1)", "page down", "rows", "Go one screenful down.", palette=False),
    Command(ROWS, "pageup", "page up", "page(-1)", "page up", "rows", "Go one screenful up.", palette=False),
    Command(ROWS, "g", "g", "edge(0)", "top", "rows", "Go to the first row.", palette=False),
    Command(ROWS, "G", "G", "edge(1)", "bottom", "rows", "Go to the last row.", palette=False),
)  # fmt: skip

EDGES = (Binding("home", "edge(0)", show=False), Binding("end", "edge(1)", show=False))
"""Further keys for rows, where these do not go through time."""


def bindings(scope: str) -> list[BindingType]:
    """The key bindings of one scope, for a BINDINGS class variable."""
    return [
        Binding(
            command.keys,
            command.action,
            command.label,
            show=False,
            tooltip=command.help,
            id=f"{scope}.{command.action}",
        )
        for command in COMMANDS
        if command.scope == scope and command.keys
    ]
