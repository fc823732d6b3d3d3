"""Work that takes long, on a thread beside the screen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from textual.widget import Widget
from textual.worker import Worker, active_worker, get_current_worker

from memdash.errors import MemdashError, defects_told

__all__ = ["beside"]

Result = TypeVar("Result")

_ALONE = "alone"


def beside(
    widget: Widget,
    work: Callable[[], Result],
    done: Callable[[Result], None],
    failed: Callable[[MemdashError], None],
    *,
    group: str | None,
    turn: AbstractContextManager[object] | None = None,
) -> None:
    """Do ``work`` on a thread, and hand ``done`` what it returns, or ``failed`` what it raises, on the screen's.

    Whatever goes wrong in ``work`` or ``done`` is told, and ends nothing else. Work of the same ``group`` of a widget
    is overtaken: it is not waited for, and nobody hears of it, no more than once the widget has gone. Without a group
    it neither overtakes nor is overtaken. ``turn`` is held meanwhile, where such work must not go on beside other; what
    was overtaken before its turn is not begun.
    """

    def told(worker: Worker[Any], result: Result | MemdashError) -> None:
        if worker.is_cancelled or not widget.is_attached:
            return
        if isinstance(result, MemdashError):
            failed(result)
            return
        try:
            with defects_told():
                done(result)
        except MemdashError as error:
            failed(error)

    def on_thread() -> None:
        worker = get_current_worker()
        try:
            with turn or nullcontext():
                if worker.is_cancelled:
                    return
                result = _result_of(work)
            if not worker.is_cancelled:
                widget.app.call_from_thread(told, worker, result)
        finally:
            # Textual 8.2 leaves it in the thread, which is kept for later work: the widget would not go.
            active_worker.set(None)  # type: ignore[arg-type]

    widget.run_worker(on_thread, thread=True, exclusive=group is not None, group=group or _ALONE, exit_on_error=False)


def _result_of(work: Callable[[], Result]) -> Result | MemdashError:
    """What it returns, or raises."""
    try:
        with defects_told():
            return work()
    except MemdashError as error:
        return error
