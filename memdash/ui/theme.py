"""Colours by meaning. A theme names what things are (``heap-alloc``, ``critical``), never what they look like.

Every theme of Textual works: tokens that a theme does not set are derived from its own colours. Severity never rests on
colour alone: a glyph and a word stand beside it everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

__all__ = ["DEFAULT_THEME", "THEMES", "Palette", "derived_tokens", "theme_names"]

DEFAULT_THEME = "memdash"

_BOLD = frozenset({"strong", "title", "key", "critical", "warning", "paused"})
_FILLED = frozenset({"cursor", "cursor-idle", "track"})
"""Tokens that are a background; what stands on it keeps its colour."""

_TOKENS = (
    "plain", "faint", "strong", "title", "frame", "frame-focus", "key",
    "grows", "shrinks", "good", "info", "warning", "critical", "paused",
    "verdict-critical", "verdict-warning", "on-verdict", "cursor", "cursor-idle",
    "spark", "bar", "track", "heap-alloc", "heap-live", "rss", "sys", "gc-mark", "axis",
)  # fmt: skip

BOXES = ("box-1", "box-2", "box-3", "box-4", "box-5", "box-6")
"""Boxes that differ in nothing but what they belong to."""

_GROUND_AT_LEVEL = {1: 0.78, 2: 0.64, 3: 0.48}
"""How much of the ground is in the colour of a box that grew or shrank by little, some, much."""

_ODD = 0.22
"""How much of it is in every other line."""

_EDGE = 0.4
"""How much of the words' colour is in an edge."""


def derived_tokens(theme: Theme) -> dict[str, str]:
    """A value for every token from the theme's own colours; what the theme sets itself wins over these."""
    text = theme.foreground or ("#e6e6e6" if theme.dark else "#1f1f1f")
    ground = theme.background or ("#121212" if theme.dark else "#e0e0e0")
    accent = theme.secondary or theme.primary
    good, warning, bad = (theme.success or "#4ebf71", theme.warning or "#ffa62b", theme.error or "#ba3c5b")
    if theme.ansi:
        faint, cursor, idle, track = "ansi_bright_black", "ansi_blue", "ansi_bright_black", "ansi_bright_black"
        on_verdict = "ansi_black" if theme.dark else "ansi_bright_white"
        purple = "ansi_magenta"
        boxes = ["ansi_blue", "ansi_cyan", "ansi_magenta", "ansi_yellow", "ansi_green", faint]
    else:
        faint, track = _mixed(text, ground, 0.5), _mixed(text, ground, 0.85)
        cursor, idle = _mixed(theme.primary, ground, 0.65), _mixed(text, ground, 0.9)
        on_verdict = ground
        purple = theme.accent or theme.primary
        boxes = [_mixed(hue, ground, 0.72) for hue in (theme.primary, accent, purple, warning, good, text)]
    return {
        "plain": text, "faint": faint, "strong": text, "title": good, "frame": faint, "frame-focus": theme.primary,
        "key": theme.primary, "grows": bad, "shrinks": good, "good": good, "info": theme.primary, "warning": warning,
        "critical": bad, "paused": warning, "verdict-critical": bad, "verdict-warning": warning,
        "on-verdict": on_verdict, "cursor": cursor, "cursor-idle": idle, "spark": theme.primary, "bar": theme.primary,
        "track": track, "heap-alloc": theme.primary, "heap-live": good, "rss": purple, "sys": faint,
        "gc-mark": track if not theme.ansi else faint, "axis": faint if theme.ansi else accent,
        **dict(zip(BOXES, boxes, strict=True)),
    }  # fmt: skip


def _mixed(color: str, other: str, share: float) -> str:
    return Color.parse(color).blend(Color.parse(other), share).hex


class Palette:
    """The tokens of one theme as Rich styles, each on the theme's ground: lines are painted over nothing."""

    def __init__(self, theme: Theme) -> None:
        values = derived_tokens(theme) | theme.variables
        ground = Color.parse(theme.background or "ansi_default").rich_color
        self._styles = {token: self._style(token, values[token], ground) for token in _TOKENS}
        on_verdict = Color.parse(values["on-verdict"]).rich_color
        for token in ("verdict-critical", "verdict-warning"):
            self._styles[token] = Style(color=on_verdict, bgcolor=Color.parse(values[token]).rich_color, bold=True)
        if theme.ansi:  # sixteen colours have no shade to lie under all the others
            default = Color.parse("ansi_default").rich_color
            self._styles["cursor"] = Style(color=default, bgcolor=default, reverse=True)
        self._styles |= _box_styles(values, ground, is_ansi=bool(theme.ansi))

    def __getitem__(self, token: str) -> Style:
        return self._styles[token]

    @staticmethod
    def _style(token: str, value: str, ground: RichColor) -> Style:
        color = Color.parse(value).rich_color
        if token in _FILLED:
            return Style(bgcolor=color)
        return Style(color=color, bgcolor=ground, bold=token in _BOLD or None)


_WAYS = {"grew": "grows", "shrank": "shrinks"}


def _box_styles(values: Mapping[str, str], ground: RichColor, *, is_ansi: bool) -> dict[str, Style]:
    """Boxes (``box-1``), in every other line a shade nearer to the ground (``box-1-odd``); their edges (``…-edge``).

    Boxes are filled; with sixteen colours, none of which goes under all others, their words are coloured instead.
    """
    colors = {token: Color.parse(values[token]) for token in (*_TOKENS, *BOXES)}
    words = {"above": "faint", "several": "faint"}
    styles: dict[str, Style] = {}

    def add(look: str, style: Style, odd: Style, edge: RichColor | None = None) -> None:
        for name, one in ((look, style), (f"{look}-odd", odd)):
            styles[name] = one
            styles[f"{name}-edge"] = one + Style(color=edge)

    if is_ansi:
        looks = {box: box for box in BOXES} | words | {"same": "plain"}
        looks |= {f"{way}-{level}": tone for way, tone in _WAYS.items() for level in _GROUND_AT_LEVEL}
        for look, token in looks.items():
            style = Style(color=colors[token].rich_color, bgcolor=ground)
            add(look, style, style, colors["faint"].rich_color)
    else:
        below = Color.from_rich_color(ground)
        fills = {box: colors[box] for box in BOXES}
        fills |= {"above": colors["cursor-idle"], "several": colors["track"], "same": colors["track"]}
        for way, tone in _WAYS.items():
            fills |= {f"{way}-{level}": colors[tone].blend(below, share) for level, share in _GROUND_AT_LEVEL.items()}
        for look, fill in fills.items():
            word, odd = colors[words.get(look, "plain")], fill.blend(below, _ODD)
            style = Style(color=word.rich_color, bgcolor=fill.rich_color)
            add(look, style, style + Style(bgcolor=odd.rich_color), fill.blend(word, _EDGE).rich_color)
    for look, token in (("chosen", "plain" if is_ansi else "frame-focus"), ("found", "warning")):
        color = colors[token].rich_color
        marked = Style(color=color, bgcolor=ground, reverse=True, bold=True)
        if not is_ansi:
            marked = Style(color=ground, bgcolor=color, bold=True)
        add(look, marked, marked)
    return styles


def _theme(name: str, *, dark: bool, ground: str, text: str, faint: str, tokens: Mapping[str, str]) -> Theme:
    return Theme(
        name=name,
        primary=tokens["info"],
        secondary=tokens["frame"],
        accent=tokens["title"],
        warning=tokens["warning"],
        error=tokens["critical"],
        success=tokens["good"],
        foreground=text,
        background=ground,
        surface=ground,
        panel=_mixed(text, ground, 0.92),
        dark=dark,
        variables={"plain": text, "strong": text, "faint": faint, "on-verdict": ground, **tokens},
    )


THEMES = (
    _theme(
        "memdash", dark=True, ground="#0d1117", text="#d5dde6", faint="#7d8794",
        tokens={
            "strong": "#ffffff", "title": "#7ee787", "frame": "#39424e", "frame-focus": "#58a6ff", "key": "#58a6ff",
            "grows": "#ff8b80", "shrinks": "#7ee787", "good": "#7ee787", "info": "#58a6ff", "warning": "#e3b341",
            "critical": "#ff7b72", "paused": "#e3b341", "verdict-critical": "#ff7b72", "verdict-warning": "#e3b341",
            "cursor": "#1f3550", "cursor-idle": "#171f2a", "spark": "#4a90e2", "bar": "#4a90e2", "track": "#1d2530",
            "heap-alloc": "#58a6ff", "heap-live": "#7ee787", "rss": "#e6edf3", "sys": "#8b949e", "gc-mark": "#39424e",
            "axis": "#5a6572", "box-1": "#1c3a5e", "box-2": "#164545", "box-3": "#3b3266", "box-4": "#4a3a1a",
            "box-5": "#4a2a42", "box-6": "#2b3645",
        },
    ),
    _theme(
        "colour-blind-dark", dark=True, ground="#101418", text="#dfe3e8", faint="#88919c",
        tokens={
            "strong": "#ffffff", "title": "#56b4e9", "frame": "#3c444e", "frame-focus": "#56b4e9", "key": "#56b4e9",
            "grows": "#e69f00", "shrinks": "#56b4e9", "good": "#56b4e9", "info": "#9ad0f5", "warning": "#f0e442",
            "critical": "#ff8c3a", "paused": "#f0e442", "verdict-critical": "#ff8c3a", "verdict-warning": "#f0e442",
            "cursor": "#1d3a52", "cursor-idle": "#1a222b", "spark": "#56b4e9", "bar": "#56b4e9", "track": "#20282f",
            "heap-alloc": "#56b4e9", "heap-live": "#e69f00", "rss": "#f4f4f4", "sys": "#9a9a9a", "gc-mark": "#3c444e",
            "axis": "#66707c", "box-1": "#1b3d55", "box-2": "#5a4310", "box-3": "#0f4a3e", "box-4": "#533349",
            "box-5": "#4c4a1e", "box-6": "#333c47",
        },
    ),
    _theme(
        "colour-blind-light", dark=False, ground="#fbfbf8", text="#22262b", faint="#6a717b",
        tokens={
            "strong": "#000000", "title": "#005a9c", "frame": "#b9c0c8", "frame-focus": "#0072b2", "key": "#0072b2",
            "grows": "#b34700", "shrinks": "#0072b2", "good": "#0072b2", "info": "#005a9c", "warning": "#8a6100",
            "critical": "#b34700", "paused": "#8a6100", "verdict-critical": "#b34700", "verdict-warning": "#8a6100",
            "cursor": "#cfe3f3", "cursor-idle": "#ecedea", "spark": "#0072b2", "bar": "#0072b2", "track": "#e6e7e2",
            "heap-alloc": "#0072b2", "heap-live": "#b34700", "rss": "#22262b", "sys": "#858b93", "gc-mark": "#d5d8d8",
            "axis": "#858b93", "box-1": "#cfe2f3", "box-2": "#f6dfbd", "box-3": "#cdeae0", "box-4": "#ecd8e6",
            "box-5": "#f1eec4", "box-6": "#dfe3e8",
        },
    ),
)  # fmt: skip
"""Our own; the two colour-blind ones use the Okabe-Ito hues: blue against orange, never red against green."""


def theme_names() -> list[str]:
    """What may be chosen: ours first, then Textual's."""
    return [*(theme.name for theme in THEMES), *BUILTIN_THEMES]
