"""What a screen on one watch opens about the moment that it shows: views of its profile, where RSS comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memdash.config import SourcePath
from memdash.model.profile import Frame
from memdash.ui.saving import Reporter, ask_to_report, ask_to_save
from memdash.ui.screens.travelling import Travelling
from memdash.ui.watched import Watched

if TYPE_CHECKING:
    from memdash.session import Session, Watches

__all__ = ["Visiting"]


class Visiting(Travelling):
    """The base of such a screen. Without ``report`` there is no key to save one."""

    def __init__(self, session: Session, watches: Watches, sources: SourcePath, report: Reporter | None) -> None:
        super().__init__(session, watches)
        self._watched = Watched(self.newest, sources)
        self._report = report

    def action_profile(self, name: str, is_differential: bool = False, subject: Frame | None = None) -> None:
        """Open a view of the profile as it now stands; against the baseline where that is wanted or was marked."""
        from memdash.ui.screens.profile import visit

        self.app.push_screen(
            visit(name, self.newest, is_differential=is_differential, sources=self._watched.sources, subject=subject)
        )

    def action_save(self) -> None:
        """Save the profile of the moment that is shown."""
        from memdash.ui.screens.profile import moment_of

        moment = moment_of(self._shown)
        ask_to_save(self, moment.take, moment.file_name)

    def action_report(self) -> None:
        """Save a report of the moment that is shown."""
        if self._report is not None:
            ask_to_report(self, self._report, self._shown)

    def action_residence(self) -> None:
        """Show where RSS comes from; a frozen view stays frozen there."""
        from memdash.ui.screens.residence import ResidenceScreen

        self.app.push_screen(ResidenceScreen(self.newest))
