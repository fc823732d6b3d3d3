"""``plain`` lives below, where reports and error lines reach it too: import it from ``memdash.plain``."""

from memdash.plain import plain

__all__ = ["plain"]
