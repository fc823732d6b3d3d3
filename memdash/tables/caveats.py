"""What is to be known of a fact's figures: what they leave out, since when they count."""

from __future__ import annotations

from memdash.model.capability import Capability
from memdash.model.snapshot import Snapshot

__all__ = ["caveat_words"]


def caveat_words(snapshot: Snapshot, capability: Capability) -> str:
    """The caveats of the newest reading, parted by ``;``; empty when there are none, or no reading."""
    origin = snapshot.sample.origins.get(capability)
    return "; ".join(origin.caveats) if origin is not None else ""
