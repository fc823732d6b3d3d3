"""Profile files and the views of pprof, as values.

Lives here: ``document`` (what a profile.proto file says), ``taken`` (with where it is from), ``decode`` with
``records``, and ``encode`` (such files in and out, on ``profile_pb2``, which protoc makes of ``profile.proto``),
``convert`` (memdash's profiles as documents), ``names`` and ``pattern`` (names and regular expressions as pprof takes
them), ``filters`` (focus, ignore, hide, show), ``merge`` (one profile minus another), ``within`` (one branch of a
flame), ``view`` (a document seen through options), ``graph`` (who holds what, and who called whom), the views
themselves: ``top``, ``tree`` (also peek), ``listing`` and ``costs`` (of whole files) with ``source``, ``flame``; and
what is printed of them: ``text`` with ``measure``, ``values`` (JSON); ``garbage`` keeps Python's collections away
meanwhile. May import: ``model``, ``config``, ``units``, ``plain``, ``errors``. Every view is a function from a ``View``
to a value; verbs print these and the dashboard draws them. What they say is what ``go tool pprof`` says, to the last
digit. Only what reads or writes files loads protobuf, which takes 30 ms.

To add a view, write a module with such a function.
"""
