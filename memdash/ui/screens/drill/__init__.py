"""All there is to say about one row of the dashboard, live while it is looked at.

Lives here: ``screen`` (what all of them are), ``body`` (where its parts stand), ``figures`` (labelled, in columns),
``course`` (what was held over time, as a chart), ``section`` (the texts below), ``source`` (the lines around a place),
``stacks`` (and callers), and the rows themselves: ``site``, ``tasks``, ``types``, ``metric``.

To add one, write a ``DrillScreen`` whose ``look`` says of a snapshot what there is to be seen, and open it from the
pane's ``screen_of_row``. Nothing here is imported before a row is first opened.
"""
