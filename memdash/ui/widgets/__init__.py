"""Things that draw cells: they know widths, glyphs and tones, and nothing about memory.

Lives here: ``cut`` and ``fit`` (text and columns into a width), ``spark`` and ``meter`` (figures as characters),
``paint`` (the base of all line widgets), ``line`` (one row of words), ``table`` (rows with a cursor), ``chart``
(plotext, wrapped once).
"""
