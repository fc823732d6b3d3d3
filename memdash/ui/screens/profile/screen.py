"""What every view of a profile is: built on a thread, shown when it is ready, one key from the others."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from memdash.errors import MemdashError
from memdash.model.profile import Frame as Place
from memdash.plain import plain
from memdash.pprof.taken import TakenProfile
from memdash.pprof.view import Frame
from memdash.ui.beside import beside
from memdash.ui.command import PROFILE, Command
from memdash.ui.commands import bindings
from memdash.ui.lean import resettle, undisturbed
from memdash.ui.saving import ask_to_save
from memdash.ui.screens.ground import Ground
from memdash.ui.screens.profile.looking import Looking
from memdash.ui.screens.profile.study import Caption, Lens, Sight, Study
from memdash.ui.widgets.cut import width_of
from memdash.ui.widgets.filter import FilterBar
from memdash.ui.widgets.footer import KeyLine
from memdash.ui.widgets.paint import Painted

__all__ = ["Built", "ProfileScreen"]

Built = TypeVar("Built")

_SOON_S = 0.15
"""What is ready before then needs no word about its being made anew."""
_LOOK_EVERY_S = 1.0
_LEFT_S = 1.0
"""By then Textual has let go of a screen."""
_BEING_MADE = "being made …"


class ProfileScreen(Looking, Generic[Built]):
    """A view of the profile that ``study`` holds. Subclasses say what is built, and how it is shown.

    ``name_of_view`` is its key in ``VIEWS``; ``main`` its widget, whose frame bears the title. ``scopes`` are those of
    the commands that it has: one of its own adds a scope, and binds it. ``is_being_built`` until what is wanted is
    ready; until then ``caption`` is of what still stands there, whatever the study's lens is by now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PROFILE), Binding("q", "close", show=False)]

    name_of_view: ClassVar[str]
    scopes: ClassVar[tuple[str, ...]] = (PROFILE,)

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self.wanted = ""
        self.caption = study.sight(study.lens, study.subject).caption
        self._built_through: Lens | None = None
        self.is_being_built = False
        self.target_state = self._said_below = ""
        self._keys = KeyLine(*self.scopes)

    @property
    def title_of_view(self) -> str:
        """What it is called in its frame."""
        raise NotImplementedError

    @property
    def main(self) -> Painted:
        """What shows the view."""
        raise NotImplementedError

    def build(self, sight: Sight) -> Built:
        """Make the view of what ``sight`` shows, on a thread, one at a time. Raises MemdashError.

        A person goes on meanwhile: what else it depends on is read once.
        """
        raise NotImplementedError

    def present(self, built: Built) -> None:
        """Show what was built."""
        raise NotImplementedError

    def say(self, words: str) -> None:
        """Say why there is no view to be shown, or not yet."""
        raise NotImplementedError

    @property
    def chosen(self) -> Frame | None:
        """The frame under the cursor: where another view opens."""
        raise NotImplementedError

    def leave_trace(self) -> None:
        """Have the next view open at the frame under the cursor."""
        if self.chosen is not None:
            self.study.stand_on(self.chosen)

    @property
    def words(self) -> str:
        """What is under the cursor in full, to be copied."""
        return "" if self.chosen is None else plain(self.chosen.text)

    def search(self) -> None:
        """Show what contains the text ``wanted``, or all where it is empty."""

    def match(self, step: int) -> None:
        """Go to the next (1) or previous (-1) place that contains it."""

    # Making it

    def compose(self) -> ComposeResult:
        """The view, framed, and the keys."""
        yield self.main
        yield self._keys

    def on_mount(self) -> None:
        """Begin to build."""
        self._keys.follow(self.offers)
        self.set_interval(_LOOK_EVERY_S, self._look_at_target)
        self.main.focus()
        self.say(_BEING_MADE)
        self.rebuild()

    def on_screen_resume(self) -> None:
        """Catch up with what was done in a view that lay over this one: to the lens, or a newer profile taken."""
        is_old = not self.is_being_built and self.caption.moment is not self.study.moment
        if self._built_through is not None and (is_old or self._built_through != self.study.lens):
            self.rebuild()

    def on_unmount(self) -> None:
        """Give back what the profile took, once the last view of one is left."""
        if not any(isinstance(screen, ProfileScreen) for screen in self.app.screen_stack):
            self.app.set_timer(_LEFT_S, resettle)

    def rebuild(self, *, newest: bool = False) -> None:
        """Build again, for another lens or the ``newest`` profile; what stands there stays until that is ready."""
        lens, subject = self.study.lens, self.study.subject
        self._built_through, self.is_being_built = lens, True
        self.set_timer(_SOON_S, self._say_building)
        beside(
            self,
            lambda: self._build(lens, subject, newest),
            lambda built: self._built(*built),
            lambda error: self._failed(error, self.study.sight(lens, subject).caption),
            group="build",
            turn=self.study.lock,
        )

    def _say_building(self) -> None:
        if self.is_being_built:
            self.entitle(_BEING_MADE)

    def _build(self, lens: Lens, subject: Place | None, newest: bool) -> tuple[Built, Caption]:
        """On the thread. One that was overtaken still works for as long as it takes: its end is waited for."""
        with undisturbed():
            if newest:
                self.study.renew()
            sight = self.study.sight(lens, subject)
            return self.build(sight), sight.caption

    def _built(self, built: Built, caption: Caption) -> None:
        self.is_being_built = False
        self.caption = caption
        self.present(built)

    def _failed(self, error: MemdashError, caption: Caption) -> None:
        self.is_being_built = False
        self.caption = caption
        self.say(plain(". ".join(filter(None, (error.what, error.hint)))))

    def _look_at_target(self) -> None:
        """Say in the frame how the target stands, once that is another."""
        if self.target_state != self.study.state:
            self.entitle(self._said_below)

    def entitle(self, remark: str) -> None:
        """Write what is shown into the frame, how its target stands, and ``remark`` below."""
        self._said_below, self.target_state = remark, self.study.state
        self.main.entitle(self.frame_title(), remark)

    def frame_title(self) -> str:
        """What stands in the frame above."""
        caption = self.caption
        since = caption.moment.since if caption.lens.is_differential else ""
        parts = (self.title_of_view, self.target_state, caption.sample_type, self._filters_in_force(), since)
        title = " · ".join(part for part in parts if part)
        end = self.title_end(title)
        return f"{title} · {end}" if end else title

    def title_end(self, title: str) -> str:
        """What stands behind ``title`` there: of what the profile is, and when, if there is room for that."""
        moment = self.caption.moment
        whole = f"{moment.title} {moment.at}".strip()
        return whole if width_of(f"{title} · {whole}") <= self.main.border_room else moment.title

    def _filters_in_force(self) -> str:
        idle = self.caption.unmatched
        return ", ".join(
            f"{name} {pattern.text}{' (matches nothing)' if name in idle else ''}"
            for name, pattern in self.caption.lens.filters.given.items()
        )

    # What a person does

    def offers(self, command: Command) -> bool:
        """Whether a command can do anything here."""
        is_here = command.action == f"profile('{self.name_of_view}')"
        if command.action == "leave" and self._is_alone:
            return False
        return not is_here and not (command.action == "compare" and not self.study.moment.has_baseline)

    def action_leave(self) -> None:
        """Out of what is looked for, or back to where the view was opened from; it never quits."""
        if self.wanted:
            self.wanted = ""
            self.search()
        elif self._is_alone:
            self.notify("q quits", timeout=2)
        else:
            self.dismiss()

    def action_close(self) -> None:
        """Back to where the view was opened from, or out of memdash."""
        if self._is_alone:
            self.app.exit()
        else:
            self.dismiss()

    @property
    def _is_alone(self) -> bool:
        """No dashboard lies below."""
        return isinstance(self.app.screen_stack[0], Ground)

    def action_profile(self, name: str) -> None:
        """Another view of the same profile, through the same lens."""
        from memdash.ui.screens.profile import view_of

        if name != self.name_of_view:
            self.leave_trace()
            self.app.switch_screen(view_of(name, self.study))

    def action_newest(self) -> None:
        """Take the newest profile."""
        self.rebuild(newest=True)

    def action_save(self) -> None:
        """Save the profile, all of it, whatever the lens."""
        ask_to_save(self, self._take, self.study.moment.file_name)

    def _take(self) -> TakenProfile:
        with self.study.lock:
            return self.study.taken

    def action_copy(self) -> None:
        """Put what is under the cursor into the terminal's clipboard (OSC 52)."""
        if words := self.words:
            self.app.copy_to_clipboard(words)
            self.notify("copied", timeout=2)

    def action_match(self, step: int) -> None:
        """Go to the next (1) or previous (-1) place that contains what is looked for."""
        if self.wanted:
            self.match(step)

    def action_find(self) -> None:
        """Open the line in which it is typed."""
        if not self.query(FilterBar):
            FilterBar(self.wanted).open(self._keys)

    @on(FilterBar.Typed)
    def _typed(self, typed: FilterBar.Typed) -> None:
        self.take_typed(typed)

    def take_typed(self, typed: FilterBar.Typed) -> None:
        """Look for what is typed there."""
        self.wanted = typed.wanted
        if typed.done:
            typed.bar.remove()
            self.main.focus()
        self.search()
