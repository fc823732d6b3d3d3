"""Which of the built samplers a target can load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memdash.errors import UnsupportedRuntime
from memdash.model.target import Target

__all__ = ["Fitting", "fitting"]

_BUILT = Path(__file__).parent / "built"


@dataclass(frozen=True, slots=True)
class Fitting:
    """A file that the target can load."""

    name: str
    content: bytes


def fitting(_: Target) -> Fitting:
    """Raises ProbeError when there is none."""
    path = _BUILT / "sampler-x86_64-glibc.so"
    try:
        return Fitting(path.name, path.read_bytes())
    except OSError:
        raise UnsupportedRuntime(
            "memdash was installed without its sampler", "install it where there is a C compiler"
        ) from None
