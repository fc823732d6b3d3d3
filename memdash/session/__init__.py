"""One watch over one target: the only place where attaching, sampling, remembering and judging are wired together.

Lives here: ``session`` (what a watch offers), ``listeners`` (who follows one), ``live`` (over a running process, with a
thread, or once without), ``attach`` (from a target to open probes), ``opening`` (of one way of reading, beside all
others where it has to ask somebody), ``memory`` (from a sample to a snapshot), ``passing`` (that of a watch which
another remembers), ``settling`` (that of one which waits for the agent), ``watches`` (the sessions over the members of
a process tree), ``succession`` (the tree after its target's end), ``following`` (one watch after another over what has
the same name), ``errand`` (one action without a watch), ``relieving`` (actions that memdash orders by itself),
``looking`` (looks at one kind of fact without a watch), ``gate`` (budgets held against one), ``whole_heap`` (what they
must not take for the heap), ``profiles`` (what a process holds, and where its tasks stand, as profiles for pprof),
``inside`` (a watch with the agent in the target), ``sampled`` (what it allocates in a while), ``rows`` (what of a
snapshot several readings tell), ``past`` (the moments of a recorded watch), ``rewind`` (those of one that goes on),
``retold`` (its alert log as it grew), ``pace`` (one in so many of them) and ``replay`` (a session over a file, which
may still grow). May import: ``probes``, ``sampling``, ``analysis``, ``recording``, ``pprof``, ``process``, ``network``,
``model``, ``units``, ``errors``. All of it produces ``Snapshot``s, and that is all that screens, reports and exports
ever see.
"""

from memdash.session.live import Live, read_once
from memdash.session.session import Session
from memdash.session.watches import Watches

__all__ = ["Live", "Session", "Watches", "read_once"]
