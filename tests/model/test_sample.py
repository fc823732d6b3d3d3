"""A kind of fact is in all the places that name one."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args, get_type_hints

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.sample import CAPABILITY_OF, Fact, Sample


def test_a_sample_has_a_field_for_every_capability_and_that_holds_its_fact() -> None:
    names = {field.name for field in fields(Sample)} - {"at", "origins", "costs"}
    assert names == {capability.value for capability in CAPABILITY_OF.values()}
    assert set(CAPABILITY_OF.values()) == set(Capability)
    assert set(CAPABILITY_OF) == set(get_args(Fact))
    hints = get_type_hints(Sample)
    for kind, capability in CAPABILITY_OF.items():
        assert set(get_args(hints[capability.value])) == {kind, Missing}
