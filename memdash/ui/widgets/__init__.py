"""Things that draw cells: they know widths, glyphs and tones, and nothing about memory.

Lives here: ``cut`` and ``fit`` (text and columns into a width), ``spark`` and ``meter`` (figures as characters),
``paint`` (the base of all line widgets), ``words`` (one row of them, or a text), ``footer`` (the keys worth knowing),
``filter`` (where one is typed), ``table`` (rows with a cursor), ``code`` (source with a margin of figures), ``chart``
(plotext, wrapped once), ``icicle`` (boxes in boxes) with ``box_cursor`` (where one is in them) and ``tiles`` (which
cells they have), ``time_bar`` (a long time in one line), ``pointing`` (what can be pointed into).
"""
