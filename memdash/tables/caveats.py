"""What is to be known of a fact's figures: what they leave out, since when they count."""

from __future__ import annotations

from memdash.model.capability import Capability
from memdash.model.snapshot import Snapshot

__all__ = ["caveat_words", "caveats"]


def caveats(snapshot: Snapshot, capability: Capability) -> tuple[str, ...]:
    """Those of the newest reading; none where there is no reading."""
    origin = snapshot.sample.origins.get(capability)
    return origin.caveats if origin is not None else ()


def caveat_words(snapshot: Snapshot, capability: Capability) -> str:
    """The same, parted by ``;``."""
    return "; ".join(caveats(snapshot, capability))
