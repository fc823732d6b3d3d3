"""Whole screens. All but the dashboard are imported when first opened.

Lives here: ``dashboard``, ``picker`` (where no process was named), and what opens over them: ``detail`` (a text in
full), ``family`` (the process tree), ``residence`` (where RSS comes from), ``save`` (a profile), ``note`` (on a
moment), ``confirm``, ``palette`` and ``help``; the room ``drill`` holds all there is about a row, ``profile`` the views
of a profile. ``relatives`` is what a screen on one process of a tree can do, ``travelling`` one on a watch with a past,
``visiting`` what either opens about its moment, ``lines`` how texts of the target are written, ``sources`` what is to
be said of its source files, ``ground`` what views have below them where there is no dashboard.
"""
