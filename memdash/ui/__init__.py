"""The dashboard. The only room that may import Textual, Rich and plotext.

Lives here: ``app`` (small: themes, screens, quitting), ``feed`` (snapshots from the sampler's thread to the screen),
``messages`` (what it is sent), ``turns`` (one key after another), ``command`` (what one is) and ``commands`` (the one
list of keys), ``acting`` and ``saving`` (from a key to something done to the target, or saved of it), ``watched`` (what
screens over the dashboard are about), ``travel`` (where in its time they stand), ``header`` (the top line), ``shape``
and ``arrangement`` (which panes are to be seen), ``sorting`` (the order of rows), ``theme`` and ``glyphs`` (colours and
characters by meaning), ``lean`` (what keeps it small), ``beside`` (what takes long, on a thread), and the rooms
``widgets`` (know cells, not memory), ``panes`` (one region of the dashboard each) and ``screens``. May import:
``tables``, ``session`` (its Protocol, and the profiles of a snapshot), ``analysis``, ``pprof`` (its views, and how to
write a profile), ``model``, ``config``, ``units``, ``plain``, ``signals``, ``files``, ``errors``.

Nothing here reads a process, computes a figure or formats a number: panes show what ``tables`` return.
"""

from memdash.ui.lean import left_out

with left_out("ssl"):  # asyncio does without; OpenSSL would take 4 MiB and 10 ms
    import asyncio  # noqa: F401 - Textual imports it next
