"""One action on its way: whoever carries it out may take a minute, and nothing that is read waits for that."""

from __future__ import annotations

from memdash.errors import MemdashError, ProbeError, TargetError, TargetExited, defects_told
from memdash.model.action import Action, Actor, Deed
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Sample
from memdash.sampling.clock import Clock

__all__ = ["Doing"]


class Doing:
    """``actor`` is to do ``action`` to a target that looks like ``before``.

    ``carry_out`` may run on a thread of its own; the others wait until it has returned.
    """

    def __init__(self, action: Action, actor: Actor, before: Sample, clock: Clock) -> None:
        self.action = action
        self.actor = actor
        self._before = before
        self._clock = clock
        self._outcome: Maybe[str] = Missing("it was not done")
        self._error: MemdashError | None = None
        self._took_s = 0.0

    def carry_out(self) -> None:
        """Do it, blocking; raises nothing."""
        began_s = self._clock.now().mono_s
        try:
            with defects_told():
                self._outcome = self.actor.act(self.action)
        except (ProbeError, TargetError) as error:
            self._error, self._outcome = error, Missing.of(error)
        finally:
            self._took_s = self._clock.now().mono_s - began_s

    @property
    def succeeded(self) -> bool:
        """Whether it was done. Raises TargetExited when that is what came of it."""
        if isinstance(self._error, TargetExited):
            raise self._error
        return self._error is None

    def deed(self, after: Sample, *, begun: bool = False) -> Deed:
        """What came of it."""
        return Deed(
            action=self.action,
            outcome=self._outcome,
            took_s=self._took_s,
            before=self._before,
            after=after,
            begun=begun,
            error=self._error,
        )
