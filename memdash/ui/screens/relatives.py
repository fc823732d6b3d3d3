"""What a screen on one process can do where that belongs to a tree: turn to the others, and show them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from memdash.errors import MemdashError, TargetError
from memdash.model.family import Family, Member
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot
from memdash.plain import plain

if TYPE_CHECKING:
    from memdash.session import Session, Watches

__all__ = ["Relatives"]

_ALONE = Missing("the process is the only one of its tree")


class Relatives(Screen[None]):
    """The base of such a screen, which says what it shows and how it turns to another session."""

    def __init__(self, watches: Watches) -> None:
        super().__init__()
        self._watches = watches

    @property
    def moment(self) -> Snapshot:
        """The moment that is shown."""
        raise NotImplementedError

    def turn_to(self, session: Session) -> None:
        """Show another watch, in the same arrangement."""
        raise NotImplementedError

    @property
    def family(self) -> Maybe[Family]:
        """The tree of the process that is shown, as it stands now."""
        return self._watches.family(self.moment)

    @property
    def has_relatives(self) -> bool:
        """Whether anybody but the target is in its tree."""
        family = self.family
        return not isinstance(family, Missing) and family.is_tree

    def action_member(self, step: int) -> None:
        """Watch the next (1) or previous (-1) process of the tree."""
        family = self.family
        member = None if isinstance(family, Missing) else family.beside(step)
        if member is None:
            self._say(family if isinstance(family, Missing) else _ALONE)
        else:
            self._watch(member)

    def action_family(self) -> None:
        """Show the tree, and watch who is chosen there."""
        # Imported when first asked for: the first frame does not wait for it.
        from memdash.ui.screens.family import FamilyScreen

        self.app.push_screen(FamilyScreen(lambda: self.family), self._watch)

    def _watch(self, member: Member | None) -> None:
        """Turn to a member; when it cannot be watched, say why and go on with what is shown."""
        if member is None:
            return
        try:
            session = self._watches.turn_to(member)
        except TargetError as error:
            self._say_failed(error)
        else:
            self.turn_to(session)

    def _say_failed(self, error: MemdashError) -> None:
        self._say(Missing.of(error))

    def _say(self, why: Missing) -> None:
        self.notify(plain(why.words), severity="warning", markup=False)
