"""What a check has found, to bytes.

Lives here: ``text`` (a line a budget, for people), ``json`` (the document of schema memdash.check/1), ``junit`` (for CI
systems that show test results) and ``github`` (annotations, as GitHub's runners take them).
"""
