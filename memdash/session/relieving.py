"""Collections that memdash forces by itself before a limit is reached: from a sample to what the sampler is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from memdash.analysis.relief import Order, Reliever
from memdash.errors import MemdashError, defects_told
from memdash.model.action import Action, Deed
from memdash.model.finding import Finding, NotYet, Severity
from memdash.model.missing import Maybe
from memdash.model.relief import OVER_LIMIT, GcAt, Relief
from memdash.model.sample import Instant, Sample

__all__ = ["Relieving"]


class Relieving:
    """Asks with ``ask`` for what a Reliever orders, and puts what it has to say into the log with ``note``.

    Should that go wrong it is told once, and nothing more is done to the target.
    """

    def __init__(
        self, plan: GcAt, ask: Callable[[Action, str], object], note: Callable[[Instant, str, Severity], object]
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
            self._break(sample.at, error)
            return {}
        for words, severity in looked.told:
            self._note(sample.at, words, severity)
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
            self._break(deed.after.at, error)

    def _pass_on(self, order: Order | None) -> None:
        if order is not None:
            self._ask(order.action, order.cause)

    def _break(self, at: Instant, error: MemdashError) -> None:
        self._is_broken = True
        self._note(at, f"gc-at is off from now on: {error.what}", Severity.WARNING)
