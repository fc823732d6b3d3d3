"""Having a program find the goroutines that nothing can ever wake, and knowing them again.

Source: runtime/pprof/pprof.go (writeGoroutineLeak), runtime/mgc.go (findGoroutineLeaks). Those that have leaked stay
where they are for good, while others of the same stack come and go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from memdash.errors import BadAnswer, UnsupportedRuntime
from memdash.model.tasks import Task, TaskKey, Tasks
from memdash.network.address import Address
from memdash.network.client import Check, Client, anybody
from memdash.probes.endpoint.discover import INDEX_BYTES

__all__ = ["LeakSearch"]

_PROFILE = "goroutineleak"


class LeakSearch:
    """Asks for the profile ``goroutineleak``. ``pprof`` is where net/http/pprof is, ``check`` whether it is still."""

    def __init__(self, pprof: Address, check: Check = anybody) -> None:
        self.pprof = pprof
        self.check = check
        self._client = Client(pprof, check=check)
        self._leaked: dict[TaskKey, int] = {}

    @property
    def url(self) -> str:
        """Where it asks."""
        return self._client.address.at(_PROFILE).url

    def run(self) -> int:
        """Have the program search; how many it has found.

        Raises UnsupportedRuntime when its Go cannot, EndpointUnreachable, BadAnswer.
        """
        from memdash.probes.endpoint.profiles import fetched
        from memdash.probes.profiles import tasks

        if not self._is_served():
            raise UnsupportedRuntime("its Go has no search for leaked goroutines", "Go 1.27 and later have one")
        found = tasks(fetched(self._client, _PROFILE), _PROFILE)
        self._leaked = {task.key: task.count for task in found.groups}
        return found.total

    def marked(self, tasks: Tasks) -> Tasks:
        """The same goroutines, where those that were found are told as such."""
        return replace(tasks, groups=tuple(part for task in tasks.groups for part in self._parts(task)))

    def cancel(self) -> None:
        """Have ``run`` fail soon. From any thread."""
        self._client.cancel()

    def _is_served(self) -> bool:
        """By the list of its profiles, where that is served at all."""
        try:
            return _PROFILE.encode() in self._client.get(most_bytes=INDEX_BYTES).body
        except BadAnswer:
            return True

    def _parts(self, task: Task) -> Iterator[Task]:
        leaked = min(self._leaked.get(task.key, 0), task.count)
        if leaked:
            yield replace(task, count=leaked, is_leaked=True)
        if task.count > leaked:
            yield replace(task, count=task.count - leaked)
