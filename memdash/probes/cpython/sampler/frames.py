"""Where one build of CPython keeps what a walk over its frames needs, in the words of the sampler's configuration."""

from __future__ import annotations

from memdash.probes.cpython.layouts import Layout

__all__ = ["frame_words"]

_STATE, _C_FRAME, _FRAME = "PyThreadState", "_PyCFrame", "_PyInterpreterFrame"
_BY_BYTES, _BY_UNITS, _BY_ADDRESS = range(3)
_FIRST_IN_UNITS = 10


def frame_words(layout: Layout, minor: int) -> tuple[int, ...]:
    """From STATE_INTERPRETER on, as ``sampler.c`` numbers what it is told. Raises LayoutRefused."""
    by_c_frame, by_address = layout.has(_STATE, "cframe"), layout.has(_FRAME, "instr_ptr")
    mode = _BY_ADDRESS if by_address else _BY_UNITS if minor >= _FIRST_IN_UNITS else _BY_BYTES
    return (
        layout.offset(_STATE, "interp"),
        layout.offset(_STATE, "cframe" if by_c_frame else "current_frame"),
        int(by_c_frame),
        layout.offset(_C_FRAME, "current_frame") if by_c_frame else 0,
        layout.offset(_FRAME, "previous"),
        layout.offset(_FRAME, "f_executable"),
        layout.offset(_FRAME, "instr_ptr" if by_address else "f_lasti"),
        mode,
        layout.offset("PyCodeObject", "co_code_adaptive") if by_address else 0,
        layout.offset(_FRAME, "owner") if by_address else 0,
    )
