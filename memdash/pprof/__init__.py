"""Profile files and the views of pprof, as values.

Lives here: ``document`` (what a profile.proto file says), ``decode`` and ``encode`` (such files in and out, on
``profile_pb2``, which protoc makes of ``profile.proto``), ``convert`` (memdash's own profiles as documents), ``names``
and ``pattern`` (names and regular expressions as pprof takes them), ``filters`` (focus, ignore, hide, show), ``merge``
(one profile minus another), ``measure`` (numbers as pprof writes them), ``graph`` (who holds what, and who called
whom), ``view`` (a document seen through options), and the views themselves: ``top``, ``tree`` (also peek),
``listing`` with ``source``, ``flame``. May import: ``model``, ``errors``. Every view is a function from a ``View`` to a
value; verbs print these and the dashboard draws them. What it says equals ``go tool pprof`` to the last digit.

To add a view, write a module with such a function.
"""
