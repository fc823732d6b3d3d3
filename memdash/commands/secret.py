"""A secret that stands in a file or in the environment: on the command line others would see it in ps."""

from __future__ import annotations

import os

from memdash.errors import UsageError

__all__ = ["secret_of"]

_LONGEST = 4096


def secret_of(option: str, path: str | None, variable: str) -> str:
    """What the file holds, or else the variable; empty when there is neither. Raises UsageError."""
    if path is None:
        return os.environ.get(variable, "").strip()
    try:
        with open(path, encoding="utf-8") as file:
            secret = file.read(_LONGEST + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"{option}: {path}: {why}", "name a file that holds a token and nothing else") from None
    if not secret or len(secret) > _LONGEST:
        raise UsageError(f"{option}: {path} holds no token", "put a word in it that nobody guesses")
    return secret
