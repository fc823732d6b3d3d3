"""Collections that memdash forces by itself before a limit is reached: from a sample to what the sampler is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from memdash.analysis.relief import Order, Reliever
from memdash.errors import MemdashError, defects_told
from memdash.model.action import Action, Deed
from memdash.model.finding import Finding, NotYet, Severity
from memdash.model.missing import Maybe
from memdash.model.relief import OVER_LIMIT, GcAt, Relief
from memdash.model.sample import Sample

__all__ = ["Relieving"]


class Relieving:
    """Asks with ``ask`` for what a Reliever orders, and puts what it has to say into the log with ``note``.

    Should that go wrong it is told once, and nothing more is done to the target.
    """

    def __init__(
        self, plan: GcAt, ask: Callable[[Action, str], object], note: Callable[[float, str, Severity], object]
    ) -> None:
        self._reliever = Reliever(plan)
        self._ask = ask
        self._note = note
        self._is_broken = False

    @property
    def standing(self) -> Relief:
        """How it stands."""
        return self._reliever.standing

    def look(self, sample: Sample, offers: Mapping[Action, Maybe[str]]) -> Mapping[str, Finding | NotYet | None]:
        """Take in a sample and ask for what it takes; what there is to find, by the name of the rule."""
        if self._is_broken:
            return {}
        try:
            with defects_told():
                looked = self._reliever.look(sample, offers)
        except MemdashError as error:
            self._break(sample.at.wall_s, error)
            return {}
        for words, severity in looked.told:
            self._note(sample.at.wall_s, words, severity)
        self._pass_on(looked.order)
        return {OVER_LIMIT: looked.finding}

    def heard(self, deed: Deed) -> None:
        """Take in what was done to the target, and ask for what follows."""
        if self._is_broken:
            return
        try:
            with defects_told():
                self._pass_on(self._reliever.heard(deed))
        except MemdashError as error:
            self._break(deed.after.at.wall_s, error)

    def _pass_on(self, order: Order | None) -> None:
        if order is not None:
            self._ask(order.action, order.cause)

    def _break(self, at_s: float, error: MemdashError) -> None:
        self._is_broken = True
        self._note(at_s, f"gc-at is off from now on: {error.what}", Severity.WARNING)
