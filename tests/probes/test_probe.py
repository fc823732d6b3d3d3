from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.target import Target
from memdash.probes.probe import Attachment, Fit, Refusal, judged
from tests.fakes import a_target


class Broken:
    """An entry that some process trips up."""

    name = "go"
    capabilities = frozenset({Capability.MEMSTATS})
    wanted_for = frozenset[Action]()

    def fitness(self, target: Target) -> Fit | Refusal:
        raise ZeroDivisionError(f"what {target.name} holds")

    def attach(self, target: Target) -> Attachment:
        raise AssertionError("it was not even judged")


def test_a_process_that_uncovers_a_defect_is_refused() -> None:
    verdict = judged(Broken(), a_target())
    assert isinstance(verdict, Refusal)
    assert verdict.why == f"a defect of memdash: ZeroDivisionError: what {a_target().name} holds"
