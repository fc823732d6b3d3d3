"""memdash's agent: one thread more in a Python, asked for when its memory does not tell, or something is to be done.

Lives here: what runs in the target and is only a text here, ``guard`` (nothing fails there, no signal is lost),
``inside`` (connection, thread, forks), ``answers`` (what it tells and does) and ``customize`` (how it starts with a
program), put together by ``script``; and memdash's side: ``place`` (the directory in which both meet), ``private``
(where it may lie when modules are searched in it), ``leftovers`` (how it goes, and those of killed runs), ``peer`` (one
connection), ``agents`` (who has connected), ``launch`` (into what memdash starts), ``link`` (the one of a target, as an
Actor), ``told`` and ``feed`` (what it says, as nouns).
May import what ``cpython`` may. To have it tell something more, add an answer there, its nouns in ``told``, and who
asks for it in ``feed``. Getting it into a process that runs already is an ``Injector``'s business.
"""
