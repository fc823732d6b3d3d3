"""What follows an alert outside of memdash: commands, webhooks, the terminal's bell, evidence on disk.

Lives here: ``alert`` (what there is to tell), ``wanted`` (which alerts a hook hears of), ``hook`` (what every hook is),
``outlet`` (a hook's queue and thread), ``hooks`` (all of them around the watches), ``command`` and ``child`` (a program
that is started), ``webhook``, ``bell`` and ``notification`` (what a terminal is sent), ``evidence``, ``pieces`` (what
it consists of) and ``folders`` (where it is kept). May import: ``exports``, ``session``, ``recording``, ``pprof``,
``network``, ``model``, ``units``, ``plain``, ``errors``. Nothing here waits on the thread that samples, or on that of
the screen.

To add a kind of hook, write a class with the three members of ``hook.Hook``.
"""
