"""What every view of a profile is: built on a thread, shown when it is ready, one key from the others."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import get_current_worker

from memdash.errors import MemdashError, defects_told
from memdash.model.profile import Frame
from memdash.plain import plain
from memdash.ui.commands import PROFILE, bindings
from memdash.ui.screens.profile.study import Study
from memdash.ui.widgets.footer import KeyLine
from memdash.ui.widgets.paint import Painted

__all__ = ["ProfileScreen"]

Built = TypeVar("Built")

_SOON_S = 0.15
"""What is ready before then needs no word about its being made."""

_OTHER_TIME = {
    "inuse_space": "alloc_space", "inuse_objects": "alloc_objects",
    "alloc_space": "inuse_space", "alloc_objects": "inuse_objects",
}  # fmt: skip
_OTHER_UNIT = {
    "inuse_space": "inuse_objects", "inuse_objects": "inuse_space",
    "alloc_space": "alloc_objects", "alloc_objects": "alloc_space",
}  # fmt: skip


class ProfileScreen(Screen[None], Generic[Built]):
    """A view of the profile that ``study`` holds. Subclasses say what is built, and how it is shown.

    ``name_of_view`` is its key in ``VIEWS``; ``main`` its widget, whose frame bears the title.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PROFILE), Binding("q", "leave", show=False)]

    name_of_view: ClassVar[str]
    title_of_view: ClassVar[str]

    def __init__(self, study: Study) -> None:
        super().__init__()
        self.study = study
        self._keys = KeyLine(PROFILE)

    @property
    def main(self) -> Painted:
        """What shows the view."""
        raise NotImplementedError

    @property
    def selected(self) -> Frame | None:
        """The function under the cursor, with file and line as far as they are known; None where there is none."""
        return None

    def build(self) -> Built:
        """Make the view from ``study``. On a thread of its own. Raises MemdashError."""
        raise NotImplementedError

    def present(self, built: Built) -> None:
        """Show what was built."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """The view, framed, and the keys."""
        yield self.main
        yield self._keys

    def on_mount(self) -> None:
        """Begin to build."""
        self.main.focus()
        self.rebuild()

    def rebuild(self) -> None:
        """Build again, for another lens or a newer profile; what stands there stays until that is ready."""
        self.set_timer(_SOON_S, self._say_building)
        self.run_worker(self._build, thread=True, exclusive=True, group="build")

    def _say_building(self) -> None:
        if any(worker.group == "build" and worker.is_running for worker in self.workers):
            self.entitle("being made …")

    def _build(self) -> None:
        """On the worker's thread."""
        worker = get_current_worker()
        built: Built | None = None
        failure: MemdashError | None = None
        try:
            with defects_told():
                built = self.build()
        except MemdashError as error:
            failure = error
        if worker.is_cancelled:
            return
        self.app.call_from_thread(self._built, built, failure)

    def _built(self, built: Built | None, failure: MemdashError | None) -> None:
        if not self.is_attached:
            return
        if failure is not None or built is None:
            words = "nothing to show" if failure is None else ". ".join(filter(None, (failure.what, failure.hint)))
            self.entitle(plain(words))
            self.notify(plain(words), severity="warning", markup=False)
            return
        self.present(built)

    def entitle(self, remark: str) -> None:
        """Write what is shown into the frame, and ``remark`` below."""
        parts = (self.title_of_view, self.study.lens.sample_type, self.study.title)
        self.main.entitle(" · ".join(part for part in parts if part), remark)

    # What a person does

    def action_leave(self) -> None:
        """Back to where the view was opened from."""
        self.dismiss()

    def action_profile(self, name: str) -> None:
        """Another view of the same profile, through the same lens."""
        from memdash.ui.screens.profile import view_of

        self.study.subject = self.selected or self.study.subject
        if name != self.name_of_view:
            self.app.switch_screen(view_of(name, self.study))

    def action_newest(self) -> None:
        """Take the newest profile."""
        self.study.renew()
        self.rebuild()

    def action_in_use(self) -> None:
        """Between inuse and alloc."""
        self._switch(_OTHER_TIME)

    def action_objects(self) -> None:
        """Between bytes and objects."""
        self._switch(_OTHER_UNIT)

    def _switch(self, other: dict[str, str]) -> None:
        document = self.study.taken.document
        now = self.study.lens.sample_type or document.sample_types[document.index_of("")].kind
        wanted = other.get(now, "")
        if wanted not in [held.kind for held in document.sample_types]:
            self.notify(f"this profile has no {wanted or 'other values'}", severity="warning", markup=False)
            return
        self.study.lens = replace(self.study.lens, sample_type=wanted)
        self.rebuild()
